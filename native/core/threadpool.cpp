#include "threadpool.h"

#include "error.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <string>

Threadpool::Threadpool(llama_context * ctx_, uint32_t poll_) : ctx(ctx_), poll(poll_) {}

Threadpool::~Threadpool() {
    if (used > 0) llama_detach_threadpool(ctx);
}

void Threadpool::use(int32_t n_threads) {
    if (n_threads == used) return;
    std::shared_ptr<void> & pool = n_threads == 1 ? one : many;
    if (!pool || (n_threads > 1 && n_many != n_threads)) {
        if (used > 0) llama_detach_threadpool(ctx);
        used = 0;
        if (pool) replaced.push_back(std::move(pool));
        pool = start(n_threads);
        if (n_threads > 1) n_many = n_threads;
    }
    if (pool) llama_attach_threadpool(ctx, (ggml_threadpool_t)pool.get(), (ggml_threadpool_t)pool.get());
    llama_set_n_threads(ctx, n_threads, n_threads);
    used = n_threads;
}

void Threadpool::computed() { replaced.clear(); }

// Null for an older backend: correct, only slower.
std::shared_ptr<void> Threadpool::start(int32_t n_threads) const {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!cpu) throw CodedError("ERR_NATIVE", "No CPU backend is loaded");
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(cpu);
    const auto make        = (decltype(&ggml_threadpool_new))ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_new");
    const auto stop        = (decltype(&ggml_threadpool_free))ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_free");
    if (!make || !stop) return nullptr;

    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
    params.poll                   = poll;
    ggml_threadpool_t pool        = make(&params);
    if (!pool) throw CodedError("ERR_NATIVE", "Could not start " + std::to_string(n_threads) + " compute threads");
    return { pool, [stop](void * p) { stop((ggml_threadpool_t)p); } };
}
