#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

// Memory that every step reads from its beginning to its end, made of large pages while steps go on. Read from the system's small ones a
// step takes up to half as long again: a processor looks each of them up, and reads ahead in none but the one it is in. Not all at once:
// where the system has to come by large pages first, they take longer than all of the loading. Linux 6.1 or newer; elsewhere, and where the
// system has none to give, nothing is done. What is in the memory stays as it is.
class LargePages {
public:
    struct Range {
        uintptr_t begin, end;
    };

    // Memory of this process that is its own alone.
    static std::vector<Range> of_process();

    // What of it was not there before, as far as it is large.
    static std::vector<Range> since(const std::vector<Range> & before);

    // Memory that stays for as long as the object does.
    explicit LargePages(std::vector<Range> ranges_) : ranges(std::move(ranges_)) {}

    // So much has been computed with the memory, in one step. Takes a fiftieth of that at most, and one page. Several threads may call.
    void used(std::chrono::nanoseconds step);

    // Large pages that have been made.
    size_t made() const { return merged; }

private:
    void merge_next();

    std::mutex mutex; // of all below
    std::vector<Range> ranges;
    std::chrono::nanoseconds due{ 0 };
    size_t refused = 0;
    std::atomic<size_t> merged{ 0 };
};
