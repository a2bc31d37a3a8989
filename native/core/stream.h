#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// A mapped file of weights that is larger than memory. Every step walks through it from its beginning to its end. The system keeps what was
// used last, which of such walks is never what comes next: it would read the whole file again at every step, in small pieces, each when the
// computation has come to wait for it. Here a first part of the file stays; the rest is read ahead in larger pieces, and goes when it has
// been used. Linux; elsewhere nothing is done.
class Stream {
public:
    // The file, which is mapped in this process, has to stay what it is meanwhile. So many of its first bytes stay in memory.
    Stream(const std::string & path, uint64_t stay);
    ~Stream();

    Stream(const Stream &)             = delete;
    Stream & operator=(const Stream &) = delete;

    // A step begins, one of its operations is done, all of them are. On the thread that decodes.
    void begin();
    void operation();
    void end();

private:
    void walk();
    void let_go(uint64_t from, uint64_t to) const;

    struct Part {
        char * address;
        uint64_t from, to; // of the file
    };

    int file = -1;
    uint64_t piece, size; // read at once, of the whole pieces that a walk is
    uint64_t stay;
    uint64_t before, after; // of the computation: what is read ahead of it, and what it may still need
    std::vector<Part> mapped;

    uint64_t usual      = 0; // operations of a step; 0 before one has ended
    uint64_t operations = 0;
    uint64_t walks      = 0;

    std::mutex mutex; // of all below
    std::condition_variable wake;
    uint64_t position = 0; // of the computation: bytes, counted on over all walks
    bool knows        = false;
    bool closing      = false;

    std::thread walker; // last: it uses all of the above
};
