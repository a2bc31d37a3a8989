#include "layouts.h"

#include "error.h"
#include "kernels.h"

#include <ggml-alloc.h>
#include <ggml-cpp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

std::vector<const Instructions *> all_instructions() {
    std::vector<const Instructions *> all;
#if MEDITRON_X86_KERNELS
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) return all;
    all.push_back(&avx2);
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return all;
    all.insert(all.begin(), &avx512);
    if (__builtin_cpu_supports("avx512vnni")) all.insert(all.begin(), &avx512_vnni);
#endif
    return all;
}

std::vector<Layout> known_layouts(const Instructions & with) {
    const int64_t any       = std::numeric_limits<int64_t>::max();
    std::vector<Layout> all = { { GGML_TYPE_Q4_K, "CPU_REPACK", 8, sizeof(ColumnsQ4K), any, with.q4_k_rearranged },
                                { GGML_TYPE_Q4_K, nullptr, 8, 8 * sizeof(ColumnQ4K), any, with.q4_k, with.arrange_q4_k,
                                  with.q4_k_arranged },
                                { GGML_TYPE_Q6_K, nullptr, 1, sizeof(ColumnQ6K), any, with.q6_k } };
    if (with.tiles) {
        all.push_back({ GGML_TYPE_Q4_K, "AMX", 16, sizeof(TilesQ4K), MAX_ROWS, with.tiles->q4_k });
        all.push_back({ GGML_TYPE_Q6_K, "AMX", 16, sizeof(TilesQ6K), MAX_ROWS, with.tiles->q6_k });
    }
    return all;
}

bool Layout::has(const ggml_tensor * weights) const {
    if (weights->type != type || weights->ne[1] % columns != 0) return false;
    const auto buffer = weights->view_src ? weights->view_src->buffer : weights->buffer;
    if (!buffer) return false;
    return memory ? std::strcmp(ggml_backend_buft_name(ggml_backend_buffer_get_type(buffer)), memory) == 0
                  : ggml_backend_buffer_is_host(buffer);
}

void multiply(const Layout & layout, const void * weights, const RowBlock * rows, int64_t n_rows, int n_blocks, int64_t from, int64_t to,
              float * out, size_t stride, ArrangedQ4K * scratch) {
    const int64_t pieces = (n_rows + MAX_ROWS - 1) / MAX_ROWS; // of about as many rows each
    const bool arranged  = layout.arrange && pieces > 1;
    for (int64_t column = from; column < to; column += layout.columns) { // each in a core's cache while all rows pass
        const void * columns = (const char *)weights + (size_t)(column / layout.columns * n_blocks) * layout.bytes;
        if (arranged) layout.arrange((const ColumnQ4K *)columns, n_blocks, scratch);
        for (int64_t piece = 0; piece < pieces; piece++) {
            const int64_t begin = n_rows * piece / pieces, count = n_rows * (piece + 1) / pieces - begin;
            const Product product = (arranged ? layout.arranged : layout.products)[count - 1];
            product(arranged ? scratch : columns, rows + begin * n_blocks, n_blocks, out + (size_t)begin * stride + column, stride);
        }
    }
}

namespace {

constexpr int64_t width = 512, height = 64, n_rows = MAX_ROWS + 3;

ggml_context_ptr context() {
    ggml_init_params params{};
    params.mem_size = 4 * ggml_tensor_overhead() + ggml_graph_overhead();
    params.no_alloc = true;
    ggml_context_ptr ctx(ggml_init(params));
    if (!ctx) throw CodedError("ERR_MEMORY", "Not enough memory to try what the CPU multiplies with");
    return ctx;
}

ggml_backend_buffer_ptr allocate(ggml_context * ctx, ggml_backend_buffer_type_t memory) {
    ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx, memory));
    if (!buffer) throw CodedError("ERR_MEMORY", "Not enough memory to try what the CPU multiplies with");
    return buffer;
}

// Numbers from -1 to 1 without a pattern.
std::vector<float> numbers(size_t n, uint32_t state) {
    std::vector<float> all(n);
    for (float & number : all) {
        state  = state * 1664525u + 1013904223u;
        number = (float)(state >> 8) / (float)(1 << 23) - 1.0f;
    }
    return all;
}

