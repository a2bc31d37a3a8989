# What llama.cpp is built with, as a part of the addon (source.cmake) or as the libraries of a package (libraries/).
set(GGML_OPENMP           OFF CACHE BOOL "" FORCE) # the same barrier as the prebuilt libraries, and one dependency less
set(GGML_RPC              OFF CACHE BOOL "" FORCE) # no network code in the engine
set(LLAMA_BUILD_COMMON    OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_TESTS     OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_TOOLS     OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_EXAMPLES  OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_SERVER    OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_APP       OFF CACHE BOOL "" FORCE)
set(LLAMA_OPENSSL         OFF CACHE BOOL "" FORCE)
set(LLAMA_USE_PREBUILT_UI OFF CACHE BOOL "" FORCE)
