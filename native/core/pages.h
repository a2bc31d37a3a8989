#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// The pages of files that the system keeps in memory. Linux; elsewhere none are ever found.
class FilePages {
public:
    // The files have to stay what they are, as those named through /proc/self/fd do.
    explicit FilePages(std::vector<std::string> paths);

    // Whether reading them would hardly wait for a disk, as far as many samples can tell.
    bool cached() const;

    // Bytes of all of them.
    uint64_t size() const;

    // How many of them are mapped whole, for reading, in this process.
    size_t mapped() const;

    // Takes the first so many bytes of each mapping out of this process's memory, or all there are. The system keeps them, and whoever
    // touches one has it back.
    void let_go(uint64_t bytes) const;

private:
    struct File {
        std::string path;
        uint64_t inode;
        uint64_t size;
    };

    struct Mapping {
        void * address;
        size_t size;
    };

    std::vector<Mapping> mappings() const;

    std::vector<File> files; // empty if one of them cannot be told
};
