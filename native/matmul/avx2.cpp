// For processors since 2013 (Haswell) and 2015 (Excavator).
#include <immintrin.h>

#include <cstdint>

namespace {

struct V {
    using Words  = __m256i;
    using Floats = __m256;

    static constexpr int parts    = 2; // of eight columns
    static constexpr int quarters = 4; // of 128 weights

    static Words none() { return _mm256_setzero_si256(); }
    static Floats zero() { return _mm256_setzero_ps(); }
    static Words load(const void * from) { return _mm256_loadu_si256((const __m256i *)from); }
    static Words broadcast(const void * from) { return _mm256_set1_epi64x(*(const long long *)from); }
    static Words low(Words x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
    static Words high(Words x) { return low(_mm256_srli_epi16(x, 4)); }
    static Words maddubs(Words a, Words b) { return _mm256_maddubs_epi16(a, b); }
    static Words madd(Words a, Words b) { return _mm256_madd_epi16(a, b); }
    static Words add32(Words a, Words b) { return _mm256_add_epi32(a, b); }
    static Floats floats(Words x) { return _mm256_cvtepi32_ps(x); }
    static Floats all(float x) { return _mm256_set1_ps(x); }
    static Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
    static Floats fmadd(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
    static Floats fnmadd(Floats a, Floats b, Floats c) { return _mm256_fnmadd_ps(a, b, c); }

    // Adds products of 32 weights of each column with 32 numbers of a row: of 8 bytes in every vector.
    static Words add_dot(Words sum, const Words * weights, const int8_t * row, Words scale) {
        const auto times  = [&](int i) { return maddubs(weights[i], broadcast(row + 8 * i)); };
        const Words words = _mm256_add_epi16(_mm256_add_epi16(times(0), times(1)), _mm256_add_epi16(times(2), times(3)));
        return add32(sum, madd(words, scale));
    }
    // A byte for each of eight columns to four words for each column of the part.
    static Words scales(uint64_t columns, int part) {
        const char z = -128;
        const __m256i first =
            _mm256_setr_epi8(0, z, 0, z, 0, z, 0, z, 1, z, 1, z, 1, z, 1, z, 2, z, 2, z, 2, z, 2, z, 3, z, 3, z, 3, z, 3, z);
        return _mm256_shuffle_epi8(_mm256_set1_epi64x((long long)(columns >> (part * 32))), first);
    }
    // Four words for each column of the part: its minima in four sub-blocks.
    static Words minima(const uint64_t * columns, int part) {
        const auto of   = [&](int i) { return _mm_cvtsi64_si128((long long)(columns[i] >> (part * 32))); };
        const __m128i a = _mm_unpacklo_epi8(of(0), of(1)), b = _mm_unpacklo_epi8(of(2), of(3));
        return _mm256_cvtepu8_epi16(_mm_unpacklo_epi16(a, b));
    }
    // 128 bytes of each of eight columns to eight bytes of each in turn.
    static void interleave(const uint8_t * const * columns, uint8_t * to) {
        for (int at = 0; at < 128; at += 32) {
            for (int part = 0; part < 2; part++) {
                const auto of   = [&](int i) { return load(columns[part * 4 + i] + at); };
                const __m256i a = _mm256_unpacklo_epi64(of(0), of(1)), b = _mm256_unpacklo_epi64(of(2), of(3)); // words 0 and 2
                const __m256i c = _mm256_unpackhi_epi64(of(0), of(1)), d = _mm256_unpackhi_epi64(of(2), of(3)); // 1 and 3
                auto * out = (__m256i *)(to + at * 8 + part * 32);
                _mm256_store_si256(out, _mm256_permute2x128_si256(a, b, 0x20));
                _mm256_store_si256(out + 2, _mm256_permute2x128_si256(c, d, 0x20));
                _mm256_store_si256(out + 4, _mm256_permute2x128_si256(a, b, 0x31));
                _mm256_store_si256(out + 6, _mm256_permute2x128_si256(c, d, 0x31));
            }
        }
    }
    // A number for each of eight columns to two for each column of the part.
    static Floats pairs(const uint16_t * halves, int part) {
        const __m128 four = _mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(halves + part * 4)));
        return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(four), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
    }
    // Adds up two and two.
    static void store_pairs(float * to, Floats x) {
        const __m256 sums = _mm256_add_ps(x, _mm256_permute_ps(x, 0xB1));
        _mm_storeu_ps(to, _mm256_castps256_ps128(_mm256_permutevar8x32_ps(sums, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6))));
    }

    static void unpack_q6(const uint8_t * low_bits, const uint8_t * high_bits, Words * weights) {
        const __m256i a = load(low_bits), b = load(low_bits + 32), h = load(high_bits), two = _mm256_set1_epi8(0x30);
        weights[0] = _mm256_or_si256(low(a), _mm256_and_si256(_mm256_slli_epi16(h, 4), two));
        weights[1] = _mm256_or_si256(low(b), _mm256_and_si256(_mm256_slli_epi16(h, 2), two));
        weights[2] = _mm256_or_si256(high(a), _mm256_and_si256(h, two));
        weights[3] = _mm256_or_si256(high(b), _mm256_and_si256(_mm256_srli_epi16(h, 2), two));
    }
    // Scales of eight groups of 16, twice, to those of groups 2i and 2i + 1.
    static Words scales_of_16(__m256i scales, int i) {
        const __m256i pick = _mm256_setr_epi64x(0x0100010001000100, 0x0100010001000100, 0x0302030203020302, 0x0302030203020302);
        return _mm256_shuffle_epi8(scales, _mm256_add_epi8(pick, _mm256_set1_epi8((char)(4 * i))));
    }
    static __m256i eight(Words x) { return x; }
};

} // namespace

#include "products.inl"

const Instructions avx2 = INSTRUCTIONS("AVX2", nullptr);
