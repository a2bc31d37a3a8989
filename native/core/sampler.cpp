#include "sampler.h"

#include "error.h"
#include "log.h"

#include <algorithm>
#include <cmath>

static llama_sampler_ptr make_chain(const llama_vocab * vocab, const SamplerParams & params, int32_t max_tokens) {
    llama_sampler_ptr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
    const auto add = [&](llama_sampler * sampler) { llama_sampler_chain_add(chain.get(), sampler); };

    if (params.repeat_penalty != 1.0f || params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f) {
        add(llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), std::max(1, max_tokens), params.repeat_penalty,
                                         params.frequency_penalty, params.presence_penalty));
    }
    if (params.temperature <= 0.0f) {
        add(llama_sampler_init_greedy());
        return chain;
    }

    if (params.top_k > 0) add(llama_sampler_init_top_k(params.top_k));
    if (params.top_p < 1.0f) add(llama_sampler_init_top_p(params.top_p, 1));
    if (params.min_p > 0.0f) add(llama_sampler_init_min_p(params.min_p, 1));
    add(llama_sampler_init_temp(params.temperature));
    add(llama_sampler_init_dist(params.seed));
    return chain;
}

static llama_sampler_ptr make_grammar(const llama_vocab * vocab, const std::string & text) {
    if (text.empty()) return nullptr;
    LogCapture log;
    llama_sampler_ptr grammar(llama_sampler_init_grammar(vocab, text.c_str(), "root"));
    if (!grammar) {
        throw CodedError("ERR_GRAMMAR", "Expected a GBNF grammar with a rule `root`, got one that llama.cpp cannot parse" +
                                            (log.errors().empty() ? "" : ": " + log.errors()));
    }
    return grammar;
}

Sampler::Sampler(const llama_vocab * vocab, const SamplerParams & params, int32_t max_tokens)
    : vocab(vocab), n_vocab(llama_vocab_n_tokens(vocab)), logit_bias(params.logit_bias), chain(make_chain(vocab, params, max_tokens)),
      grammar(make_grammar(vocab, params.grammar)) {}

llama_token Sampler::sample(const float * logits, std::vector<llama_token_data> & scratch) {
    // Checking one token against the grammar is far cheaper than filtering the whole vocabulary, and most tokens pass.
    llama_token token = pick(logits, scratch, false);
    if (grammar && !allowed(token)) token = pick(logits, scratch, true);

    llama_sampler_accept(chain.get(), token);
    if (grammar && !llama_vocab_is_eog(vocab, token)) llama_sampler_accept(grammar.get(), token);
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
        llama_sampler_apply(grammar.get(), &candidates);
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

bool Sampler::allowed(llama_token token) {
    llama_token_data one        = { token, 1.0f, 0.0f };
    llama_token_data_array only = { &one, 1, -1, false };
    llama_sampler_apply(grammar.get(), &only);
    return std::isfinite(one.logit);
}
