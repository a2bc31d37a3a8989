// What llama.cpp's functions for AMX refer to, beside the one that arranges weights: none of it is called.
#include <cstdlib>

#define NEVER(name)                                                                                                                        \
    extern "C" __attribute__((weak)) void name() { std::abort(); }

NEVER(ggml_barrier)
NEVER(quantize_row_q8_0)
NEVER(quantize_row_q8_1)
extern "C" {
__attribute__((weak)) float ggml_table_f32_f16[1 << 16] = {};
}
