#pragma once

#include <ggml.h>

#include <vector>

// What the CPU does most of when it decodes: products of large matrices of one type with a few vectors.
struct Products {
    ggml_type type;
    bool repack; // matrices rearranged for the fastest kernels, as weights that are read are
    int32_t threads;
    size_t bytes;                 // of matrices, at least; more than the caches hold
    double seconds;               // to measure for, for each of `columns`
    std::vector<int64_t> columns; // vectors at once, one figure for each
};

// Seconds that a product of all matrices takes, per byte of matrices, for each of `columns`: the fastest of a few passes,
// because what else runs only makes them slower. On any thread; a CPU backend has to be loaded. Throws ERR_MEMORY, and ERR_NATIVE for a
// type that cannot be multiplied with.
std::vector<double> seconds_per_byte(const Products & products);

// Bytes a second that so many threads read from memory together, each over and over its part of `bytes` for so many seconds. They want
// the processor all the time. On any thread. Throws ERR_MEMORY.
double read_speed(int32_t threads, size_t bytes, double seconds);
