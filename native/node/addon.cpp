#include "backend.h"
#include "engine.h"
#include "log.h"
#include "model.h"

#include <ggml.h>

#ifndef _WIN32
#    include <dlfcn.h>
#endif

// When a worker thread ends, Node closes the addons it loaded; llama.cpp's log callback and our threads' code must stay.
static void stay_loaded() {
#ifndef _WIN32
    Dl_info self;
    if (dladdr((void *)&stay_loaded, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
#endif
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    stay_loaded();
    LogCapture::install();

    exports.Set("Model", Model::init(env));
    exports.Set("Engine", Engine::init(env));
    exports.Set("loadBackends", Napi::Function::New<&load_backends>(env));
    exports.Set("devices", Napi::Function::New<&list_devices>(env));

    auto build = Napi::Object::New(env);
    build.Set("headers", MEDITRON_LLAMA_RELEASE); // the release whose headers this was compiled with
    build.Set("libraries", llama_version());      // the release that has been linked
    build.Set("ggml", ggml_version());
    build.Set("kind", MEDITRON_LLAMA_KIND); // prebuilt or source
    exports.Set("build", build);
    return exports;
}

NODE_API_MODULE(meditron, init)
