#pragma once

#include "mappings.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// What is done ahead of loading, on a thread of its own. Linux; elsewhere nothing is done, and loading is correct without, only slower.

// Has the system read files from their beginning to their end while it lives, so that whoever needs their pages, in whatever order and with
// whatever else to do, finds them in memory or on their way there.
class ReadAhead {
public:
    explicit ReadAhead(std::vector<std::string> paths);
    ~ReadAhead();

    ReadAhead(const ReadAhead &)             = delete;
    ReadAhead & operator=(const ReadAhead &) = delete;

    // Returns once so many bytes, counted through all files, have been asked of the system, or no more will be.
    void wait_for(uint64_t bytes);

#ifdef __linux__
private:
    std::atomic<bool> enough{ false };
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t asked = 0;
    bool ended     = false;
    std::thread reader; // last: it uses the above
#endif
};

// Has the system supply memory before it is written: for a page that is not there it stops whoever writes, as long as writing takes.
class MemoryAhead {
public:
    // `bytes` are about to be taken, and all of them will be written.
    explicit MemoryAhead(uint64_t bytes);
    ~MemoryAhead();

    MemoryAhead(const MemoryAhead &)             = delete;
    MemoryAhead & operator=(const MemoryAhead &) = delete;

    // They have been taken. False, and nothing is done, where they cannot be told from what else was taken meanwhile.
    bool begin();

#ifdef __linux__
private:
    uint64_t bytes;
    std::vector<Mapping> before;
    std::atomic<bool> enough{ false };
    std::thread supplier; // last: it uses the above
#endif
};
