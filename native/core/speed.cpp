#include "speed.h"

#include "error.h"
#include "kernels.h"
#include "layouts.h"
#include "matmul.h"

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

static const int64_t width    = 4096; // of the 7B and 8B models
static const int64_t rows     = 4096;
static const int64_t distinct = 8; // rows that differ; packing more of them takes longer than measuring
static const int least_passes = 2;

static ggml_context_ptr context_for(size_t tensors) {
    ggml_init_params params{};
    params.mem_size = tensors * ggml_tensor_overhead() + ggml_graph_overhead_custom(tensors, false);
    params.no_alloc = true;
    ggml_context_ptr ctx(ggml_init(params));
    if (!ctx) throw CodedError("ERR_MEMORY", "Not enough memory to measure the speed of this machine");
    return ctx;
}

static ggml_backend_buffer_ptr allocate(ggml_context * ctx, ggml_backend_buffer_type_t type) {
    ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx, type));
    if (!buffer) throw CodedError("ERR_MEMORY", "Not enough memory to measure the speed of this machine");
    return buffer;
}

// Memory that matrices of this type are in where weights are loaded as is fastest.
static ggml_backend_buffer_type_t memory_for(ggml_backend_dev_t device, ggml_type type, bool repack) {
    if (repack && !as_fast_unarranged(type, width, rows)) return rearranging_memory(type, width, rows);
    const auto plain = ggml_backend_dev_buffer_type(device);
    if (!multiplies(device, plain, type, width, rows))
        throw CodedError("ERR_NATIVE", std::string("The CPU does not multiply with matrices of type ") + ggml_type_name(type));
    return plain;
}

// Types that rows can be packed in; ggml_quantize_chunk aborts on others.
static bool packs(ggml_type type) {
    if (type == GGML_TYPE_Q8_1 || type == GGML_TYPE_Q8_K) return false;
    return ggml_is_quantized(type) || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
}

// Rows of random numbers, packed, over and over.
static std::vector<uint8_t> packed_matrix(ggml_type type, size_t bytes) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> floats(distinct * width);
    for (float & value : floats) value = normal(random);
    const std::vector<float> importance(width, 1.0f);
    std::vector<uint8_t> out(bytes);
    const size_t size = ggml_quantize_chunk(type, floats.data(), out.data(), 0, distinct, width,
                                            ggml_quantize_requires_imatrix(type) ? importance.data() : nullptr);
    for (size_t at = size; at < bytes; at += size) std::memcpy(&out[at], out.data(), std::min(size, bytes - at));
    return out;
}

static double seconds_of(ggml_backend_t backend, ggml_cgraph * graph, Matmul * matmul) {
    for (int i = 0; matmul && i < ggml_graph_n_nodes(graph); i++) matmul->take(ggml_graph_node(graph, i));
    const auto start = std::chrono::steady_clock::now();
    if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS)
        throw CodedError("ERR_NATIVE", "The CPU could not compute a product");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<double> seconds_per_byte(const Products & products) {
    if (!packs(products.type)) throw CodedError("ERR_NATIVE", "Expected a type that matrices are packed in");
    const auto device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!device) throw CodedError("ERR_ADDON", "No CPU backend is loaded");
    ggml_backend_ptr backend(ggml_backend_dev_init(device, nullptr));
    if (!backend) throw CodedError("ERR_MEMORY", "Not enough memory to measure the speed of this machine");
    const auto reg         = ggml_backend_dev_backend_reg(device);
    const auto set_threads = (ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
    if (set_threads) set_threads(backend.get(), products.threads);

    const size_t size  = ggml_row_size(products.type, width) * rows;
    const size_t count = std::max<size_t>(1, (products.bytes + size - 1) / size);
    const auto weights = context_for(count);
    std::vector<ggml_tensor *> matrices(count);
    for (auto & matrix : matrices) matrix = ggml_new_tensor_2d(weights.get(), products.type, width, rows);
    const auto memory = allocate(weights.get(), memory_for(device, products.type, products.repack));
    ggml_backend_buffer_set_usage(memory.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    {
        const auto packed = packed_matrix(products.type, size);
        for (const auto matrix : matrices) ggml_backend_tensor_set(matrix, packed.data(), 0, size);
    }

    const auto matmul = Matmul::of_this_processor(products.threads); // as engines multiply
    std::vector<double> out;
    for (const int64_t columns : products.columns) {
        const auto ctx     = context_for(2 * count + 2);
        const auto graph   = ggml_new_graph_custom(ctx.get(), 2 * count + 2, false);
        const auto vectors = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, width, columns);
        for (const auto matrix : matrices) ggml_build_forward_expand(graph, ggml_mul_mat(ctx.get(), matrix, vectors));
        const auto buffer = allocate(ctx.get(), ggml_backend_dev_buffer_type(device));
        const std::vector<float> ones(width * columns, 1.0f);
        ggml_backend_tensor_set(vectors, ones.data(), 0, ones.size() * sizeof(float));
        double best  = seconds_of(backend.get(), graph, matmul.get()); // threads start, pages come
        double spent = best;
        for (int pass = 1; pass < least_passes || spent < products.seconds; pass++) {
            const double seconds = seconds_of(backend.get(), graph, matmul.get());
            best                 = std::min(best, seconds);
            spent += seconds;
        }
        out.push_back(best / (double)(size * count));
    }
    return out;
}

// Adds up words in eight sums, so that no addition waits for the one before it.
static uint64_t sum_of(const uint64_t * begin, const uint64_t * end) {
    uint64_t sums[8] = {};
    for (; begin + 8 <= end; begin += 8)
        for (int i = 0; i < 8; i++) sums[i] += begin[i];
    return std::accumulate(sums, sums + 8, uint64_t{ 0 });
}

double read_speed(int32_t threads, size_t bytes, double seconds) {
    const size_t part = std::max<size_t>(8, bytes / sizeof(uint64_t) / (size_t)threads);
    const std::unique_ptr<uint64_t[]> memory(new uint64_t[part * (size_t)threads]);
    std::vector<double> speeds((size_t)threads);
    std::vector<uint64_t> sums((size_t)threads);
    const auto read = [&](size_t i) {
        uint64_t * begin = &memory[i * part];
        std::fill(begin, begin + part, 1); // pages come
        const auto start = std::chrono::steady_clock::now();
        double spent     = 0;
        size_t passes    = 0;
        do {
            sums[i] = sum_of(begin, begin + part);
            spent   = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            passes++;
        } while (spent < seconds);
        speeds[i] = (double)(passes * part * sizeof(uint64_t)) / spent;
    };
    std::vector<std::thread> readers;
    for (size_t i = 0; i < (size_t)threads; i++) readers.emplace_back(read, i);
    for (auto & reader : readers) reader.join();
    for (const uint64_t sum : sums)
        if (sum != part / 8 * 8) throw CodedError("ERR_NATIVE", "Memory was not read as it was written");
    return std::accumulate(speeds.begin(), speeds.end(), 0.0);
}
