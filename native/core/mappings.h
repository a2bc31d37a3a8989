#pragma once

#include <cstdint>
#include <vector>

// A part of this process's address space.
struct Mapping {
    uint64_t begin;
    uint64_t end;
    uint64_t offset = 0; // in the file
    uint64_t inode  = 0; // 0: memory of no file
    bool writable   = false;
    bool shared     = false;
    bool named      = false; // a stack or the heap, say, or a file
};

// All there are, by address. Linux; elsewhere none. They change while other threads run.
std::vector<Mapping> mappings();
