// Products by our own kernels: against the CPU backend's, against themselves in other instructions, rows and threads, and at the ends of
// what their numbers can be.
#include "matmul.h"
#include "check.h"
#include "kernels.h"

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>

#ifdef MEDITRON_AMX_ORACLE
// llama.cpp's own, of its tree: it arranges weights, and needs no AMX for it.
void ggml_backend_amx_convert_weight(ggml_tensor * tensor, const void * data, size_t offset, size_t size);
#endif

namespace {

using Floats = std::vector<float>;

struct Matrix {
    ggml_type type;
    int64_t width, height;
    std::vector<uint8_t> packed;
    ggml_context_ptr ctx;
    ggml_backend_buffer_ptr buffer;
    ggml_tensor * tensor;
    std::unique_ptr<std::vector<char>> tiles; // as AMX has them, which this processor need not
};

ggml_context_ptr context() {
    ggml_init_params params{};
    params.mem_size = 64 * ggml_tensor_overhead() + 4 * ggml_graph_overhead();
    params.no_alloc = true;
    return ggml_context_ptr(ggml_init(params));
}

ggml_backend_dev_t cpu() { return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU); }

Floats normal(size_t n, uint32_t seed, float deviation = 1.0f) {
    std::mt19937 random(seed);
    std::normal_distribution<float> distribution(0.02f, deviation);
    Floats all(n);
    for (float & value : all) value = distribution(random);
    return all;
}

std::vector<uint8_t> pack(ggml_type type, int64_t width, int64_t height, const Floats & values) {
    std::vector<uint8_t> packed(ggml_row_size(type, width) * (size_t)height);
    ggml_quantize_chunk(type, values.data(), packed.data(), 0, height, width, nullptr);
    return packed;
}

// In the memory that the layout names.
Matrix matrix(const Layout & layout, int64_t width, int64_t height, std::vector<uint8_t> packed) {
    Matrix out{ layout.type, width, height, std::move(packed), context(), nullptr, nullptr, nullptr };
    out.tensor        = ggml_new_tensor_2d(out.ctx.get(), layout.type, width, height);
    const bool tiles  = layout.memory && std::strcmp(layout.memory, "AMX") == 0;
    const auto memory = layout.memory && !tiles ? rearranging_memory(layout.type, width, height) : ggml_backend_dev_buffer_type(cpu());
    out.buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(out.ctx.get(), memory));
    ggml_backend_buffer_set_usage(out.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    ggml_backend_tensor_set(out.tensor, out.packed.data(), 0, out.packed.size());
#ifdef MEDITRON_AMX_ORACLE
    if (tiles) {
        out.tiles         = std::make_unique<std::vector<char>>((size_t)(height / 16 * (width / BLOCK_SIZE)) * layout.bytes);
        ggml_tensor there = *out.tensor;
        there.data        = out.tiles->data();
        ggml_backend_amx_convert_weight(&there, out.packed.data(), 0, out.packed.size());
    }
#endif
    return out;
}

