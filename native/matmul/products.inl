// Products of rows in 8 bits with weights in 4 and 6 bits, for one set of vector instructions: the including file says which (`V`).
// Whole numbers are added up exactly within a block of 256, and only these sums are scaled, in one order: so results do not depend on the
// width of a vector, nor on how many rows are computed together.
#include "blocks.h"

#include <cstring>

#include <immintrin.h>

// Sums of rows stay in registers only where the loops over them are unrolled.
#if defined(__clang__)
#    define UNROLLED _Pragma("clang loop unroll(full)")
#else
#    define UNROLLED _Pragma("GCC unroll 40")
#endif

namespace {

inline float to_float(uint16_t half) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half))); }

// ---- rounding ----

inline float largest(__m256 x) {
    __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    y        = _mm_max_ps(y, _mm_movehl_ps(y, y));
    return _mm_cvtss_f32(_mm_max_ss(y, _mm_movehdup_ps(y)));
}

inline float sum(__m256 x) {
    __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    y        = _mm_add_ps(y, _mm_movehl_ps(y, y));
    return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}

// 16 bytes to each of two sums of 16.
inline __m256i sums_of_four(__m256i bytes) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
}

void round_row(const float * values, int n_blocks, RowBlock * row) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    for (int b = 0; b < n_blocks; b++, row++, values += BLOCK_SIZE) {
        __m256 greatest = _mm256_setzero_ps();
        __m256 zero     = _mm256_setzero_ps(); // not a number, where one of the values is not finite
        for (int i = 0; i < BLOCK_SIZE; i += 8) {
            const __m256 x = _mm256_loadu_ps(values + i);
            greatest       = _mm256_max_ps(greatest, _mm256_andnot_ps(sign, x));
            zero           = _mm256_fmadd_ps(x, _mm256_setzero_ps(), zero);
        }
        const float most     = largest(greatest);
        const bool any       = most > 1e-30f;
        const __m256 inverse = _mm256_set1_ps(any ? 127.0f / most : 0.0f);
        row->scale           = (any ? most / 127.0f : 0.0f) + sum(zero);
        for (int i = 0; i < BLOCK_SIZE; i += 32) {
            const auto whole = [&](int at) { return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i + at), inverse)); };
            const __m256i a  = _mm256_packs_epi32(whole(0), whole(8));
            const __m256i c  = _mm256_packs_epi32(whole(16), whole(24));
            const __m256i bytes =
                _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, c), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)); // back in order
            _mm256_store_si256((__m256i *)(row->quants + i), bytes);
            const __m256i fours    = sums_of_four(bytes);
            const __m256i eights   = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0xB1));
            const __m256i sixteens = _mm256_add_epi32(eights, _mm256_shuffle_epi32(eights, 0x4E));
            const int first = _mm256_extract_epi32(sixteens, 0), second = _mm256_extract_epi32(sixteens, 4);
            row->sums_of_16[i / 16]     = (int16_t)first;
            row->sums_of_16[i / 16 + 1] = (int16_t)second;
            row->sums_of_32[i / 32]     = (int16_t)(first + second);
        }
    }
}

// Weights go by once, between rows that are read again and again, which the processor's own prefetching loses sight of.
template <size_t SIZE, _mm_hint HINT> inline void prefetch(const void * at) {
    UNROLLED
    for (size_t line = 0; line < (SIZE + 63) / 64; line++) _mm_prefetch((const char *)at + line * 64, HINT);
}
constexpr size_t ahead = 3584;

// ---- Q4_K ----

// Scales and minima of a sub-block in eight columns, of six bits each.
inline void unpack(const uint8_t * packed, uint64_t & scales, uint64_t & minima) {
    uint32_t word[3];
    std::memcpy(word, packed, sizeof(word));
    const uint32_t six = 0x3f3f3f3fu, four = 0x0f0f0f0fu, two = 0x03030303u;
    const uint32_t high_scales = (word[2] & four) | (((word[0] >> 6) & two) << 4);
    const uint32_t high_minima = ((word[2] >> 4) & four) | (((word[1] >> 6) & two) << 4);
    scales                     = (word[0] & six) | (uint64_t)high_scales << 32;
    minima                     = (word[1] & six) | (uint64_t)high_minima << 32;
}

// Eight columns of four words each, side by side, to four vectors of a word of each.
inline void words_of(const __m128i * columns, __m256i * words) {
    const auto both = [&](int i) { return _mm256_set_m128i(columns[i + 4], columns[i]); };
    const __m256i a = _mm256_unpacklo_epi32(both(0), both(1)), c = _mm256_unpackhi_epi32(both(0), both(1));
    const __m256i d = _mm256_unpacklo_epi32(both(2), both(3)), e = _mm256_unpackhi_epi32(both(2), both(3));
    words[0] = _mm256_unpacklo_epi64(a, d);
    words[1] = _mm256_unpackhi_epi64(a, d);
    words[2] = _mm256_unpacklo_epi64(c, e);
    words[3] = _mm256_unpackhi_epi64(c, e);
}

