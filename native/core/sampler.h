#pragma once

#include "vocabulary.h"

#include <llama-cpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// How one sample chooses its tokens: grammar and logit bias, penalties, temperature, then min-p, top-k and top-p on the tempered
// distribution, each on what the one before has left. That is vLLM's order; transformers and the OpenAI API also cut after the
// temperature. Defaults and checks are made in TypeScript; these values arrive clean.
struct SamplerParams {
    float temperature       = 0.0f; // below 1e-5 is greedy
    int32_t top_k           = 0;
    float top_p             = 1.0f;
    float min_p             = 0.0f;
    float repeat_penalty    = 1.0f;
    float frequency_penalty = 0.0f;
    float presence_penalty  = 0.0f;
    uint32_t seed           = 0;
    std::vector<llama_logit_bias> logit_bias;
    std::string grammar; // GBNF with a rule `root`, or empty
};

// One sample's own chain and random state. Built once, never edited: a new configuration is a new Sampler.
// Penalties and grammar see generated tokens only, never the prompt. Any thread, one at a time.
class Sampler {
public:
    // `max_tokens` bounds the window that the penalties look back on. A grammar allows `ends` where it is complete. Once
    // `leaving` is set, a grammar's work ends with ERR_CLOSED.
    Sampler(const Vocabulary & vocabulary, const SamplerParams & params, int32_t max_tokens, std::vector<llama_token> ends,
            std::shared_ptr<const Grammar> grammar, const std::atomic<bool> & leaving);

    // Picks a token from one row of logits and remembers it. `scratch` is reused between calls and samplers.
    llama_token sample(const float * logits, std::vector<llama_token_data> & scratch);

private:
    llama_token pick(const float * logits, std::vector<llama_token_data> & scratch, bool constrained);
    bool is_end(llama_token token) const;
    bool allowed(llama_token token);
    void forbid(std::vector<llama_token_data> & scratch);

    const Vocabulary & vocabulary;
    int32_t n_vocab;
    std::vector<llama_logit_bias> logit_bias;
    std::vector<llama_token> ends;
    llama_sampler_ptr chain;
    std::shared_ptr<const Grammar> grammar; // null without a grammar
    std::unique_ptr<GrammarState> state;
    std::vector<char> marks;
};
