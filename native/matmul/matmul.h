#pragma once

#include "layouts.h"

#include <ggml.h>

#include <memory>
#include <vector>

// Computes products of weights in Q4_K and Q6_K with rows instead of llama.cpp's CPU backend, from the same bytes and in its threads: one
// row after the other costs llama.cpp almost as much as the first, so that the samples of a question hardly gain from being computed
// together (ARCHITECTURE.md, "Few rows at once").
class Matmul {
public:
    // For graphs computed by at most so many threads. `instructions` are of this processor.
    Matmul(const Instructions & instructions, std::vector<Layout> layouts, int32_t n_threads);

    // With the fastest instructions of this processor; null if it has none of ours. Throws ERR_MEMORY, ERR_ADDON.
    static std::unique_ptr<Matmul> of_this_processor(int32_t n_threads);

    const char * name() const { return instructions.name; }

    // For llama.cpp (llama_context_params.cb_eval), which asks of every node of a graph, before it computes any, whether its result is
    // wanted. Never wants one, but makes nodes that are products as above ours.
    static bool ask(ggml_tensor * node, bool before, void * matmul);

    // The same for one node. Whether it is ours now.
    bool take(ggml_tensor * node);

private:
    struct Scratch {
        std::unique_ptr<RowBlock[]> rows;
        std::unique_ptr<ArrangedQ4K[]> columns;
        int32_t n_blocks = 0; // of each
    };

    static void compute(ggml_tensor * node, int thread, int n_threads, void * matmul);
    bool reserve(int32_t n_blocks);
    const Layout * layout_of(const ggml_tensor * node) const;

    const Instructions & instructions;
    std::vector<Layout> layouts;
    std::vector<Scratch> scratch; // of each thread: what is being multiplied
};
