#include "stream.h"

#ifdef __linux__

#    include <fcntl.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>

#    include <algorithm>
#    include <system_error>

#    include "mappings.h"

// Where the computation is in the file is known to about a layer, and no layer has a gigabyte.
static constexpr uint64_t BEFORE = uint64_t(1500) << 20;
static constexpr uint64_t AFTER  = uint64_t(1000) << 20;
static constexpr uint64_t PIECE  = uint64_t(8) << 20;
static constexpr uint64_t LEAST  = uint64_t(64) << 10; // of a piece: whole pages

Stream::Stream(const std::string & path, uint64_t stay) : piece(LEAST), size(0), stay(stay), before(0), after(0) {
    file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat found {};
    if (file < 0 || fstat(file, &found) != 0) return;
    const auto bytes = (uint64_t)found.st_size;
    piece            = std::min(PIECE, std::max(LEAST, bytes / 64 / LEAST * LEAST));
    size             = (bytes + piece - 1) / piece * piece;
    before           = std::min(BEFORE, size / 8);
    after            = std::min(AFTER, size / 8);
    for (const Mapping & each : mappings())
        if (each.shared && !each.writable && each.inode == (uint64_t)found.st_ino)
            mapped.push_back({ (char *)(uintptr_t)each.begin, each.offset, each.offset + (each.end - each.begin) });
    if (mapped.empty()) return;
    try {
        walker = std::thread([this] { walk(); });
    } catch (const std::system_error &) {} // correct without, only slower
}

Stream::~Stream() {
    {
        std::lock_guard<std::mutex> lock(mutex);
        closing = true;
    }
    wake.notify_one();
    if (walker.joinable()) walker.join();
    if (file >= 0) close(file);
}

void Stream::begin() {
    operations = 0;
    std::lock_guard<std::mutex> lock(mutex);
    knows    = usual > 0;
    position = walks * size;
    wake.notify_one();
}

void Stream::operation() {
    operations++;
    if (usual == 0) return;
    std::lock_guard<std::mutex> lock(mutex);
    position = walks * size + std::min(size, (uint64_t)((double)operations / (double)usual * (double)size));
    wake.notify_one();
}

void Stream::end() {
    usual = operations;
    walks++;
    std::lock_guard<std::mutex> lock(mutex);
    position = walks * size;
    knows    = true;
    wake.notify_one();
}

void Stream::walk() {
    uint64_t ahead = 0, behind = 0; // read, and let go, up to here
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
        wake.wait(lock, [&] { return closing || (knows && (ahead < position + before || behind + after < position)); });
        if (closing) return;
        const uint64_t at = position;
        lock.unlock();
        ahead = std::max(ahead, at / piece * piece);
        // What was used goes before more comes.
        for (; behind + after < at; behind += piece) {
            const uint64_t from = behind % size;
            if (from >= stay) let_go(from, from + piece);
        }
        if (ahead < at + before) {
            readahead(file, (off64_t)(ahead % size), (size_t)piece);
            ahead += piece;
        }
        lock.lock();
    }
}

void Stream::let_go(uint64_t from, uint64_t to) const {
    for (const Part & part : mapped) {
        const uint64_t begin = std::max(from, part.from), end = std::min(to, part.to);
        if (begin < end) madvise(part.address + (begin - part.from), (size_t)(end - begin), MADV_DONTNEED);
    }
    posix_fadvise(file, (off_t)from, (off_t)(to - from), POSIX_FADV_DONTNEED);
}

#else

Stream::Stream(const std::string &, uint64_t) {}
Stream::~Stream() {}
void Stream::begin() {}
void Stream::operation() {}
void Stream::end() {}

#endif
