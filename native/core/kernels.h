#pragma once

#include <ggml-backend.h>

// Memory in which the CPU backend rearranges matrices of this type and size for faster kernels; null where it has none for them, or where
// they are `columns` by `rows` of a shape that these kernels do not know. On any thread; a CPU backend has to be loaded.
ggml_backend_buffer_type_t rearranging_memory(ggml_type type, int64_t columns, int64_t rows);

// Whether the device multiplies with a matrix that lies in memory of this kind (llama.cpp's weight_buft_supported).
bool multiplies(ggml_backend_dev_t device, ggml_backend_buffer_type_t memory, ggml_type type, int64_t columns, int64_t rows);
