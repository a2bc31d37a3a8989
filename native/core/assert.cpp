// What the C++ library's own checks call when one fails. GCC 12 has it in the library, which then is newer than llama.cpp's libraries need:
// with it here the addon loads wherever they do.

#include <cstdio>
#include <cstdlib>

namespace std {
[[noreturn]] void __glibcxx_assert_fail(const char * file, int line, const char * function, const char * condition) noexcept;

void __glibcxx_assert_fail(const char * file, int line, const char * function, const char * condition) noexcept {
    if (file && function && condition) fprintf(stderr, "%s:%d: %s: assertion '%s' failed\n", file, line, function, condition);
    abort();
}
} // namespace std
