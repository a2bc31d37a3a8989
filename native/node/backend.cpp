#include "backend.h"

#include "log.h"

#include <ggml-backend.h>

#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

static std::mutex loading; // worker threads may load the addon at the same time
static std::set<std::string> loaded;

// ggml would load one more library of anybody's choice if this variable is set.
static void forget_backend_path() {
#ifdef _WIN32
    _putenv_s("GGML_BACKEND_PATH", "");
#else
    unsetenv("GGML_BACKEND_PATH");
#endif
}

// Before anything is listed: what is inside the addon comes into being with the first question for a device.
static void hide(const std::string & variable) {
#ifdef _WIN32
    _putenv_s(variable.c_str(), "-1");
#else
    setenv(variable.c_str(), "-1", 1);
#endif
}

// "load_backend: loaded CPU backend from /somewhere/libggml-cpu-haswell.so" -> the path
static std::string loaded_path(const std::string & log) {
    static const std::string mark = "loaded CPU backend from ";
    const size_t at               = log.rfind(mark);
    if (at == std::string::npos) return "";
    const size_t end = log.find('\n', at);
    return log.substr(at + mark.size(), end == std::string::npos ? end : end - at - mark.size());
}

static Napi::Object entry(Napi::Env env, const std::string & path, bool ok, const std::string & message) {
    auto out = Napi::Object::New(env);
    out.Set("path", path);
    out.Set("loaded", ok);
    out.Set("message", message);
    return out;
}

Napi::Value load_backends(const Napi::CallbackInfo & info) {
    const Napi::Env env         = info.Env();
    const std::string directory = info[0].As<Napi::String>();
    const auto files            = info[1].As<Napi::Array>();
    const auto hidden           = info[2].As<Napi::Array>();
    auto out                    = Napi::Array::New(env);

    std::lock_guard<std::mutex> lock(loading);
    forget_backend_path();
    for (uint32_t i = 0; i < hidden.Length(); i++) hide(hidden.Get(i).As<Napi::String>());

    static std::string cpu_path;
    if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
        LogCapture log;
        ggml_backend_load_all_from_path(directory.c_str());
        cpu_path = loaded_path(log.text());
    }
    const bool has_cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) != nullptr;
    out.Set(0u, entry(env, cpu_path, has_cpu, has_cpu ? "" : "no CPU backend in " + directory + " runs on this processor"));

    for (uint32_t i = 0; i < files.Length(); i++) {
        const std::string path = files.Get(i).As<Napi::String>();
        LogCapture log;
        const bool ok = loaded.count(path) > 0 || ggml_backend_load(path.c_str()) != nullptr;
        if (ok) loaded.insert(path);
        out.Set(i + 1, entry(env, path, ok, ok ? "" : log.errors()));
    }
    return out;
}

static const char * type_name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU: return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "integrated-gpu";
        case GGML_BACKEND_DEVICE_TYPE_ACCEL: return "accelerator";
        default: return "other";
    }
}

Napi::Value list_devices(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    auto out            = Napi::Array::New(env);

    std::lock_guard<std::mutex> lock(loading);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(device, &free, &total);

        auto item = Napi::Object::New(env);
        item.Set("name", ggml_backend_dev_name(device));
        item.Set("description", ggml_backend_dev_description(device));
        item.Set("backend", ggml_backend_reg_name(ggml_backend_dev_backend_reg(device)));
        ggml_backend_dev_props props;
        ggml_backend_dev_get_props(device, &props);
        item.Set("id", props.device_id ? Napi::Value(Napi::String::New(env, props.device_id)) : env.Null());
        item.Set("type", type_name(ggml_backend_dev_type(device)));
        item.Set("memoryFree", (double)free);
        item.Set("memoryTotal", (double)total);
        out.Set((uint32_t)i, item);
    }
    return out;
}
