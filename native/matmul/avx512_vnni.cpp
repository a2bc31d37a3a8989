// For processors that add up products of bytes in one instruction: servers since 2019, laptops of 2019 to 2021, those of AMD since 2022.
#include "avx512.h"

namespace {

struct V : Avx512 {
    static Words add_dot(Words sum, const Words * weights, const int8_t * row, Words scale) {
        Words dot = none();
        for (int i = 0; i < 4; i++) dot = _mm512_dpbusd_epi32(dot, weights[i], broadcast(row + 8 * i));
        return add32(sum, _mm512_mullo_epi32(dot, scale));
    }
    // A byte for each of eight columns to two numbers for each.
    static Words scales(uint64_t columns, int) {
        const __m512i numbers = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128((long long)columns));
        return _mm512_shuffle_epi32(numbers, _MM_PERM_CCAA);
    }
};

} // namespace

#include "products.inl"
#include "tiles.inl"

const Instructions avx512_vnni = INSTRUCTIONS("AVX-512 VNNI", &tiles);
