#include "backend.h"

#include "log.h"

#include <ggml-backend.h>

#ifdef _WIN32
#    include <windows.h>
#endif

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

#ifdef _WIN32

static std::wstring wide(const std::string & text) {
    std::wstring out(MultiByteToWideChar(CP_UTF8, 0, text.data(), (int)text.size(), nullptr, 0), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), (int)text.size(), out.data(), (int)out.size());
    return out;
}

static std::string narrow(const std::wstring & text) {
    std::string out(WideCharToMultiByte(CP_UTF8, 0, text.data(), (int)text.size(), nullptr, 0, nullptr, nullptr), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.data(), (int)text.size(), out.data(), (int)out.size(), nullptr, nullptr);
    return out;
}

// The matrix unit of Sapphire Rapids (AMX): an instruction of it ends a process to which the system has not granted it. llama.cpp asks
// the processor alone.
static bool has_matrix_unit() {
    static constexpr DWORD64 TILE_DATA = DWORD64(1) << 18;
    const HMODULE kernel               = GetModuleHandleW(L"kernel32.dll");
    using Enable                       = BOOL(WINAPI *)(DWORD64);
    const auto enable                  = (Enable)(void *)GetProcAddress(kernel, "EnableProcessOptionalXStateFeatures");
    return enable && enable(TILE_DATA);
}

// ggml_backend_load reads a path in the system's code page: so it is given the bare name of a library that is loaded already. What that
// needs is looked for in its own folder first.
static std::string loadable(const std::string & path) {
    if (!LoadLibraryExW(wide(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH)) return path;
    return path.substr(path.find_last_of("/\\") + 1);
}

// As ggml does, and without the variant for that unit where there is none.
static void load_cpu(const std::string & directory) {
    const bool has_amx        = has_matrix_unit();
    const std::wstring folder = wide(directory) + L"\\";
    std::wstring best;
    int best_score = 0;
    WIN32_FIND_DATAW found;
    const HANDLE search = FindFirstFileW((folder + L"ggml-cpu-*.dll").c_str(), &found);
    if (search == INVALID_HANDLE_VALUE) return ggml_backend_load_all_from_path(directory.c_str()); // built in, or one for all processors
    do {
        const std::wstring name = found.cFileName;
        if (name == L"ggml-cpu-sapphirerapids.dll" && !has_amx) continue;
        const HMODULE library = LoadLibraryW((folder + name).c_str());
        if (!library) continue;
        using Score      = int (*)();
        const auto score = (Score)(void *)GetProcAddress(library, "ggml_backend_score");
        const int scored = score ? score() : 0;
        FreeLibrary(library);
        if (scored <= best_score) continue;
        best_score = scored;
        best       = folder + name;
    } while (FindNextFileW(search, &found));
    FindClose(search);
    if (best_score > 0) ggml_backend_load(loadable(narrow(best)).c_str());
}

#else

static void load_cpu(const std::string & directory) { ggml_backend_load_all_from_path(directory.c_str()); }

static std::string loadable(const std::string & path) { return path; }

#endif

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
        load_cpu(directory);
        cpu_path = loaded_path(log.text());
    }
    const bool has_cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) != nullptr;
    out.Set(0u, entry(env, cpu_path, has_cpu, has_cpu ? "" : "no CPU backend in " + directory + " runs on this processor"));

    for (uint32_t i = 0; i < files.Length(); i++) {
        const std::string path = files.Get(i).As<Napi::String>();
        LogCapture log;
        const bool ok = loaded.count(path) > 0 || ggml_backend_load(loadable(path).c_str()) != nullptr;
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
