#pragma once

#include <cstddef>
#include <string>

// Text as Windows reads it where its encoding is not said.
struct SystemText {
    unsigned page = 0; // the number of its code page; 0 if it is not text in any that was tried
    std::u16string text;
};

// By the code page of the console's input, if asked for, and else by that of the system (ANSI). Nothing is replaced: a byte that stands for
// nothing makes it no text. On other systems no text. Any thread.
SystemText decode_by_system(const char * bytes, size_t size, bool console);
