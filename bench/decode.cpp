// llama.cpp's decode and nothing else: what a step would cost if nobody sampled, decoded text or told JavaScript.
// Usage: decode-bench MODEL BACKEND_DIR SEQUENCES PROMPT_TOKENS STEPS
// For every line on its input: one prompt, shared by all sequences, then the steps; prints microseconds a step, of the clock and of the processor.
// Threads, cache and context are those of an engine with `threads: 1` and as many cells as the work needs.
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <llama-cpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>

static void set(llama_batch & batch, int32_t row, llama_token token, int32_t position, int32_t sequence, bool logits) {
    batch.token[row]     = token;
    batch.pos[row]       = position;
    batch.n_seq_id[row]  = 1;
    batch.seq_id[row][0] = sequence;
    batch.logits[row]    = logits;
}

static void decode(llama_context * ctx, const llama_batch & batch) {
    if (llama_decode(ctx, batch) != 0) std::exit(1);
    llama_synchronize(ctx);
}

int main(int argc, char ** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "Usage: decode-bench MODEL BACKEND_DIR SEQUENCES PROMPT_TOKENS STEPS\n");
        return 2;
    }
    const int32_t n_seq = std::atoi(argv[3]), n_prompt = std::atoi(argv[4]), n_steps = std::atoi(argv[5]);
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    if (ggml_backend_dev_count() == 0) ggml_backend_load_all_from_path(argv[2]);

    llama_model_params mparams = llama_model_default_params();
    mparams.load_mode          = LLAMA_LOAD_MODE_NONE;
    mparams.n_gpu_layers       = 0;
    const llama_model_ptr model(llama_model_load_from_file(argv[1], mparams));
    if (!model) return 1;

    llama_context_params cparams = llama_context_default_params();
    cparams.n_ctx                = (uint32_t)(n_prompt + n_seq * n_steps);
    cparams.n_batch              = 512;
    cparams.n_ubatch             = 512;
    cparams.n_seq_max            = (uint32_t)n_seq;
    cparams.n_threads            = 1;
    cparams.n_threads_batch      = 1;
    cparams.kv_unified           = true;
    cparams.no_perf              = true;
    const llama_context_ptr ctx(llama_init_from_model(model.get(), cparams));
    if (!ctx) return 1;

    llama_batch batch            = llama_batch_init(512, 0, 1);
    const llama_memory_t memory  = llama_get_memory(ctx.get());
    const int32_t n_vocab        = llama_vocab_n_tokens(llama_model_get_vocab(model.get()));
    const auto token             = [&](int32_t i) { return (llama_token)(3 + i % (n_vocab - 3)); };
    const auto microseconds_each = [&](double seconds) { return seconds * 1e6 / n_steps; };

    for (std::string line; std::getline(std::cin, line);) {
        llama_memory_clear(memory, true);
        batch.n_tokens = n_prompt;
        for (int32_t i = 0; i < n_prompt; i++) set(batch, i, token(i), i, 0, i + 1 == n_prompt);
        decode(ctx.get(), batch);
        for (int32_t seq = 1; seq < n_seq; seq++) llama_memory_seq_cp(memory, 0, seq, -1, -1);

        const auto from        = std::chrono::steady_clock::now();
        const std::clock_t cpu = std::clock();
        batch.n_tokens         = n_seq;
        for (int32_t step = 0; step < n_steps; step++) {
            for (int32_t seq = 0; seq < n_seq; seq++) set(batch, seq, token(step * n_seq + seq), n_prompt + step, seq, true);
            decode(ctx.get(), batch);
        }
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - from;
        std::printf("%.3f %.3f\n", microseconds_each(wall.count()), microseconds_each((double)(std::clock() - cpu) / CLOCKS_PER_SEC));
        std::fflush(stdout);
    }
    llama_batch_free(batch);
    return 0;
}
