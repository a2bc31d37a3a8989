// Products with weights as the CPU backend arranges them for AMX: 16 columns side by side. A row or a few leave a matrix unit mostly empty.

namespace {

// The four numbers of a row that meet those of each column.
inline __m512i four(const void * from) {
    int32_t bytes;
    std::memcpy(&bytes, from, sizeof(bytes));
    return _mm512_set1_epi32(bytes);
}

inline __m512i numbers(const void * sixteen) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)sixteen)); }
inline __m512 halves(const uint16_t * sixteen) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)sixteen)); }

template <int ROWS> void q4_k_tiles(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    const auto * block = (const TilesQ4K *)columns;
    __m512 total[ROWS];
    UNROLLED
    for (auto & row : total) row = _mm512_setzero_ps();
    for (int b = 0; b < n_blocks; b++, block++) {
        __m512i sums[ROWS];
        UNROLLED
        for (auto & row : sums) row = _mm512_setzero_si512();
        for (int i = 0; i < 8; i++) {
            __m512i weights[8]; // of four numbers in each column
            UNROLLED
            for (int j = 0; j < 4; j++) {
                const __m512i bytes = V::load(block->quants[i] + j * 64);
                weights[2 * j]      = V::low(bytes);
                weights[2 * j + 1]  = V::high(bytes);
            }
            const __m512i scale = numbers(block->scales[i]);
            UNROLLED
            for (int row = 0; row < ROWS; row++) {
                const int8_t * with = rows[row * n_blocks + b].quants + i * 32;
                __m512i dot         = _mm512_setzero_si512();
                UNROLLED
                for (int j = 0; j < 8; j++) dot = _mm512_dpbusd_epi32(dot, weights[j], four(with + 4 * j));
                sums[row] = V::add32(sums[row], _mm512_mullo_epi32(dot, scale));
            }
        }
        __m512i minima[4]; // of two sub-blocks in each column
        UNROLLED
        for (int i = 0; i < 4; i++) minima[i] = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)block->minima[i]));
        const __m512 scale = halves(block->scale), least = halves(block->least);
        UNROLLED
        for (int row = 0; row < ROWS; row++) {
            const RowBlock & with = rows[row * n_blocks + b];
            __m512i below         = _mm512_setzero_si512();
            UNROLLED
            for (int i = 0; i < 4; i++) below = _mm512_dpwssd_epi32(below, minima[i], four(with.sums_of_32 + 2 * i));
            const __m512 value = V::fnmadd(V::floats(below), least, V::mul(V::floats(sums[row]), scale));
            total[row]         = V::fmadd(value, V::all(with.scale), total[row]);
        }
    }
    UNROLLED
    for (int row = 0; row < ROWS; row++) _mm512_storeu_ps(out + (size_t)row * stride, total[row]);
}

template <int ROWS> void q6_k_tiles(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride) {
    const auto * block = (const TilesQ6K *)columns;
    const __m512i two  = _mm512_set1_epi8(0x30);
    __m512 total[ROWS];
    UNROLLED
    for (auto & row : total) row = _mm512_setzero_ps();
    for (int b = 0; b < n_blocks; b++, block++) {
        __m512i sums[ROWS];
        UNROLLED
        for (auto & row : sums) row = _mm512_setzero_si512();
        for (int i = 0; i < 16; i++) {
            const __m512i first = V::load(block->low[i]), second = V::load(block->low[i] + 64), high = V::load(block->high[i]);
            const __m512i weights[4] = { _mm512_or_si512(V::low(first), _mm512_and_si512(_mm512_slli_epi16(high, 4), two)),
                                         _mm512_or_si512(V::high(first), _mm512_and_si512(_mm512_slli_epi16(high, 2), two)),
                                         _mm512_or_si512(V::low(second), _mm512_and_si512(high, two)),
                                         _mm512_or_si512(V::high(second), _mm512_and_si512(_mm512_srli_epi16(high, 2), two)) };
            const __m512i scale      = numbers(block->scales[i]);
            UNROLLED
            for (int row = 0; row < ROWS; row++) {
                const RowBlock & with = rows[row * n_blocks + b];
                __m512i dot           = _mm512_set1_epi32(-32 * with.sums_of_16[i]); // weights are stored with 32 more
                UNROLLED
                for (int j = 0; j < 4; j++) dot = _mm512_dpbusd_epi32(dot, weights[j], four(with.quants + i * 16 + 4 * j));
                sums[row] = V::add32(sums[row], _mm512_mullo_epi32(dot, scale));
            }
        }
        const __m512 scale = halves(block->scale);
        UNROLLED
        for (int row = 0; row < ROWS; row++)
            total[row] = V::fmadd(V::mul(V::floats(sums[row]), scale), V::all(rows[row * n_blocks + b].scale), total[row]);
    }
    UNROLLED
    for (int row = 0; row < ROWS; row++) _mm512_storeu_ps(out + (size_t)row * stride, total[row]);
}

const Tiles tiles = { OF_ROWS(q4_k_tiles), OF_ROWS(q6_k_tiles) };

} // namespace
