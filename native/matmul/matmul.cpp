#include "matmul.h"

#include <ggml-backend.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace {

// Rows that are rounded and multiplied with at once: they and a few columns of weights stay in a core's cache.
constexpr int64_t row_group = 32;

// What ggml keeps for an operation that somebody else computes (ggml_custom_op_params).
struct Custom {
    ggml_custom_op_t function;
    int n_tasks;
    void * userdata;
};

// Behind it: the next part of the product that a thread takes.
using Next                   = std::atomic<int32_t>;
constexpr size_t next_offset = sizeof(Custom) / sizeof(int32_t);
static_assert(sizeof(Custom) + sizeof(Next) <= GGML_MAX_OP_PARAMS && sizeof(Next) == sizeof(int32_t), "ggml has room for both");

Next & next_of(ggml_tensor * node) { return *reinterpret_cast<Next *>(node->op_params + next_offset); }

bool is_custom(const ggml_tensor * node, ggml_custom_op_t function) {
    Custom custom;
    std::memcpy(&custom, node->op_params, sizeof(custom));
    return node->op == GGML_OP_CUSTOM && custom.function == function;
}

void make_custom(ggml_tensor * node, const Custom & custom) {
    node->op = GGML_OP_CUSTOM;
    std::memcpy(node->op_params, &custom, sizeof(custom));
    new (&next_of(node)) Next(0);
}

bool is_matrix(const ggml_tensor * tensor) { return tensor->ne[2] == 1 && tensor->ne[3] == 1; }

bool is_rows(const ggml_tensor * tensor) {
    const auto buffer = tensor->view_src ? tensor->view_src->buffer : tensor->buffer;
    return tensor->type == GGML_TYPE_F32 && is_matrix(tensor) && tensor->nb[0] == sizeof(float) && buffer &&
           ggml_backend_buffer_is_host(buffer);
}

} // namespace

Matmul::Matmul(const Instructions & instructions_, std::vector<Layout> layouts_, int32_t n_threads)
    : instructions(instructions_), layouts(std::move(layouts_)), scratch((size_t)n_threads) {}

std::unique_ptr<Matmul> Matmul::of_this_processor(int32_t n_threads) {
    const auto & layouts = layouts_here();
    return layouts.empty() ? nullptr : std::make_unique<Matmul>(*all_instructions().front(), layouts, n_threads);
}

bool Matmul::ask(ggml_tensor * node, bool before, void * matmul) {
    if (before) static_cast<Matmul *>(matmul)->take(node);
    return false;
}

bool Matmul::take(ggml_tensor * node) {
    if (is_custom(node, compute)) { // of a graph that is computed again
        next_of(node) = 0;
        return true;
    }
    if (node->op != GGML_OP_MUL_MAT) return false;
    const ggml_tensor * weights = node->src[0];
    if (!is_matrix(weights) || !ggml_is_contiguous(weights) || !is_rows(node->src[1]) || !is_rows(node)) return false;
    if (!layout_of(node) || !reserve((int32_t)(weights->ne[0] / BLOCK_SIZE))) return false;
    make_custom(node, { compute, GGML_N_TASKS_MAX, this });
    return true;
}

// Null where llama.cpp computes it.
const Layout * Matmul::layout_of(const ggml_tensor * node) const {
    for (const Layout & layout : layouts)
        if (layout.has(node->src[0]) && node->ne[1] <= layout.max_rows) return &layout;
    return nullptr;
}

// False without memory: llama.cpp computes the product then.
bool Matmul::reserve(int32_t n_blocks) {
    for (Scratch & of : scratch) {
        if (of.n_blocks >= n_blocks) continue;
        std::unique_ptr<RowBlock[]> rows(new (std::nothrow) RowBlock[(size_t)n_blocks * row_group]);
        std::unique_ptr<ArrangedQ4K[]> columns(new (std::nothrow) ArrangedQ4K[(size_t)n_blocks]);
        if (!rows || !columns) return false; // nodes that are ours already keep what they need
        of = { std::move(rows), std::move(columns), n_blocks };
    }
    return true;
}

void Matmul::compute(ggml_tensor * node, int thread, int n_threads, void * matmul) {
    const Matmul & self         = *static_cast<const Matmul *>(matmul);
    const ggml_tensor * weights = node->src[0];
    const ggml_tensor * with    = node->src[1];
    const Layout & layout       = *self.layout_of(node);
    const int64_t n_blocks      = weights->ne[0] / BLOCK_SIZE;
    const int64_t n_rows        = with->ne[1];
    const int64_t n_columns     = weights->ne[1];
    const Scratch & scratch     = self.scratch[(size_t)thread];
    RowBlock * rows             = scratch.rows.get();

    // Parts are many times more than threads: one that is held up by another program leaves the rest to the others.
    const int64_t part    = std::max<int64_t>(1, n_columns / (8 * n_threads * layout.columns)) * layout.columns;
    const int64_t n_parts = (n_columns + part - 1) / part;
    int64_t rounded       = -1;
    for (;;) {
        const int64_t item  = next_of(node).fetch_add(1, std::memory_order_relaxed);
        const int64_t group = item / n_parts;
        const int64_t first = group * row_group;
        if (first >= n_rows) break;
        const int64_t count = std::min(row_group, n_rows - first);
        if (group != rounded)
            for (int64_t row = 0; row < count; row++) {
                const auto * values = (const char *)with->data + (size_t)(first + row) * with->nb[1];
                self.instructions.round((const float *)values, (int)n_blocks, rows + row * n_blocks);
            }
        rounded = group;

        const int64_t from = item % n_parts * part;
        multiply(layout, weights->data, rows, count, (int)n_blocks, from, std::min(n_columns, from + part),
                 (float *)((char *)node->data + (size_t)first * node->nb[1]), node->nb[1] / sizeof(float), scratch.columns.get());
    }
}