// Four bytes of each of eight columns to eight bytes for each of four sub-blocks.
inline void store_bytes(uint64_t * to, __m256i of_columns) {
    const __m256i of_sub_blocks = _mm256_shuffle_epi8(
        of_columns, _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(of_sub_blocks, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

// A block of eight columns, of which one follows `n_blocks` behind the other.
inline void arrange_block(const ColumnQ4K * columns, int n_blocks, ArrangedQ4K & out) {
    __m128i heads[8];
    const uint8_t * quants[8];
    UNROLLED
    for (int i = 0; i < 8; i++) {
        heads[i]  = _mm_loadu_si128((const __m128i *)(columns + (size_t)i * n_blocks));
        quants[i] = columns[(size_t)i * n_blocks].quants;
    }
    __m256i words[4]; // scale and least, and three of packed scales and minima (see `unpack`)
    words_of(heads, words);
    const __m256i six = _mm256_set1_epi8(0x3f), four = _mm256_set1_epi8(0x0f), two = _mm256_set1_epi8(0x30);
    const auto high = [&](__m256i low, __m256i above) { // two bits of six are elsewhere
        return _mm256_or_si256(_mm256_and_si256(low, four), _mm256_and_si256(_mm256_srli_epi32(above, 2), two));
    };
    store_bytes(out.scales, _mm256_and_si256(words[1], six));
    store_bytes(out.scales + 4, high(words[3], words[1]));
    store_bytes(out.minima, _mm256_and_si256(words[2], six));
    store_bytes(out.minima + 4, high(_mm256_srli_epi32(words[3], 4), words[2]));
    const __m256i apart = _mm256_shuffle_epi8(words[0], _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8,
                                                                         9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    const __m256i scales = _mm256_permute4x64_epi64(apart, 0xD8);
    _mm_store_si128((__m128i *)out.scale, _mm256_castsi256_si128(scales));
    _mm_store_si128((__m128i *)out.least, _mm256_extracti128_si256(scales, 1));
    V::interleave(quants, out.quants);
}

void arrange(const ColumnQ4K * columns, int n_blocks, ArrangedQ4K * out) {
    for (int b = 0; b < n_blocks; b++) arrange_block(columns + b, n_blocks, out[b]);
}

// Eight columns, however they come: blocks of them are taken one after the other.
struct Rearranged {
    const ColumnsQ4K * block;
    uint64_t scales[8], minima[8];
    const uint8_t * quants;
    const uint16_t *scale, *least;

    Rearranged(const void * columns, int) : block((const ColumnsQ4K *)columns) {}

    void take() {
        prefetch<sizeof(ColumnsQ4K), _MM_HINT_T0>((const char *)block + ahead);
        for (int i = 0; i < 8; i++) unpack(block->scales[i], scales[i], minima[i]);
        quants = block->quants;
        scale  = block->scale;
        least  = block->least;
        block++;
    }
};

struct Arranged {
    const ArrangedQ4K * block;
    const uint64_t *scales, *minima;
    const uint8_t * quants;
    const uint16_t *scale, *least;

    Arranged(const void * columns, int) : block((const ArrangedQ4K *)columns) {}

    void take() {
        quants = block->quants;
        scales = block->scales;
        minima = block->minima;
        scale  = block->scale;
        least  = block->least;
        block++;
    }
};

struct OfTheFile {
    const ColumnQ4K * column;
    const char * next; // eight columns
    int n_blocks;
    ArrangedQ4K here;
    const uint64_t *scales = here.scales, *minima = here.minima;
    const uint8_t * quants = here.quants;
    const uint16_t *scale = here.scale, *least = here.least;

    OfTheFile(const void * columns, int n)
        : column((const ColumnQ4K *)columns), next((const char *)columns + 8 * (size_t)n * sizeof(ColumnQ4K)), n_blocks(n) {}

    void take() {
        prefetch<8 * sizeof(ColumnQ4K), _MM_HINT_T1>(next);
        arrange_block(column, n_blocks, here);
        column++;
        next += 8 * sizeof(ColumnQ4K);
    }
};

template <int ROWS, class Columns> void q4_k_of(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    Columns block(columns, n_blocks);
    V::Floats total[V::parts][ROWS];
    for (auto & part : total) {
        UNROLLED
        for (auto & row : part) row = V::zero();
    }
    for (int b = 0; b < n_blocks; b++) {
        block.take();
        UNROLLED
        for (int part = 0; part < V::parts; part++) {
            V::Words sums[ROWS];
            UNROLLED
            for (auto & row : sums) row = V::none();
            for (int i = 0; i < 8; i += 2) { // sub-blocks in low and in high halves of the same bytes
                const uint8_t * quants = block.quants + i * 128 + part * 32;
                const V::Words x[4]    = { V::load(quants), V::load(quants + 64), V::load(quants + 128), V::load(quants + 192) };
                const V::Words low[4]  = { V::low(x[0]), V::low(x[1]), V::low(x[2]), V::low(x[3]) };
                const V::Words first   = V::scales(block.scales[i], part);
                UNROLLED
                for (int row = 0; row < ROWS; row++)
                    sums[row] = V::add_dot(sums[row], low, rows[row * n_blocks + b].quants + i * 32, first);
                const V::Words high[4] = { V::high(x[0]), V::high(x[1]), V::high(x[2]), V::high(x[3]) };
                const V::Words second  = V::scales(block.scales[i + 1], part);
                UNROLLED
                for (int row = 0; row < ROWS; row++)
                    sums[row] = V::add_dot(sums[row], high, rows[row * n_blocks + b].quants + i * 32 + 32, second);
            }
            const V::Words first = V::minima(block.minima, part), second = V::minima(block.minima + 4, part);
            const V::Floats scale = V::pairs(block.scale, part), least = V::pairs(block.least, part);
            UNROLLED
            for (int row = 0; row < ROWS; row++) {
                const RowBlock & with = rows[row * n_blocks + b];
                const V::Words below =
                    V::add32(V::madd(first, V::broadcast(with.sums_of_32)), V::madd(second, V::broadcast(with.sums_of_32 + 4)));
                const V::Floats value = V::fnmadd(V::floats(below), least, V::mul(V::floats(sums[row]), scale));
                total[part][row]      = V::fmadd(value, V::all(with.scale), total[part][row]);
            }
        }
    }
    UNROLLED
    for (int part = 0; part < V::parts; part++) {
        UNROLLED
        for (int row = 0; row < ROWS; row++) V::store_pairs(out + (size_t)row * stride + part * 4, total[part][row]);
    }
}

template <int ROWS> void q4_k(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    q4_k_of<ROWS, OfTheFile>(columns, rows, n_blocks, out, stride);
}
template <int ROWS> void q4_k_rearranged(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    q4_k_of<ROWS, Rearranged>(columns, rows, n_blocks, out, stride);
}
template <int ROWS> void q4_k_arranged(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    q4_k_of<ROWS, Arranged>(columns, rows, n_blocks, out, stride);
}

// ---- Q6_K ----

template <int ROWS> void q6_k(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    const auto * block = (const ColumnQ6K *)columns;
    __m256 total[ROWS];
    UNROLLED
    for (auto & row : total) row = _mm256_setzero_ps();
    for (int b = 0; b < n_blocks; b++, block++) {
        prefetch<sizeof(ColumnQ6K), _MM_HINT_T0>((const char *)block + ahead);
        const __m256i scales = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)block->scales));
        V::Words sums[ROWS];
        UNROLLED
        for (auto & row : sums) row = V::none();
        UNROLLED
        for (int half = 0; half < 2; half++) {
            V::Words weights[V::quarters];
            V::unpack_q6(block->low + half * 64, block->high + half * 32, weights);
            const __m256i here =
                _mm256_broadcastsi128_si256(half == 0 ? _mm256_castsi256_si128(scales) : _mm256_extracti128_si256(scales, 1));
            UNROLLED
            for (int i = 0; i < V::quarters; i++) {
                const V::Words scale = V::scales_of_16(here, i);
                UNROLLED
                for (int row = 0; row < ROWS; row++) {
                    const int8_t * with = rows[row * n_blocks + b].quants + half * 128 + i * (128 / V::quarters);
                    sums[row]           = V::add32(sums[row], V::madd(V::maddubs(weights[i], V::load(with)), scale));
                }
            }
        }
        const float scale = to_float(block->scale);
        UNROLLED
        for (int row = 0; row < ROWS; row++) {
            const RowBlock & with = rows[row * n_blocks + b];
            const __m256i offset  = _mm256_madd_epi16(scales, _mm256_load_si256((const __m256i *)with.sums_of_16));
            const __m256i value   = _mm256_sub_epi32(V::eight(sums[row]), _mm256_slli_epi32(offset, 5)); // weights are stored with 32 more
            total[row]            = _mm256_fmadd_ps(_mm256_cvtepi32_ps(value), _mm256_set1_ps(scale * with.scale), total[row]);
        }
    }
    UNROLLED
    for (int row = 0; row < ROWS; row++) out[(size_t)row * stride] = sum(total[row]);
}

} // namespace

#define OF_ROWS(product)                                                                                                                   \
    { product<1>, product<2>, product<3>, product<4>, product<5>, product<6>, product<7>, product<8> }
#define INSTRUCTIONS(name, tiles)                                                                                                          \
    { name, round_row, OF_ROWS(q4_k_rearranged), OF_ROWS(q4_k), arrange, OF_ROWS(q4_k_arranged), OF_ROWS(q6_k), tiles }
