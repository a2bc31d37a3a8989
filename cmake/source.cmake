# Builds the bundled llama.cpp tree into the addon itself: one file, no shared libraries beside it.

include("${CMAKE_CURRENT_LIST_DIR}/llama.cmake")
set(BUILD_SHARED_LIBS     OFF)
set(LLAMA_BUILD_COMMON    ${MEDITRON_KERNELS} CACHE BOOL "" FORCE)
set(GGML_BACKEND_DL       OFF CACHE BOOL "" FORCE)
set(GGML_NATIVE           OFF CACHE BOOL "tune for this processor")
set(GGML_CUDA_NCCL        OFF CACHE BOOL "" FORCE) # for several cards at once, and one library more that has to be there

if (NOT GGML_NATIVE AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    # Without tuning for this machine: what every x86-64 processor since 2013 has.
    set(GGML_SSE42 ON CACHE BOOL "")
    set(GGML_AVX   ON CACHE BOOL "")
    set(GGML_AVX2  ON CACHE BOOL "")
    set(GGML_FMA   ON CACHE BOOL "")
    set(GGML_F16C  ON CACHE BOOL "")
    set(GGML_BMI2  ON CACHE BOOL "")
endif()

if (GGML_CUDA)
    find_package(CUDAToolkit QUIET)
    if (NOT CUDAToolkit_FOUND OR NOT TARGET CUDA::cublas)
        message(FATAL_ERROR
            "A CUDA build needs the CUDA Toolkit with cuBLAS, and cuBLAS was not found. Install NVIDIA's toolkit "
            "(packages cuda-toolkit-13-0, or nvidia-cuda-toolkit on Debian and Ubuntu; on Windows the CUDA installer with "
            "\"cuBLAS Development\"), see that nvcc is on the PATH, and configure again. The prebuilt CUDA backend needs no "
            "toolkit: `npm run build` without --source.")
    endif()
endif()

if (GGML_VULKAN)
    # Headers before 1.3.272 lack two structures that llama.cpp names; the shim declares them.
    find_package(Vulkan QUIET COMPONENTS glslc)
    if (NOT Vulkan_FOUND OR NOT Vulkan_GLSLC_EXECUTABLE)
        message(FATAL_ERROR "A Vulkan build needs the Vulkan headers, loader and glslc. Install libvulkan-dev, glslc and spirv-headers "
                            "(Debian, Ubuntu), vulkan-devel and glslc (Fedora), or the Vulkan SDK.")
    endif()
    if (Vulkan_VERSION VERSION_LESS "1.3.272" AND NOT MSVC)
        add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_SOURCE_DIR}/cmake/vulkan-layer-settings.hpp>")
    endif()
endif()

add_subdirectory("${MEDITRON_LLAMA_SOURCE}" llama EXCLUDE_FROM_ALL)
target_link_libraries(meditron-llama INTERFACE llama ggml)

function(meditron_set_rpath target)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release")
endfunction()
