#pragma once

#include <napi.h>

#include <string>
#include <vector>

// Unpacking what TypeScript has already checked: values arrive complete, in range and of the right type.
// A wrong type still becomes a JS exception, never a crash.

inline double number_of(const Napi::Object & object, const char * key) { return object.Get(key).As<Napi::Number>().DoubleValue(); }

inline bool flag_of(const Napi::Object & object, const char * key) { return object.Get(key).As<Napi::Boolean>().Value(); }

inline std::string text_of(const Napi::Object & object, const char * key) { return object.Get(key).As<Napi::String>().Utf8Value(); }

inline std::vector<int32_t> ids_of(const Napi::Value & value) {
    const auto array = value.As<Napi::Int32Array>();
    return { array.Data(), array.Data() + array.ElementLength() };
}

template <typename T> Napi::Value pack(Napi::Env env, const std::vector<T> & from) {
    auto to = Napi::TypedArrayOf<T>::New(env, from.size());
    std::copy(from.begin(), from.end(), to.Data());
    return to;
}