// Whether products of a small matrix are the CPU backend's but for rounding. False too where it keeps weights otherwise.
bool agrees(const Layout & layout, const Instructions & instructions) {
    const auto device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!device) throw CodedError("ERR_ADDON", "No CPU backend is loaded");
    const auto memory = layout.memory ? rearranging_memory(layout.type, width, height) : ggml_backend_dev_buffer_type(device);
    if (!memory) return false;
    const auto of_weights = context(), of_rows = context();
    const auto weights  = ggml_new_tensor_2d(of_weights.get(), layout.type, width, height);
    const auto arranged = allocate(of_weights.get(), memory);
    if (!layout.has(weights)) return false;
    ggml_backend_buffer_set_usage(arranged.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    std::vector<uint8_t> packed(ggml_nbytes(weights));
    ggml_quantize_chunk(layout.type, numbers(width * height, 1).data(), packed.data(), 0, height, width, nullptr);
    ggml_backend_tensor_set(weights, packed.data(), 0, packed.size());

    const auto rows    = ggml_new_tensor_2d(of_rows.get(), GGML_TYPE_F32, width, n_rows);
    const auto product = ggml_mul_mat(of_rows.get(), weights, rows);
    const auto graph   = ggml_new_graph(of_rows.get());
    ggml_build_forward_expand(graph, product);
    const auto plain  = allocate(of_rows.get(), ggml_backend_dev_buffer_type(device));
    const auto values = numbers(width * n_rows, 2);
    ggml_backend_tensor_set(rows, values.data(), 0, values.size() * sizeof(float));
    const ggml_backend_ptr backend(ggml_backend_dev_init(device, nullptr));
    if (!backend || ggml_backend_graph_compute(backend.get(), graph) != GGML_STATUS_SUCCESS) return false;
    std::vector<float> theirs(height * n_rows), ours(theirs.size());
    ggml_backend_tensor_get(product, theirs.data(), 0, theirs.size() * sizeof(float));

    constexpr int n_blocks = width / BLOCK_SIZE;
    const std::unique_ptr<RowBlock[]> rounded(new RowBlock[n_blocks * n_rows]);
    const std::unique_ptr<ArrangedQ4K[]> scratch(new ArrangedQ4K[n_blocks]);
    for (int row = 0; row < n_rows; row++) instructions.round(values.data() + row * width, n_blocks, rounded.get() + row * n_blocks);
    for (const int64_t at_once : { n_rows, n_rows - MAX_ROWS }) {
        multiply(layout, weights->data, rounded.get(), at_once, n_blocks, 0, height, ours.data(), height, scratch.get());
        double square = 0.0, off = 0.0;
        for (size_t i = 0; i < (size_t)(at_once * height); i++) {
            square += (double)theirs[i] * theirs[i];
            off += ((double)ours[i] - theirs[i]) * ((double)ours[i] - theirs[i]);
        }
        if (!(std::sqrt(off / square) < 1e-4)) return false; // rounding: below 1e-6; not so where one is not a number
    }
    return true;
}

} // namespace

std::vector<Layout> layouts_of(const Instructions & instructions) {
    std::vector<Layout> all;
    for (const Layout & layout : known_layouts(instructions))
        if (agrees(layout, instructions)) all.push_back(layout);
    return all;
}

const std::vector<Layout> & layouts_here() {
    static const std::vector<Layout> layouts = [] {
        const auto all = all_instructions();
        return all.empty() ? std::vector<Layout>{} : layouts_of(*all.front()); // a millisecond, once
    }();
    return layouts;
}

bool as_fast_unarranged(ggml_type type, int64_t columns, int64_t rows) {
    const auto memory = rearranging_memory(type, columns, rows);
    if (!memory) return true;
    if (std::strcmp(ggml_backend_buft_name(memory), "CPU_REPACK") != 0) return false;
    const auto & all = layouts_here();
    return std::any_of(all.begin(), all.end(), [&](const Layout & layout) {
        return layout.type == type && !layout.memory && columns % BLOCK_SIZE == 0 && rows % layout.columns == 0;
    });
}
