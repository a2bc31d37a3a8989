// For processors with AVX-512 (BW, DQ, VL): servers since 2017.
#include "avx512.h"

namespace {
using V = Avx512;
} // namespace

#include "products.inl"

const Instructions avx512 = INSTRUCTIONS("AVX-512", nullptr);
