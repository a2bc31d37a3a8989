#pragma once

#include <cstdint>

#include <immintrin.h>

namespace {

struct Avx512 {
    using Words  = __m512i;
    using Floats = __m512;

    static constexpr int parts    = 1; // of eight columns
    static constexpr int quarters = 2; // of 128 weights

    static Words none() { return _mm512_setzero_si512(); }
    static Floats zero() { return _mm512_setzero_ps(); }
    static Words load(const void * from) { return _mm512_loadu_si512(from); }
    static Words broadcast(const void * from) { return _mm512_set1_epi64(*(const long long *)from); }
    static Words low(Words x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
    static Words high(Words x) { return low(_mm512_srli_epi16(x, 4)); }
    static Words maddubs(Words a, Words b) { return _mm512_maddubs_epi16(a, b); }
    static Words madd(Words a, Words b) { return _mm512_madd_epi16(a, b); }
    static Words add32(Words a, Words b) { return _mm512_add_epi32(a, b); }
    static Floats floats(Words x) { return _mm512_cvtepi32_ps(x); }
    static Floats all(float x) { return _mm512_set1_ps(x); }
    static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
    static Floats fmadd(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
    static Floats fnmadd(Floats a, Floats b, Floats c) { return _mm512_fnmadd_ps(a, b, c); }

    // Adds products of 32 weights of each column with 32 numbers of a row: of 8 bytes in every vector.
    static Words add_dot(Words sum, const Words * weights, const int8_t * row, Words scale) {
        const auto times  = [&](int i) { return maddubs(weights[i], broadcast(row + 8 * i)); };
        const Words words = _mm512_add_epi16(_mm512_add_epi16(times(0), times(1)), _mm512_add_epi16(times(2), times(3)));
        return add32(sum, madd(words, scale));
    }
    // A byte for each of eight columns to four words for each.
    static Words scales(uint64_t columns, int) {
        const __m512i words = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128((long long)columns));
        return _mm512_shuffle_epi8(words, _mm512_set_epi64(0x8008800880088008, 0x8000800080008000, 0x8008800880088008, 0x8000800080008000,
                                                           0x8008800880088008, 0x8000800080008000, 0x8008800880088008, 0x8000800080008000));
    }
    // Four words for each column: its minima in four sub-blocks.
    static Words minima(const uint64_t * columns, int) {
        const auto of   = [&](int i) { return _mm_cvtsi64_si128((long long)columns[i]); };
        const __m128i a = _mm_unpacklo_epi8(of(0), of(1)), b = _mm_unpacklo_epi8(of(2), of(3));
        return _mm512_cvtepu8_epi16(_mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b)));
    }
    // 128 bytes of each of eight columns to eight bytes of each in turn.
    static void interleave(const uint8_t * const * columns, uint8_t * to) {
        for (int half = 0; half < 2; half++) {
            __m512i even[4], odd[4]; // of two columns in turn: words 0, 2, 4, 6 and 1, 3, 5, 7 of eight bytes
            for (int i = 0; i < 4; i++) {
                const __m512i a = load(columns[2 * i] + 64 * half), b = load(columns[2 * i + 1] + 64 * half);
                even[i] = _mm512_unpacklo_epi64(a, b);
                odd[i]  = _mm512_unpackhi_epi64(a, b);
            }
            store_transposed(even, to + 512 * half);
            store_transposed(odd, to + 512 * half + 64);
        }
    }
    // Quarters of four vectors: first ones together, then second ones, each 128 bytes behind the one before.
    static void store_transposed(const __m512i * x, uint8_t * to) {
        const __m512i a = _mm512_shuffle_i64x2(x[0], x[1], 0x44), b = _mm512_shuffle_i64x2(x[2], x[3], 0x44);
        const __m512i c = _mm512_shuffle_i64x2(x[0], x[1], 0xEE), d = _mm512_shuffle_i64x2(x[2], x[3], 0xEE);
        _mm512_store_si512(to, _mm512_shuffle_i64x2(a, b, 0x88));
        _mm512_store_si512(to + 128, _mm512_shuffle_i64x2(a, b, 0xDD));
        _mm512_store_si512(to + 256, _mm512_shuffle_i64x2(c, d, 0x88));
        _mm512_store_si512(to + 384, _mm512_shuffle_i64x2(c, d, 0xDD));
    }
    // A number for each of eight columns to two for each.
    static Floats pairs(const uint16_t * halves, int) {
        const __m256 eight = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves));
        return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7), _mm512_castps256_ps512(eight));
    }
    // Adds up two and two.
    static void store_pairs(float * to, Floats x) {
        const __m512 sums  = _mm512_add_ps(x, _mm512_permute_ps(x, 0xB1));
        const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
        _mm256_storeu_ps(to, _mm512_castps512_ps256(_mm512_permutexvar_ps(even, sums)));
    }

    static void unpack_q6(const uint8_t * low_bits, const uint8_t * high_bits, Words * weights) {
        const __m256i h     = _mm256_loadu_si256((const __m256i *)high_bits);
        const __m512i both  = _mm512_inserti64x4(_mm512_castsi256_si512(h), _mm256_srli_epi16(h, 2), 1);
        const __m512i bytes = load(low_bits), two = _mm512_set1_epi8(0x30);
        weights[0] = _mm512_or_si512(low(bytes), _mm512_and_si512(_mm512_slli_epi16(both, 4), two));
        weights[1] = _mm512_or_si512(high(bytes), _mm512_and_si512(both, two));
    }
    // Scales of eight groups of 16, twice, to those of groups 4i to 4i + 3.
    static Words scales_of_16(__m256i scales, int i) {
        const __m512i four = _mm512_set_epi64(0x0706070607060706, 0x0706070607060706, 0x0504050405040504, 0x0504050405040504,
                                              0x0302030203020302, 0x0302030203020302, 0x0100010001000100, 0x0100010001000100);
        return _mm512_shuffle_epi8(_mm512_broadcast_i64x4(scales), _mm512_add_epi8(four, _mm512_set1_epi8((char)(8 * i))));
    }
    static __m256i eight(Words x) { return _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1)); }
};

} // namespace
