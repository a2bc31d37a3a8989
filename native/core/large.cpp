#include "large.h"

#ifdef __linux__

#    include "threads.h"

#    include <sys/mman.h>

#    include <algorithm>
#    include <cinttypes>
#    include <cstdio>
#    include <cstring>
#    include <fstream>
#    include <string>

static constexpr uintptr_t LARGE = uintptr_t(2) << 20; // as the system makes them of its pages of 4 kB
static constexpr uintptr_t LEAST = 32 * LARGE;         // below, a step takes no time that matters
static constexpr double PART     = 0.02;               // of the time of steps: several rows gain a tenth only
static constexpr double TOO_LONG = 0.05;               // seconds on a core for one page: the system moves others out of its way
static constexpr size_t REFUSED  = 8;                  // in a row: it has none
static constexpr int COLLAPSE    = 25;                 // MADV_COLLAPSE, which older headers lack

std::vector<LargePages::Range> LargePages::of_process() {
    std::vector<Range> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        uintptr_t begin = 0, end = 0;
        uint64_t inode = 0;
        char access[5] = "";
        if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNu64, &begin, &end, access, &inode) == 4 &&
            std::strcmp(access, "rw-p") == 0 && inode == 0 && line.find('[') == std::string::npos)
            found.push_back({ begin, end });
    }
    return found;
}

std::vector<LargePages::Range> LargePages::since(const std::vector<Range> & before) {
    std::vector<Range> found;
    const auto add = [&](uintptr_t begin, uintptr_t end) {
        const Range whole = { (begin + LARGE - 1) / LARGE * LARGE, end / LARGE * LARGE };
        if (whole.begin + LEAST <= whole.end) found.push_back(whole);
    };
    for (const Range & range : of_process()) { // two that touch are one to the system, of which a part is old
        uintptr_t from = range.begin;
        for (const Range & old : before) {
            if (old.end <= from || old.begin >= range.end) continue;
            add(from, std::max(from, old.begin));
            from = old.end;
        }
        add(from, std::max(from, range.end));
    }
    return found;
}

void LargePages::used(std::chrono::nanoseconds step) {
    const std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
    if (!lock || ranges.empty()) return;
    due += std::chrono::duration_cast<std::chrono::nanoseconds>(step * PART);
    while (due.count() > 0 && !ranges.empty()) {
        const Stopwatch watch;
        merge_next();
        const Spent spent = watch.spent();
        due -= std::chrono::nanoseconds((int64_t)(spent.wall * 1e9));
        if (refused >= REFUSED || spent.on_core > TOO_LONG) ranges.clear();
    }
}

void LargePages::merge_next() {
    Range & last = ranges.back();
    last.end -= LARGE;
    if (madvise((void *)last.end, LARGE, COLLAPSE) == 0) {
        merged++;
        refused = 0;
    } else {
        refused++;
    }
    if (last.begin == last.end) ranges.pop_back();
}

#else

std::vector<LargePages::Range> LargePages::of_process() { return {}; }
std::vector<LargePages::Range> LargePages::since(const std::vector<Range> &) { return {}; }
void LargePages::used(std::chrono::nanoseconds) {}

#endif
