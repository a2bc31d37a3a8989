#include "ahead.h"

#ifdef __linux__

#    include <fcntl.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>

#    include <algorithm>
#    include <ctime>
#    include <system_error>
#    include <utility>

#    ifndef MADV_POPULATE_WRITE
#        define MADV_POPULATE_WRITE 23 // Linux 5.14; older ones refuse it
#    endif

static constexpr uint64_t PIECE = uint64_t(8) << 20;

ReadAhead::ReadAhead(std::vector<std::string> paths) {
    const auto read = [this, paths = std::move(paths)] {
        for (const std::string & path : paths) {
            const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
            struct stat found {};
            if (file < 0 || fstat(file, &found) != 0) found.st_size = 0;
            for (off_t at = 0; at < found.st_size && !enough; at += (off_t)PIECE) {
                readahead(file, at, PIECE);
                const std::lock_guard lock(mutex);
                asked += std::min(PIECE, (uint64_t)(found.st_size - at));
                changed.notify_all();
            }
            if (file >= 0) close(file);
        }
        const std::lock_guard lock(mutex);
        ended = true;
        changed.notify_all();
    };
    try {
        reader = std::thread(read);
    } catch (const std::system_error &) { ended = true; }
}

ReadAhead::~ReadAhead() {
    enough = true;
    if (reader.joinable()) reader.join();
}

void ReadAhead::wait_for(uint64_t bytes) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended || asked >= bytes; });
}

static bool is_plain(const Mapping & mapping) { return mapping.writable && !mapping.shared && !mapping.named && mapping.inode == 0; }

static std::vector<Mapping> plain_memory() {
    std::vector<Mapping> all = mappings();
    all.erase(std::remove_if(all.begin(), all.end(), [](const Mapping & mapping) { return !is_plain(mapping); }), all.end());
    return all;
}

// What of `after` is not in `before`; both by address. The system joins neighbours, so that a mapping may be new in part.
static std::vector<Mapping> added(const std::vector<Mapping> & before, const std::vector<Mapping> & after) {
    std::vector<Mapping> found;
    for (Mapping rest : after) {
        for (const Mapping & old : before) {
            if (old.end <= rest.begin || old.begin >= rest.end) continue;
            if (old.begin > rest.begin) {
                found.push_back(rest);
                found.back().end = old.begin;
            }
            rest.begin = std::min(old.end, rest.end);
        }
        if (rest.begin < rest.end) found.push_back(rest);
    }
    return found;
}

static bool advise(const Mapping & part, int advice) {
    return madvise((void *)(uintptr_t)part.begin, (size_t)(part.end - part.begin), advice) == 0;
}

// Large pages (2 MB) are supplied at a quarter of the cost, and a step of one row takes a fifth less time in them (bench/README); but where
// memory is in pieces, or has to come from the host of a virtual machine, one takes milliseconds.
static constexpr double DEAR = 1.5e-3 * PIECE / (2 << 20);

// Of this thread alone: on a busy machine it waits for its turn, too.
static double processor_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Of a few pages the thread would be more work than they are.
static constexpr uint64_t LEAST = 4 * PIECE;

MemoryAhead::MemoryAhead(uint64_t bytes) : bytes(bytes), before(plain_memory()) {}

bool MemoryAhead::begin() {
    std::vector<Mapping> parts = added(before, plain_memory());
    const auto size            = [](const Mapping & part) { return part.end - part.begin; };
    parts.erase(std::remove_if(parts.begin(), parts.end(), [&](const Mapping & part) { return size(part) < LEAST; }), parts.end());
    uint64_t sum = 0;
    for (const Mapping & part : parts) sum += size(part);
    // Kernels may want more than a matrix has in the file; small matrices are no part of it.
    if (sum < bytes - bytes / 4 || sum > bytes + bytes / 3) return false;
    for (const Mapping & part : parts) advise(part, MADV_HUGEPAGE);
    const auto supply = [this, parts = std::move(parts)] {
        bool large = true;
        for (const Mapping & part : parts) {
            for (uint64_t at = part.begin; at < part.end && !enough; at += PIECE) {
                const Mapping piece = { at, std::min(at + PIECE, part.end) };
                const double from   = processor_seconds();
                // Whoever has taken them may give them back, or use them otherwise, at any time: then this fails, or changes nothing.
                if (!advise(piece, MADV_POPULATE_WRITE)) return;
                if (large && processor_seconds() - from > DEAR) {
                    large = false;
                    for (const Mapping & rest : parts) advise(rest, MADV_NOHUGEPAGE);
                }
            }
        }
    };
    try {
        supplier = std::thread(supply);
    } catch (const std::system_error &) { return false; }
    return true;
}

MemoryAhead::~MemoryAhead() {
    enough = true;
    if (supplier.joinable()) supplier.join();
}

#else

ReadAhead::ReadAhead(std::vector<std::string>) {}
ReadAhead::~ReadAhead() {}
void ReadAhead::wait_for(uint64_t) {}

MemoryAhead::MemoryAhead(uint64_t) {}
MemoryAhead::~MemoryAhead() {}
bool MemoryAhead::begin() { return false; }

#endif
