#pragma once

// Included first everywhere on Linux: GCC 12's library has a newer version of this function too, and llama.cpp's libraries do with GCC
// 11's.
__asm__(
    ".symver "
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
