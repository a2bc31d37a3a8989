# Windows x64, by mingw-w64 (Debian, Ubuntu: g++-mingw-w64-x86-64-posix; Fedora: mingw64-gcc-c++).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
# std::thread needs the variant with POSIX threads, which Debian keeps beside the other.
find_program(MEDITRON_CROSS_CC NAMES x86_64-w64-mingw32-gcc-posix x86_64-w64-mingw32-gcc REQUIRED)
find_program(MEDITRON_CROSS_CXX NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++ REQUIRED)
set(CMAKE_C_COMPILER "${MEDITRON_CROSS_CC}")
set(CMAKE_CXX_COMPILER "${MEDITRON_CROSS_CXX}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
