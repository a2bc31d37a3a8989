#include "sampler.h"

#include "error.h"

#include <algorithm>
#include <cmath>

// Below it logits divided by the temperature are no numbers any more. vLLM's bound.
static constexpr float GREEDY_BELOW = 1e-5f;

static llama_sampler_ptr make_chain(const llama_vocab * vocab, const SamplerParams & params, int32_t max_tokens) {
    llama_sampler_ptr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
    const auto add = [&](llama_sampler * sampler) { llama_sampler_chain_add(chain.get(), sampler); };

    if (params.repeat_penalty != 1.0f || params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f) {
        add(llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), std::max(1, max_tokens), params.repeat_penalty,
                                         params.frequency_penalty, params.presence_penalty));
    }
    if (params.temperature < GREEDY_BELOW) {
        add(llama_sampler_init_greedy());
        return chain;
    }

    add(llama_sampler_init_temp(params.temperature));
    if (params.min_p > 0.0f) add(llama_sampler_init_min_p(params.min_p, 1));
    if (params.top_k > 0) add(llama_sampler_init_top_k(params.top_k));
    if (params.top_p < 1.0f) add(llama_sampler_init_top_p(params.top_p, 1));
    add(llama_sampler_init_dist(params.seed));
    return chain;
}

Sampler::Sampler(const Vocabulary & vocabulary_, const SamplerParams & params, int32_t max_tokens, std::vector<llama_token> ends_,
                 std::shared_ptr<const Grammar> grammar_, const std::atomic<bool> & leaving)
    : vocabulary(vocabulary_), n_vocab(llama_vocab_n_tokens(vocabulary.raw())), logit_bias(params.logit_bias), ends(std::move(ends_)),
      chain(make_chain(vocabulary.raw(), params, max_tokens)), grammar(std::move(grammar_)) {
    if (grammar) state = std::make_unique<GrammarState>(*grammar, leaving);
}

llama_token Sampler::sample(const float * logits, std::vector<llama_token_data> & scratch) {
    // Checking one token against the grammar is far cheaper than filtering the whole vocabulary, and most tokens pass.
    llama_token token = pick(logits, scratch, false);
    if (state && !allowed(token)) token = pick(logits, scratch, true);

    if (state && !is_end(token)) state->accept(token, vocabulary.piece(token));
    llama_sampler_accept(chain.get(), token);
    return token;
}

llama_token Sampler::pick(const float * logits, std::vector<llama_token_data> & scratch, bool constrained) {
    scratch.resize(n_vocab);
    for (llama_token id = 0; id < n_vocab; id++) scratch[id] = { id, logits[id], 0.0f };

    llama_token_data_array candidates = { scratch.data(), scratch.size(), -1, false };
    const auto any_left               = [&] {
        return std::any_of(scratch.begin(), scratch.end(), [](const auto & c) { return std::isfinite(c.logit); });
    };
    if (constrained) {
        forbid(scratch);
        if (!any_left()) throw CodedError("ERR_GRAMMAR", "The grammar allows no token of this vocabulary to follow what was generated");
    }
    for (const llama_logit_bias & bias : logit_bias) scratch[bias.token].logit += bias.bias;
    if (!any_left()) {
        throw CodedError("ERR_OPTION", std::string("Expected `logitBias` to leave a token to choose, it forbids every one") +
                                           (constrained ? " that the grammar allows here" : " of the vocabulary"));
    }
    llama_sampler_apply(chain.get(), &candidates);
    return candidates.data[candidates.selected].id;
}

bool Sampler::is_end(llama_token token) const { return std::find(ends.begin(), ends.end(), token) != ends.end(); }

bool Sampler::allowed(llama_token token) { return is_end(token) ? state->complete() : state->allows(token, vocabulary.piece(token)); }

void Sampler::forbid(std::vector<llama_token_data> & scratch) {
    marks.resize((size_t)n_vocab);
    state->allowed(vocabulary.pieces(), marks);
    for (const llama_token end : ends) marks[(size_t)end] = state->complete();
    for (llama_token_data & candidate : scratch)
        if (!marks[(size_t)candidate.id]) candidate.logit = -INFINITY;
}
