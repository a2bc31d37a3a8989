#pragma once

#include "logits.h"
#include "vocabulary.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
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

// Where a sampler writes what it changes of a row; reused between calls and samplers. One thread at a time.
struct SamplerScratch {
    std::vector<float> row;
    std::vector<char> marks;
    Logits changed;
};

// One sample's own options and random state. Built once, never edited: a new configuration is a new Sampler.
// Penalties and grammar see generated tokens only, never the prompt. Any thread, one at a time.
class Sampler {
public:
    // A grammar allows `ends` where it is complete. Once `leaving` is set, a grammar's work ends with ERR_CLOSED.
    Sampler(const Vocabulary & vocabulary, const SamplerParams & params, std::vector<llama_token> ends,
            std::shared_ptr<const Grammar> grammar, const std::atomic<bool> & leaving);

    // Picks a token from one row of finite logits and remembers it.
    llama_token sample(Logits & logits, SamplerScratch & scratch);

private:
    llama_token pick(Logits & logits, SamplerScratch & scratch, bool constrained);
    Logits & changed(const Logits & logits, SamplerScratch & scratch, bool constrained);
    bool is_end(llama_token token) const;
    bool allowed(llama_token token);
    void forbid(SamplerScratch & scratch);
    double uniform();

    const Vocabulary & vocabulary;
    std::vector<llama_logit_bias> logit_bias;
    float repeat_penalty, frequency_penalty, presence_penalty;
    bool penalizes;
    bool greedy;
    Cuts cuts;
    std::mt19937 random;
    std::unordered_map<llama_token, int32_t> counts; // of generated tokens, for the penalties
    std::vector<llama_token> ends;
    std::shared_ptr<const Grammar> grammar; // null without a grammar
    std::unique_ptr<GrammarState> state;
};
