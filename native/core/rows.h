#pragma once

#include <cstddef>
#include <vector>

// Passes over a row of logits, in blocks. Every instruction set gives the same bits: a block is added up in halves, nothing is fused,
// and there is nothing but additions, products and comparisons.
constexpr size_t BLOCK = 128;

inline size_t blocks_of(size_t n) { return (n + BLOCK - 1) / BLOCK; }

struct RowPasses {
    const char * instructions;

    // The largest logit of each block. False if any is infinite or not a number.
    bool (*maxima)(const float * row, size_t n, float * of_block);

    // The sum over each block of 2^((logit - max) * scale), with a relative error below 1e-6. No logit is above `max`.
    void (*sums)(const float * row, size_t n, float max, float scale, float * of_block);
};

// The fastest that this processor has.
const RowPasses & row_passes();

// All that this processor has.
std::vector<RowPasses> all_row_passes();

// 2^((logit - max) * scale) of each. The power is within 2 units in the last place of its argument's, and 0 below 2^-125.
void weigh(const float * logits, size_t n, float max, float scale, float * weights);
