#include "arguments.h"
#include "backend.h"
#include "codepage.h"
#include "engine.h"
#include "log.h"
#include "model.h"
#include "owner.h"
#include "process.h"
#include "speed.h"

#include <ggml.h>

#ifdef _WIN32
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif

// When a worker thread ends, Node closes the addons it loaded; llama.cpp's log callback and our threads' code must stay.
static void stay_loaded() {
#ifdef _WIN32
    HMODULE self;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(void *)&stay_loaded, &self);
#else
    Dl_info self;
    if (dladdr((void *)&stay_loaded, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
#endif
}

// The file that ggml's functions are in. A process has one library of a name: another's may have been loaded before.
static Napi::String ggml_file(Napi::Env env) {
#ifdef _WIN32
    wchar_t path[32768];
    const HMODULE ggml = GetModuleHandleW(L"ggml-base.dll"); // none where it is inside the addon
    const DWORD size   = ggml ? GetModuleFileNameW(ggml, path, 32768) : 0;
    return Napi::String::New(env, reinterpret_cast<const char16_t *>(path), size);
#else
    Dl_info found;
    return Napi::String::New(env, dladdr((void *)&ggml_version, &found) && found.dli_fname ? found.dli_fname : "");
#endif
}

// Node emits `exit` however it ends the process by itself, before anything of C++ is destroyed. First of all listeners: one that
// throws keeps the rest from being called.
static void halt_at_exit(Napi::Env env) {
    const auto process = env.Global().Get("process").As<Napi::Object>();
    const auto halt    = Napi::Function::New(env, [](const Napi::CallbackInfo & info) { Owner::halt_all(info.Env()); });
    process.Get("prependListener").As<Napi::Function>().Call(process, { Napi::String::New(env, "exit"), halt });
}

// belongToParent(parentPid)
static void belong(const Napi::CallbackInfo & info) { belong_to_parent(info[0].As<Napi::Number>().Int64Value()); }

// physicalCores()
static Napi::Value count_cores(const Napi::CallbackInfo & info) { return Napi::Number::New(info.Env(), physical_cores()); }

// decodeBySystem(bytes, console): { text, page } | undefined
static Napi::Value decode_text(const Napi::CallbackInfo & info) {
    const auto bytes      = info[0].As<Napi::Uint8Array>();
    const SystemText read = decode_by_system((const char *)bytes.Data(), bytes.ByteLength(), info[1].As<Napi::Boolean>().Value());
    if (read.page == 0) return info.Env().Undefined();
    auto result = Napi::Object::New(info.Env());
    result.Set("text", Napi::String::New(info.Env(), read.text));
    result.Set("page", read.page);
    return result;
}

// echoLog(on)
static void echo_log(const Napi::CallbackInfo & info) { LogCapture::echo_to_stderr(info[0].As<Napi::Boolean>().Value()); }

// measureProducts({ type, repack, threads, bytes, seconds, columns }): seconds per byte, for each of columns. Takes some tenths of a
// second.
static Napi::Value measure_products(const Napi::CallbackInfo & info) {
    const auto given = info[0].As<Napi::Object>();
    Products products{};
    products.type    = (ggml_type)(int)number_of(given, "type");
    products.repack  = flag_of(given, "repack");
    products.threads = (int32_t)number_of(given, "threads");
    products.seconds = number_of(given, "seconds");
    products.bytes   = (size_t)number_of(given, "bytes");
    for (const int32_t each : ids_of(given.Get("columns"))) products.columns.push_back(each);
    std::vector<double> seconds;
    const Thrown thrown = run_guarded([&] { seconds = seconds_per_byte(products); });
    if (thrown.code) throw to_js(info.Env(), thrown.code, thrown.message);
    return pack(info.Env(), seconds);
}

// measureReading(threads, bytes, seconds): bytes a second. Blocks for about so many seconds.
static Napi::Value measure_reading(const Napi::CallbackInfo & info) {
    const auto number   = [&](size_t i) { return info[i].As<Napi::Number>().DoubleValue(); };
    double speed        = 0;
    const Thrown thrown = run_guarded([&] { speed = read_speed((int32_t)number(0), (size_t)number(1), number(2)); });
    if (thrown.code) throw to_js(info.Env(), thrown.code, thrown.message);
    return Napi::Number::New(info.Env(), speed);
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    stay_loaded();
    LogCapture::install();
    halt_at_exit(env);

    exports.Set("Model", Model::init(env));
    exports.Set("Engine", Engine::init(env));
    exports.Set("loadBackends", Napi::Function::New<&load_backends>(env));
    exports.Set("devices", Napi::Function::New<&list_devices>(env));
    exports.Set("physicalCores", Napi::Function::New<&count_cores>(env));
    exports.Set("decodeBySystem", Napi::Function::New<&decode_text>(env));
    exports.Set("gainsByRearranging", Napi::Function::New<&would_gain_by_rearranging>(env));
    exports.Set("measureProducts", Napi::Function::New<&measure_products>(env));
    exports.Set("measureReading", Napi::Function::New<&measure_reading>(env));
    exports.Set("belongToParent", Napi::Function::New<&belong>(env));
    exports.Set("echoLog", Napi::Function::New<&echo_log>(env));

    auto build = Napi::Object::New(env);
    build.Set("headers", MEDITRON_LLAMA_RELEASE); // the release whose headers this was compiled with
    build.Set("libraries", llama_version());      // the release that has been linked
    build.Set("ggml", ggml_version());
    build.Set("kind", MEDITRON_LLAMA_KIND); // prebuilt or source
    exports.Set("build", build);
    exports.Set("ggmlFile", ggml_file(env));
    return exports;
}

NODE_API_MODULE(meditron, init)
