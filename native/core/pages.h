#pragma once

#include "mappings.h"

#include <cstdint>
#include <string>
#include <vector>

// The pages that files have in this process's memory. Linux; elsewhere none are ever found.
class FilePages {
public:
    // The files have to stay what they are, as those named through /proc/self/fd do.
    explicit FilePages(std::vector<std::string> paths);

    // Bytes of all of them; 0 where one of them is no plain file, or where nothing is known of pages.
    uint64_t size() const;

    // How many of them are mapped whole, for reading, in this process.
    size_t mapped() const;

    // Takes the pages of each mapping out of this process's memory. The system keeps them, and whoever touches one has it back.
    void let_go() const;

private:
    struct File {
        std::string path;
        uint64_t inode;
        uint64_t size;
    };

    std::vector<Mapping> whole() const; // mapped for reading in this process

    std::vector<File> files; // empty if one of them cannot be told
};
