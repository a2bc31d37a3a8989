#pragma once

#include "rows.h"

#include <llama.h>

#include <algorithm>
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

// A row of logits to choose from, and the memory to do it in, which is used again for the next row. The row is only read, because samples
// that begin together share it, and has to stay; a block of it is copied where a logit changes. Of equal logits the one with the lower
// token id counts as more probable. One thread at a time.
class Logits {
public:
    void read(const float * row, size_t n);

    // The same logits, and room for others in the place of some: nothing that was read is read again.
    void read(const Logits & other);

    // Takes another logit, finite or -infinity, for a token. What is cut, drawn or most probable follows.
    void change(llama_token token, float logit);

    // Infinite or not a number: there is none.
    bool finite() const { return is_finite; }

    float max() const { return maximum; }
    float logit(llama_token token) const { return block_at((size_t)token / BLOCK)[(size_t)token % BLOCK]; }
    const float * data() const { return row; } // without changes
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

    size_t size_of(size_t block) const { return std::min(BLOCK, n - block * BLOCK); }
    const float * block_at(size_t block) const {
        return copies.empty() || copy_of[block] < 0 ? row + block * BLOCK : copies.data() + (size_t)copy_of[block] * BLOCK;
    }
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
    double all        = 0.0;      // of the row's probabilities, relative to the most probable token's; 0 until it is asked for
    std::vector<float> maxima;    // of each block
    std::vector<float> sums;      // of each block, for the temperature asked for last
    std::vector<float> copies;    // of the blocks with a changed logit
    std::vector<int32_t> copy_of; // of each block the place among the copies, or -1; filled with the first change
    std::vector<float> scratch;
    std::vector<Candidate> candidates;
};
