#pragma once

#include "core.h"

#include <functional>

// A tensor of the file. Of a vector `rows` is 1.
struct Tensor {
    std::string name;
    ggml_type type;
    int64_t columns;
    int64_t rows;
};

// Whether the CPU backend would make some of these matrices faster by rearranging them: ours are as fast with the others as they are. On
// any thread; a CPU backend has to be loaded. Throws ERR_MEMORY, ERR_ADDON.
bool gains_by_rearranging(const std::vector<Tensor> & tensors);

struct LoadParams {
    std::vector<std::string> paths; // all parts of a split file in order
    int32_t gpu_layers;
    std::vector<std::string> devices; // GPUs to use, by name; none for the CPU alone
    bool mmap;
    bool whole;  // mapped weights are to be in memory, all of them: they are read ahead
    bool repack; // let the CPU backend rearrange weights for its kernels
    bool mlock;
    std::vector<Tensor> tensors; // all of them, to rearrange weights straight from the pages of the file if that can be; none: read them
};

// Told how much is loaded, 0 … 1; loading ends with ERR_ABORTED once it returns false. On the loading thread.
using LoadProgress = std::function<bool(float)>;

struct Loaded {
    SharedWeights weights;
    bool straight; // rearranged straight from the pages of the file
};

// Throws ERR_ABORTED, ERR_MODEL_LOAD, ERR_MODEL_UNSUPPORTED, ERR_NATIVE.
Loaded load_weights(const LoadParams & params, const LoadProgress & progress);
