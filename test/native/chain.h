#pragma once

#include "sampler.h"

#include <llama-cpp.h>

#include <vector>

// llama.cpp's own samplers for the same options, in our order: what ours are compared with.
class Chain {
public:
    Chain(const SamplerParams & params, int32_t n_vocab);

    llama_token sample(const std::vector<float> & logits);

    // The tokens that its cuts leave of a row, in its order.
    std::vector<llama_token> kept(const std::vector<float> & logits);

private:
    llama_token_data_array fill(const std::vector<float> & logits);

    std::vector<llama_logit_bias> bias;
    llama_sampler_ptr before, choice; // up to the cuts, and the choice
    std::vector<llama_token_data> candidates;
};
