# What bench/ measures the addon beside, on the kernels that it computes with: llama.cpp's own benchmarks, and its decode alone.

if (MEDITRON_LLAMA STREQUAL "prebuilt")
    if (WIN32)
        message(FATAL_ERROR "llama.cpp's benchmarks are not built on Windows: the package has no import library of llama-common.dll.")
    endif()
    add_library(meditron-common INTERFACE)
    target_include_directories(meditron-common SYSTEM INTERFACE "${MEDITRON_LLAMA_SOURCE}/common" "${MEDITRON_LLAMA_SOURCE}/vendor")
    target_link_libraries(meditron-common INTERFACE
        "${MEDITRON_LIBRARY_DIR}/libllama-common${CMAKE_SHARED_LIBRARY_SUFFIX}" meditron-llama Threads::Threads)
else()
    add_library(meditron-common ALIAS llama-common)
endif()

file(GLOB MEDITRON_BATCHED_BENCH "${MEDITRON_LLAMA_SOURCE}/tools/batched-bench/*.cpp")
file(GLOB MEDITRON_LLAMA_BENCH "${MEDITRON_LLAMA_SOURCE}/tools/llama-bench/*.cpp")
add_executable(llama-batched-bench ${MEDITRON_BATCHED_BENCH})
add_executable(llama-bench ${MEDITRON_LLAMA_BENCH})
foreach(tool llama-batched-bench llama-bench)
    target_link_libraries(${tool} PRIVATE meditron-common)
    meditron_set_rpath(${tool})
endforeach()

add_executable(decode-bench "${CMAKE_SOURCE_DIR}/bench/decode.cpp")
target_link_libraries(decode-bench PRIVATE meditron-llama)
target_compile_options(decode-bench PRIVATE ${MEDITRON_WARNINGS})
meditron_set_rpath(decode-bench)