// By the CPU backend, or by ours where there is `matmul`.
Floats by_graph(const Matrix & weights, const Floats & rows, int32_t n_threads, Matmul * matmul, int times = 1) {
    const int64_t n_rows = (int64_t)rows.size() / weights.width;
    const auto ctx       = context();
    const auto with      = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, weights.width, n_rows);
    const auto product   = ggml_mul_mat(ctx.get(), weights.tensor, with);
    const auto graph     = ggml_new_graph(ctx.get());
    ggml_build_forward_expand(graph, product);
    const ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx.get(), ggml_backend_dev_buffer_type(cpu())));
    ggml_backend_tensor_set(with, rows.data(), 0, rows.size() * sizeof(float));
    const ggml_backend_ptr backend(ggml_backend_dev_init(cpu(), nullptr));
    const auto reg = ggml_backend_dev_backend_reg(cpu());
    ((ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads"))(backend.get(), n_threads);
    for (int i = 0; i < times; i++) {
        if (matmul) {
            check(matmul->take(product), "a product with weights of a known layout is taken");
            check(!Matmul::ask(product, true, matmul) && !Matmul::ask(product, false, matmul), "no result of a node is wanted");
        }
        ggml_backend_graph_compute(backend.get(), graph);
    }
    Floats out((size_t)(weights.height * n_rows));
    ggml_backend_tensor_get(product, out.data(), 0, out.size() * sizeof(float));
    return out;
}

// By one kernel after the other, `at_once` rows in each.
Floats by_kernel(const Instructions & instructions, const Layout & layout, const Matrix & weights, const Floats & rows, int at_once) {
    const int n_rows = (int)((int64_t)rows.size() / weights.width), n_blocks = (int)(weights.width / BLOCK_SIZE);
    const std::unique_ptr<RowBlock[]> rounded(new RowBlock[(size_t)(n_rows * n_blocks)]);
    const std::unique_ptr<ArrangedQ4K[]> scratch(new ArrangedQ4K[(size_t)n_blocks]);
    Floats out((size_t)(weights.height * n_rows), NAN);
    for (int row = 0; row < n_rows; row++) instructions.round(rows.data() + row * weights.width, n_blocks, rounded.get() + row * n_blocks);
    for (int row = 0; row < n_rows; row += at_once)
        multiply(layout, weights.tiles ? weights.tiles->data() : weights.tensor->data, rounded.get() + row * n_blocks,
                 std::min(at_once, n_rows - row), n_blocks, 0, weights.height, out.data() + (size_t)row * (size_t)weights.height,
                 (size_t)weights.height, scratch.get());
    return out;
}

double difference(const Floats & a, const Floats & b) {
    double square = 0.0, off = 0.0;
    for (size_t i = 0; i < a.size(); i++) {
        square += (double)b[i] * b[i];
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return std::sqrt(off / square);
}

bool same_bits(const Floats & a, const Floats & b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

Layout as_in_the_file(const Instructions & instructions, ggml_type type) {
    for (const Layout & layout : known_layouts(instructions))
        if (layout.type == type && !layout.memory) return layout;
    throw std::logic_error("every set of instructions multiplies with weights as the file has them");
}

bool is_tiles(const Layout & layout) { return layout.memory && std::strcmp(layout.memory, "AMX") == 0; }

// Every layout that can be had here.
void each(const std::function<void(const Instructions &, const Layout &)> & body) {
    for (const Instructions * instructions : all_instructions())
        for (const Layout & layout : known_layouts(*instructions)) {
#ifndef MEDITRON_AMX_ORACLE
            if (is_tiles(layout)) continue;
#endif
            const bool elsewhere = layout.memory && !is_tiles(layout) &&
                                   (!rearranging_memory(layout.type, 256, 32) ||
                                    std::string(ggml_backend_buft_name(rearranging_memory(layout.type, 256, 32))) != layout.memory);
            if (!elsewhere) body(*instructions, layout);
        }
}

// The CPU backend rounds rows to the same 8 bits, so that sums differ in their order alone.
void like_the_backend() {
    each([](const Instructions & instructions, const Layout & layout) {
        for (const int64_t width : { 256, 512, 1280, 11008 }) {
            const int64_t height = width == 11008 ? 32 : 96;
            const Matrix weights =
                matrix(layout, width, height, pack(layout.type, width, height, normal((size_t)(width * height), 5, 0.05f)));
            for (const int n_rows : { 1, 2, 3, 4, 5, 6, 7, 8, 13 }) {
                const Floats rows   = normal((size_t)(n_rows * width), (uint32_t)(n_rows + width));
                const Floats theirs = by_graph(weights, rows, 1, nullptr);
                check(difference(by_kernel(instructions, layout, weights, rows, n_rows), theirs) < 2e-6,
                      "products are the CPU backend's but for the order of sums");
            }
        }
    });
}

void the_same_everywhere() {
    const int64_t width = 768, height = 64;
    const int n_rows = 41;
    each([&](const Instructions & instructions, const Layout & layout) {
        const Matrix weights = matrix(layout, width, height, pack(layout.type, width, height, normal((size_t)(width * height), 6, 0.05f)));
        const Floats rows    = normal((size_t)(n_rows * width), 7);
        const Floats alone   = by_kernel(instructions, layout, weights, rows, 1);
        for (const int at_once : { 2, 3, 4, 5, 6, 7, 8, 9, 15, 17, n_rows })
            check(same_bits(by_kernel(instructions, layout, weights, rows, at_once), alone),
                  "a row's products are the same whatever rows are computed with it");
        if (is_tiles(layout)) return;
        const Instructions & slowest = *all_instructions().back();
        const Layout plain           = as_in_the_file(slowest, layout.type);
        const Matrix in_the_file     = matrix(plain, width, height, weights.packed);
        check(same_bits(by_kernel(slowest, plain, in_the_file, rows, 8), alone),
              "all instructions give the same products, with weights rearranged and as the file has them");
        Matmul matmul(instructions, { layout }, 4);
        for (const int32_t n_threads : { 1, 2, 4 })
            check(same_bits(by_graph(weights, rows, n_threads, &matmul, 3), alone),
                  "threads that share a product, and a graph that is computed again, give the same");
    });
}

// Nothing overflows where every number is as large as it can be.
void at_the_ends() {
    each([](const Instructions & instructions, const Layout & layout) {
        const int64_t width = 512, height = 32;
        for (const int scale : { 0x7F, 0x80, 0xFF }) {
            std::vector<uint8_t> packed(ggml_row_size(layout.type, width) * (size_t)height, 0xFF);
            const size_t size = ggml_type_size(layout.type), one = 0x3C00; // of a block; 1 in 16 bits
            for (size_t at = 0; at < packed.size(); at += size) {
                if (layout.type == GGML_TYPE_Q4_K) {
                    std::memcpy(&packed[at], &one, 2);
                    std::memset(&packed[at + 2], 0, 2);
                } else {
                    std::memset(&packed[at + 192], scale, 16);
                    std::memcpy(&packed[at + 208], &one, 2);
                }
            }
            const Matrix weights = matrix(layout, width, height, packed);
            Floats values((size_t)width * (size_t)height);
            ggml_get_type_traits(layout.type)->to_float(packed.data(), values.data(), (int64_t)values.size());
            Floats rows((size_t)width * 3);
            for (size_t i = 0; i < rows.size(); i++)
                rows[i] = i < (size_t)width ? 127.0f : i < (size_t)(2 * width) ? -127.0f : i % 2 ? 127.0f : -127.0f;
            const Floats ours = by_kernel(instructions, layout, weights, rows, 3);
            for (int64_t row = 0; row < 3; row++)
                for (int64_t column = 0; column < height; column++) {
                    double sum = 0.0;
                    for (int64_t i = 0; i < width; i++)
                        sum += (double)values[(size_t)(column * width + i)] * rows[(size_t)(row * width + i)];
                    check(std::abs(ours[(size_t)(row * height + column)] - sum) <= 1e-6 * std::abs(sum),
                          "the largest numbers do not overflow");
                }
        }
    });
}

void numbers_that_are_none() {
    each([](const Instructions & instructions, const Layout & layout) {
        const int64_t width = 512, height = 32;
        const Matrix weights = matrix(layout, width, height, pack(layout.type, width, height, normal((size_t)(width * height), 8)));
        for (const float bad : { NAN, INFINITY, -INFINITY, 3e38f, 1e-40f, 0.0f }) {
            Floats rows(3 * (size_t)width, 0.0f);
            for (size_t i = 0; i < (size_t)width; i++) rows[2 * (size_t)width + i] = 1.0f;
            rows[300]         = bad;
            const Floats ours = by_kernel(instructions, layout, weights, rows, 3);
            for (int64_t column = 0; column < height; column++) {
                check(std::isfinite(bad) || !std::isfinite(ours[(size_t)column]), "what is no number does not become one");
                check(!(std::abs(bad) <= 1e-30f) || ours[(size_t)column] == 0.0f, "nothing times anything is nothing");
                check(ours[(size_t)(height + column)] == 0.0f && std::isfinite(ours[(size_t)(2 * height + column)]),
                      "other rows know nothing of it");
            }
        }
    });
}

// Layouts whose products are not the CPU backend's are not used.
void wrong_products() {
    for (const Instructions * instructions : all_instructions()) {
        const auto right = layouts_of(*instructions);
        check(
            std::any_of(right.begin(), right.end(), [](const Layout & layout) { return layout.type == GGML_TYPE_Q6_K && !layout.memory; }),
            "a trial finds a layout that is as known");
        Instructions wrong = *instructions;
        for (auto & product : wrong.q6_k)
            product = [](const void *, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
                out[0 * stride] = rows[0 * (size_t)n_blocks].scale;
            };
        for (const Layout & layout : layouts_of(wrong))
            check(layout.type != GGML_TYPE_Q6_K || layout.memory, "a trial finds products that are not the backend's");
    }
}

// What else is a product stays llama.cpp's.
void left_alone() {
    if (all_instructions().empty()) return;
    const Instructions & instructions = *all_instructions().front();
    Matmul matmul(instructions, { as_in_the_file(instructions, GGML_TYPE_Q6_K) }, 1);
    const auto ctx     = context();
    const auto weights = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_Q6_K, 256, 32);
    const auto others  = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_Q8_0, 256, 32);
    const auto layers  = ggml_new_tensor_3d(ctx.get(), GGML_TYPE_Q6_K, 256, 32, 2);
    const auto rows    = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, 256, 2);
    const auto deep    = ggml_new_tensor_3d(ctx.get(), GGML_TYPE_F32, 256, 2, 2);
    const auto sum     = ggml_add(ctx.get(), rows, rows);
    const auto nowhere = ggml_mul_mat(ctx.get(), weights, rows);
    check(!matmul.take(nowhere), "nothing is taken that lies nowhere yet");
    ggml_tensor * products[] = { ggml_mul_mat(ctx.get(), others, rows), ggml_mul_mat(ctx.get(), layers, deep),
                                 ggml_mul_mat(ctx.get(), weights, deep), sum };
    const ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx.get(), ggml_backend_dev_buffer_type(cpu())));
    for (ggml_tensor * product : products) {
        const auto op = product->op;
        check(!matmul.take(product) && product->op == op, "what is not a product of rows with a known matrix is left alone");
    }
    check(matmul.take(nowhere), "the same product once it lies somewhere");
    ggml_tensor * mine = ggml_mul_mat(ctx.get(), weights, rows);
    check(!matmul.take(mine), "a product without memory for its result");
}

} // namespace

void own_products() {
    like_the_backend();
    the_same_everywhere();
    at_the_ends();
    numbers_that_are_none();
    wrong_products();
    left_alone();
}
