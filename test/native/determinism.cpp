// What a step computes against the number of threads that compute it, bit for bit, over a long context.
#include "check.h"
#include "threadpool.h"

#include <llama-cpp.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int32_t BATCH   = 512;
constexpr int32_t SAMPLES = 3;
constexpr int32_t STEPS   = 2;

struct Cache {
    const char * name;
    llama_flash_attn_type flash_attn;
    ggml_type type;
    bool single; // rows by themselves do not depend on the number of threads either
};

// How many threads compute a step, and after how many operations it is broken off once, to be begun again; 0 for never.
struct Plan {
    int32_t threads;
    int32_t break_off = 0;
};

// The logits of a prompt's last token and of the steps after it: of several sequences together, then of one by itself.
class Run {
public:
    Run(llama_model * model_, const Cache & cache, int32_t prompt_) : model(model_), prompt(prompt_), batch(llama_batch_init(BATCH, 0, 1)) {
        llama_context_params params = llama_context_default_params();
        params.n_ctx                = (uint32_t)(prompt + SAMPLES * 2 * STEPS);
        params.n_batch              = BATCH;
        params.n_ubatch             = BATCH;
        params.n_seq_max            = SAMPLES;
        params.type_k               = cache.type;
        params.type_v               = cache.type;
        params.flash_attn_type      = cache.flash_attn;
        params.kv_unified           = true;
        params.abort_callback       = [](void * run) { return ((Run *)run)->left > 0 && --((Run *)run)->left == 0; };
        params.abort_callback_data  = this;
        ctx.reset(llama_init_from_model(model, params));
        if (!ctx) throw std::runtime_error("could not create a context");
    }

    ~Run() { llama_batch_free(batch); }

    std::vector<float> logits(const std::function<Plan(int)> & plan) {
        Threadpool pool(ctx.get(), 0);
        std::vector<float> out;
        int step            = 0;
        const int32_t vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
        const auto compute  = [&](llama_pos from) {
            const Plan how = plan(step++);
            pool.use(how.threads);
            left   = how.break_off;
            int rc = llama_decode(ctx.get(), batch);
            if (rc == 2) {
                for (int32_t i = 0; i < SAMPLES; i++) llama_memory_seq_rm(llama_get_memory(ctx.get()), i, from, -1);
                pool.use(1);
                rc = llama_decode(ctx.get(), batch);
            }
            if (rc != 0) throw std::runtime_error("could not decode");
            pool.computed();
            for (int32_t row = 0; row < batch.n_tokens; row++) {
                if (!batch.logits[row]) continue;
                const float * logits = llama_get_logits_ith(ctx.get(), row);
                out.insert(out.end(), logits, logits + vocab);
            }
        };
        for (int32_t from = 0; from < prompt; from += BATCH) {
            batch.n_tokens = 0;
            for (int32_t at = from; at < std::min(prompt, from + BATCH); at++) add(at * 37, at, 0, at + 1 == prompt);
            compute(from);
        }
        for (int32_t i = 1; i < SAMPLES; i++) llama_memory_seq_cp(llama_get_memory(ctx.get()), 0, i, -1, -1);
        for (int32_t at = prompt; at < prompt + STEPS; at++) {
            batch.n_tokens = 0;
            for (int32_t i = 0; i < SAMPLES; i++) add(1000 + 100 * i + at % 100, at, i, true);
            compute(at);
        }
        together = out.size();
        for (int32_t at = prompt + STEPS; at < prompt + 2 * STEPS; at++) {
            batch.n_tokens = 0;
            add(2000 + at % 100, at, 0, true);
            compute(at);
        }
        return out;
    }

    size_t together = 0; // logits that are not of single rows

private:
    void add(llama_token token, llama_pos at, llama_seq_id seq, bool output) {
        const int32_t row    = batch.n_tokens++;
        batch.token[row]     = token % llama_vocab_n_tokens(llama_model_get_vocab(model));
        batch.pos[row]       = at;
        batch.n_seq_id[row]  = 1;
        batch.seq_id[row][0] = seq;
        batch.logits[row]    = output;
    }

    llama_model * model;
    int32_t prompt;
    llama_context_ptr ctx;
    llama_batch batch;
    int32_t left = 0; // operations before the step is broken off
};

struct Way {
    const char * name;
    std::function<Plan(int)> plan;
};

void same_on_any_number(llama_model * model, const char * path, const Cache & cache, int32_t prompt, bool most) {
    const int last       = (prompt - 1) / BATCH; // step of the prompt
    std::vector<Way> all = {
        { "1", [](int) { return Plan{ 1 }; } },
        { "1 and 2, broken off",
          [](int step) {
              return step % 3 == 2 ? Plan{ 1 } : Plan{ 2, step % 3 == 1 ? 3 + 7 * step : 0 };
          } },
    };
    if (most) { // more threads than there may be cores are slow
        all.push_back({ "3 and 4", [=](int step) {
                           const bool single = step == last + 1 + STEPS;
                           return Plan{ step == last || single ? 3 : step == last + 1 ? 4 : 1 };
                       } });
    }
    std::vector<float> expected;
    for (const Way & way : all) {
        Run with(model, cache, prompt);
        const std::vector<float> logits = with.logits(way.plan);
        if (expected.empty()) expected = logits;
        const size_t n          = cache.single ? logits.size() : with.together;
        const bool equal        = logits.size() == expected.size() && std::memcmp(logits.data(), expected.data(), n * sizeof(float)) == 0;
        const std::string where = std::string(" threads behind ") + std::to_string(prompt) + " tokens: " + cache.name;
        check(equal, (std::string(path) + ": the same bits on " + way.name + where).c_str());
    }
}

} // namespace

void any_number_of_threads(const char * path, bool most) {
    llama_model_params params = llama_model_default_params();
    params.load_mode          = LLAMA_LOAD_MODE_NONE;
    llama_model_ptr model(llama_model_load_from_file(path, params));
    if (!model) throw std::runtime_error(std::string("could not load ") + path);
    const int32_t head = llama_model_n_embd(model.get()) / llama_model_n_head(model.get());

    for (const Cache & cache : { Cache{ "flash attention, f16", LLAMA_FLASH_ATTN_TYPE_ENABLED, GGML_TYPE_F16, false },
                                 Cache{ "flash attention, f32", LLAMA_FLASH_ATTN_TYPE_ENABLED, GGML_TYPE_F32, false },
                                 Cache{ "flash attention, q8_0", LLAMA_FLASH_ATTN_TYPE_ENABLED, GGML_TYPE_Q8_0, true },
                                 Cache{ "f16", LLAMA_FLASH_ATTN_TYPE_DISABLED, GGML_TYPE_F16, true },
                                 Cache{ "f32", LLAMA_FLASH_ATTN_TYPE_DISABLED, GGML_TYPE_F32, true } }) {
        if (head % ggml_blck_size(cache.type) != 0) continue; // the engine refuses it
        same_on_any_number(model.get(), path, cache, 600, most);
        if (most) same_on_any_number(model.get(), path, cache, 2000, cache.type == GGML_TYPE_F16);
    }
}
