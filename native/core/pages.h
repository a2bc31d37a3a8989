#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
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

// Has the system read files from their beginning to their end while it lives, so that whoever needs their pages, in whatever order and with
// whatever else to do, finds them in memory. Linux; elsewhere nothing is done.
class ReadAhead {
public:
    explicit ReadAhead(std::vector<std::string> paths);
    ~ReadAhead();

    ReadAhead(const ReadAhead &)             = delete;
    ReadAhead & operator=(const ReadAhead &) = delete;

private:
    std::atomic<bool> enough{ false };
    std::thread reader; // last: it uses the above
};
