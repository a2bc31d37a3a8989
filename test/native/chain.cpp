#include "chain.h"

Chain::Chain(const SamplerParams & params, int32_t n_vocab)
    : bias(params.logit_bias), before(llama_sampler_chain_init(llama_sampler_chain_default_params())) {
    const auto add    = [&](llama_sampler * sampler) { llama_sampler_chain_add(before.get(), sampler); };
    const bool greedy = params.temperature < 1e-5f;
    choice.reset(greedy ? llama_sampler_init_greedy() : llama_sampler_init_dist(params.seed));
    add(llama_sampler_init_penalties(n_vocab, 100'000, params.repeat_penalty, params.frequency_penalty, params.presence_penalty));
    if (greedy) return;
    add(llama_sampler_init_temp(params.temperature));
    if (params.min_p > 0.0f) add(llama_sampler_init_min_p(params.min_p, 1));
    if (params.top_k > 0) add(llama_sampler_init_top_k(params.top_k));
    if (params.top_p < 1.0f) add(llama_sampler_init_top_p(params.top_p, 1));
}

llama_token_data_array Chain::fill(const std::vector<float> & logits) {
    candidates.resize(logits.size());
    for (size_t id = 0; id < logits.size(); id++) candidates[id] = { (llama_token)id, logits[id], 0.0f };
    for (const llama_logit_bias & one : bias) candidates[(size_t)one.token].logit += one.bias;
    llama_token_data_array array = { candidates.data(), candidates.size(), -1, false };
    llama_sampler_apply(before.get(), &array);
    return array;
}

llama_token Chain::sample(const std::vector<float> & logits) {
    llama_token_data_array array = fill(logits);
    llama_sampler_apply(choice.get(), &array);
    const llama_token token = array.data[array.selected].id;
    llama_sampler_accept(before.get(), token);
    llama_sampler_accept(choice.get(), token);
    return token;
}

std::vector<llama_token> Chain::kept(const std::vector<float> & logits) {
    const llama_token_data_array array = fill(logits);
    std::vector<llama_token> tokens;
    for (size_t i = 0; i < array.size; i++) tokens.push_back(array.data[i].id);
    return tokens;
}
