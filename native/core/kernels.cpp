#include "kernels.h"

#include "error.h"

#include <ggml-cpp.h>

bool multiplies(ggml_backend_dev_t device, ggml_backend_buffer_type_t memory, ggml_type type, int64_t columns, int64_t rows) {
    ggml_init_params params{};
    params.mem_size = 3 * ggml_tensor_overhead();
    params.no_alloc = true;
    ggml_context_ptr ctx(ggml_init(params));
    if (!ctx) throw CodedError("ERR_MEMORY", "Not enough memory to ask what the CPU multiplies with");
    ggml_backend_buffer_ptr none(ggml_backend_buft_alloc_buffer(memory, 0));
    ggml_tensor * matrix  = ggml_new_tensor_2d(ctx.get(), type, columns, rows);
    ggml_tensor * vectors = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, columns, 512);
    matrix->buffer        = none.get();
    return ggml_backend_dev_supports_op(device, ggml_mul_mat(ctx.get(), matrix, vectors));
}

ggml_backend_buffer_type_t rearranging_memory(ggml_type type, int64_t columns, int64_t rows) {
    const auto device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!device) throw CodedError("ERR_ADDON", "No CPU backend is loaded");
    const auto reg   = ggml_backend_dev_backend_reg(device);
    const auto extra = (ggml_backend_dev_get_extra_bufts_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_dev_get_extra_bufts");
    if (!extra) return nullptr;
    for (auto memory = extra(device); memory && *memory; memory++)
        if (multiplies(device, *memory, type, columns, rows)) return *memory;
    return nullptr;
}
