#pragma once

#include "blocks.h"

#include <ggml.h>

#include <vector>

// How weights lie in the processor's memory, and what multiplies with them there.
struct Layout {
    ggml_type type;
    const char * memory;                // in which the CPU backend arranges them so; null: as the file has them
    int64_t columns;                    // that one product is of
    size_t bytes;                       // of a block of them
    int64_t max_rows;                   // more than these are better left to llama.cpp
    const Product * products;           // by number of rows
    Arrange arrange          = nullptr; // first, for more than MAX_ROWS rows, which then are multiplied with what it gives; null: not
    const Product * arranged = nullptr;

    bool has(const ggml_tensor * weights) const;
};

// The instructions that this processor multiplies with, the fastest first; none where it has none of ours.
std::vector<const Instructions *> all_instructions();

// Those whose products are the CPU backend's, as a trial with small matrices shows: another release of llama.cpp may arrange them
// otherwise. Throws ERR_MEMORY, ERR_ADDON.
std::vector<Layout> layouts_of(const Instructions & instructions);

// Those of the fastest instructions of this processor; none where it has none of ours. Throws ERR_MEMORY, ERR_ADDON.
const std::vector<Layout> & layouts_here();

// All that `instructions` know, whether this processor's CPU backend uses them or not.
std::vector<Layout> known_layouts(const Instructions & instructions);

// Whether products with matrices of this type and shape lose nothing where weights stay as the file has them: ours are as fast with them
// as with what the CPU backend would make of them, but for AMX, whose matrix unit takes long prompts. Throws ERR_MEMORY, ERR_ADDON.
bool as_fast_unarranged(ggml_type type, int64_t columns, int64_t rows);

// out[row * stride + column] of rows with columns `from` to `to`. More than MAX_ROWS rows need `scratch` for n_blocks blocks.
void multiply(const Layout & layout, const void * weights, const RowBlock * rows, int64_t n_rows, int n_blocks, int64_t from, int64_t to,
              float * out, size_t stride, ArrangedQ4K * scratch);
