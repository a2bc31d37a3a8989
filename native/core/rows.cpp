#include "rows.h"

#include <cmath>
#include <cstdint>
#include <cstring>

// Compiled with -ffp-contract=off, so that results do not depend on whether there is a fused product, and -fno-trapping-math, without
// which GCC does not make vectors of a choice between two values.

#if defined(__x86_64__) && defined(__GNUC__)
#    define MEDITRON_X86 1
#endif

#if defined(__GNUC__)
#    define INLINE static inline __attribute__((always_inline)) // into functions for other instruction sets too
#else
#    define INLINE static inline
#endif

// 2^x for x <= 0: the whole part goes to the exponent, a polynomial (minimax, relative error 2e-9) takes the rest in [-0.5, 0.5].
INLINE float power_of_two(float x) {
    const float low      = -125.0f;
    const float to_whole = 12582912.0f; // 1.5 * 2^23: the last bit of a sum with it is worth 1
    const float within   = x > low ? x : low;
    const float moved    = within + to_whole;
    const float rest     = within - (moved - to_whole);

    float power = 1.5353309573e-4f;
    power       = power * rest + 1.3398939045e-3f;
    power       = power * rest + 9.6184378490e-3f;
    power       = power * rest + 5.5503323674e-2f;
    power       = power * rest + 2.4022647738e-1f;
    power       = power * rest + 6.9314718246e-1f;
    power       = power * rest + 1.0f;

    uint32_t exponent, bits;
    std::memcpy(&exponent, &moved, sizeof(exponent));
    std::memcpy(&bits, &power, sizeof(bits));
    bits += exponent << 23;
    std::memcpy(&power, &bits, sizeof(bits));
    return x > low ? power : 0.0f;
}

INLINE float larger(float a, float b) { return a > b ? a : b; }

// Not zero in the highest bit: a logit is infinite or not a number.
INLINE uint32_t infinite(const float * block) {
    uint32_t any = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t bits;
        std::memcpy(&bits, block + i, sizeof(bits));
        any |= (bits & 0x7f800000u) + 0x00800000u;
    }
    return any;
}

INLINE float maximum(const float * block) {
    float left[BLOCK / 2];
    for (size_t i = 0; i < BLOCK / 2; i++) left[i] = larger(block[i], block[i + BLOCK / 2]);
    for (size_t half = BLOCK / 4; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) left[i] = larger(left[i], left[i + half]);
    return left[0];
}

INLINE float sum(const float * block, float max, float scale) {
    float left[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) left[i] = power_of_two((block[i] - max) * scale);
    for (size_t half = BLOCK / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) left[i] += left[i + half];
    return left[0];
}

INLINE bool maxima(const float * row, size_t n, float * of_block) {
    uint32_t any       = 0;
    const size_t whole = n / BLOCK;
    for (size_t b = 0; b < whole; b++) {
        any |= infinite(row + b * BLOCK);
        of_block[b] = maximum(row + b * BLOCK);
    }
    if (whole * BLOCK < n) {
        float last[BLOCK];
        for (size_t i = 0; i < BLOCK; i++) last[i] = row[whole * BLOCK + i < n ? whole * BLOCK + i : n - 1];
        any |= infinite(last);
        of_block[whole] = maximum(last);
    }
    return !(any & 0x80000000u);
}

INLINE void sums(const float * row, size_t n, float max, float scale, float * of_block) {
    const size_t whole = n / BLOCK;
    for (size_t b = 0; b < whole; b++) of_block[b] = sum(row + b * BLOCK, max, scale);
    if (whole * BLOCK < n) {
        float last[BLOCK];
        for (size_t i = 0; i < BLOCK; i++) last[i] = whole * BLOCK + i < n ? row[whole * BLOCK + i] : -INFINITY;
        of_block[whole] = sum(last, max, scale);
    }
}

#define PASSES(NAME, ATTRIBUTES)                                                                                                           \
    ATTRIBUTES static bool maxima_##NAME(const float * row, size_t n, float * of_block) { return maxima(row, n, of_block); }               \
    ATTRIBUTES static void sums_##NAME(const float * row, size_t n, float max, float scale, float * of_block) {                            \
        sums(row, n, max, scale, of_block);                                                                                                \
    }                                                                                                                                      \
    static const RowPasses passes_##NAME = { #NAME, maxima_##NAME, sums_##NAME };

PASSES(any, )
#if MEDITRON_X86
PASSES(avx2, __attribute__((target("avx2"))))
PASSES(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))))
#endif

std::vector<RowPasses> all_row_passes() {
    std::vector<RowPasses> all = { passes_any };
#if MEDITRON_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) all.push_back(passes_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        all.push_back(passes_avx512);
#endif
    return all;
}

const RowPasses & row_passes() {
    static const RowPasses fastest = all_row_passes().back();
    return fastest;
}

void weigh(const float * logits, size_t n, float max, float scale, float * weights) {
    for (size_t i = 0; i < n; i++) weights[i] = power_of_two((logits[i] - max) * scale);
}
