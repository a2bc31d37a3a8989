#pragma once

#include "rows.h"

#include <llama.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

// What is cut from a distribution, in this order, each on what the one before has left.
struct Cuts {
    float temperature = 1.0f; // divides the logits
    float min_p       = 0.0f; // keeps what is at least this fraction as probable as the most probable token
    int32_t top_k     = 0;    // keeps the k most probable; 0 keeps all
    float top_p       = 1.0f; // keeps the fewest, from the most probable on, that make up this probability; one at least
};

// A row of logits to choose from, and the memory to do it in, which is used again for the next row. The logits are only read, and have
// to stay. Of equal logits the one with the lower token id counts as more probable. One thread at a time.
class Logits {
public:
    void read(const float * row, size_t n);

    // Infinite or not a number: there is none.
    bool finite() const { return is_finite; }

    float max() const { return maximum; }
    const float * data() const { return row; }
    size_t size() const { return n; }

    llama_token most_probable() const;

    // Natural logarithm of the softmax, over all of the row, whatever is cut.
    float logprob(llama_token token);

    // The k most probable tokens, or all whose logit is finite, the most probable first.
    std::vector<llama_token> top(size_t k);

    // The token at which the probabilities that the cuts leave reach `uniform`, in [0, 1). They are added in the order of the token ids
    // where nothing is cut, otherwise from the most probable on. At least one logit is finite.
    llama_token draw(const Cuts & cuts, double uniform);

    // The tokens that the cuts leave, in no order.
    std::vector<llama_token> kept(const Cuts & cuts);

private:
    struct Candidate {
        float logit;
        float weight; // relative to the most probable token's
        llama_token token;

        bool operator<(const Candidate & other) const { // more probable
            return logit > other.logit || (logit == other.logit && token < other.token);
        }
    };

    llama_token draw_from_all(float scale, double uniform);
    void keep(const Cuts & cuts);
    void gather(float least);
    void gather_until(float temperature, const std::function<bool()> & enough);
    double weigh_candidates(float scale);
    size_t reach(double mass);
    float kth_maximum(size_t k);
    double total(float scale);

    const float * row = nullptr;
    size_t n          = 0;
    bool is_finite    = false;
    float maximum     = 0.0f;
    double all        = 0.0;   // of the row's probabilities, relative to the most probable token's; 0 until it is asked for
    std::vector<float> maxima; // of each block
    std::vector<float> sums;   // of each block, for the temperature asked for last
    std::vector<float> scratch;
    std::vector<Candidate> candidates;
};
