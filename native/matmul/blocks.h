#pragma once

#include <cstddef>
#include <cstdint>

// What products are computed from: 256 numbers at a time, as ggml's K-quants pack them.
constexpr int BLOCK_SIZE = 256;

// The widest product of rows that a kernel computes at once.
constexpr int MAX_ROWS = 8;

// Eight columns of weights in Q4_K, as the CPU backend rearranges them (ggml's block_q4_Kx8): eight bytes of each column in turn, and
// for each of the eight sub-blocks of 32 numbers twelve bytes with its scales and minima in every column.
struct ColumnsQ4K {
    uint16_t scale[8];
    uint16_t least[8];
    uint8_t scales[8][12];
    uint8_t quants[1024];
};
static_assert(sizeof(ColumnsQ4K) == 1152, "ggml's block_q4_Kx8");

// One column of weights in Q4_K, as the file has it (ggml's block_q4_K): eight sub-blocks of 32 numbers, two of them in the low and the
// high halves of 32 bytes, and their scales and minima packed as those of eight columns are above.
struct ColumnQ4K {
    uint16_t scale;
    uint16_t least;
    uint8_t scales[12];
    uint8_t quants[128];
};
static_assert(sizeof(ColumnQ4K) == 144, "ggml's block_q4_K");

// Eight such columns, arranged as above for products with them, their scales and minima in bytes: of eight columns for each sub-block.
struct alignas(64) ArrangedQ4K {
    uint8_t quants[1024];
    uint64_t scales[8];
    uint64_t minima[8];
    uint16_t scale[8];
    uint16_t least[8];
};

// One column of weights in Q6_K, as the file has it (ggml's block_q6_K).
struct ColumnQ6K {
    uint8_t low[128];
    uint8_t high[64];
    int8_t scales[16];
    uint16_t scale;
};
static_assert(sizeof(ColumnQ6K) == 210, "ggml's block_q6_K");

// Sixteen columns of weights in Q4_K, as the CPU backend arranges them for AMX: four numbers of each column in turn, eight of them in
// the low and the high halves of 64 bytes.
struct TilesQ4K {
    uint8_t quants[8][256];
    uint8_t scales[8][16];
    uint8_t minima[4][32]; // of two sub-blocks for each column
    uint16_t scale[16];
    uint16_t least[16];
};
static_assert(sizeof(TilesQ4K) == 2368, "llama.cpp's tile of Q4_K");

// The same of Q6_K: 16 numbers of each column, their low four bits and the high two.
struct TilesQ6K {
    uint8_t low[16][128];
    uint8_t high[16][64];
    int8_t scales[16][16];
    uint16_t scale[16];
};
static_assert(sizeof(TilesQ6K) == 3360, "llama.cpp's tile of Q6_K");

// A row that is multiplied with: rounded to 8 bits, with sums of the rounded numbers that products with offsets need.
struct alignas(64) RowBlock {
    int8_t quants[BLOCK_SIZE];
    int16_t sums_of_16[16];
    int16_t sums_of_32[8];
    float scale;
};

// Products of `rows` rows with a group of columns: out[row * stride + column]. A row of `n_blocks` blocks follows the one before it.
using Product = void (*)(const void * columns, const RowBlock * rows, int n_blocks, float * out, size_t stride);

// Arranges `n_blocks` blocks of eight columns, which follow one another.
using Arrange = void (*)(const ColumnQ4K * columns, int n_blocks, ArrangedQ4K * out);

// Of 1 to 8 rows with sixteen columns.
struct Tiles {
    Product q4_k[MAX_ROWS];
    Product q6_k[MAX_ROWS];
};

// The same numbers come out of every set of instructions, bit for bit, and for a row whatever rows it is computed with.
struct Instructions {
    const char * name;
    void (*round)(const float * values, int n_blocks, RowBlock * row);
    Product q4_k_rearranged[MAX_ROWS]; // of 1 to 8 rows, with eight columns
    Product q4_k[MAX_ROWS];            // the same, as the file has them
    Arrange arrange_q4_k;              // for more rows than that
    Product q4_k_arranged[MAX_ROWS];
    Product q6_k[MAX_ROWS]; // of 1 to 8 rows, with one column
    const Tiles * tiles;    // null: not without instructions that processors with AMX have
};

extern const Instructions avx2;
extern const Instructions avx512;
extern const Instructions avx512_vnni;
