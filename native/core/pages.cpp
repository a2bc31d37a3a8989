#include "pages.h"

#include <numeric>

#ifdef __linux__

#    include <fcntl.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>

#    include <algorithm>
#    include <cinttypes>
#    include <cstdio>
#    include <cstring>
#    include <fstream>
#    include <system_error>
#    include <utility>

FilePages::FilePages(std::vector<std::string> paths) {
    for (std::string & path : paths) {
        struct stat found {};
        if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0) {
            files.clear();
            return;
        }
        files.push_back({ std::move(path), (uint64_t)found.st_ino, (uint64_t)found.st_size });
    }
}

static constexpr uint64_t SAMPLES = 256;
static constexpr uint64_t MISSING = SAMPLES / 16; // the system drops a few now and then

// The system answers so that every page is there where the file is not this user's.
static bool is_cached(char * address, uint64_t size) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t missing    = 0;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        unsigned char state = 0;
        if (mincore(address + size / SAMPLES * i / page * page, 1, &state) != 0 || (state & 1) == 0) missing++;
    }
    return missing <= MISSING;
}

bool FilePages::cached() const {
    return !files.empty() && std::all_of(files.begin(), files.end(), [](const File & file) {
        const int opened = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
        if (opened < 0) return false;
        void * address = mmap(nullptr, (size_t)file.size, PROT_READ, MAP_SHARED, opened, 0);
        close(opened);
        if (address == MAP_FAILED) return false;
        const bool all = is_cached((char *)address, file.size);
        munmap(address, (size_t)file.size);
        return all;
    });
}

std::vector<FilePages::Mapping> FilePages::mappings() const {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    std::vector<Mapping> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        uint64_t begin = 0, end = 0, offset = 0, inode = 0;
        char access[5] = "";
        if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64, &begin, &end, access, &offset, &inode) != 5)
            continue;
        if (std::strcmp(access, "r--s") != 0 || offset != 0) continue;
        const bool ours = std::any_of(files.begin(), files.end(), [&](const File & file) {
            return file.inode == inode && end - begin == (file.size + page - 1) / page * page;
        });
        if (ours) found.push_back({ (void *)(uintptr_t)begin, (size_t)(end - begin) });
    }
    return found;
}

size_t FilePages::mapped() const { return mappings().size(); }

void FilePages::let_go(uint64_t bytes) const {
    for (const Mapping & mapping : mappings()) madvise(mapping.address, (size_t)std::min<uint64_t>(mapping.size, bytes), MADV_DONTNEED);
}

static constexpr size_t PIECE = size_t(8) << 20;

ReadAhead::ReadAhead(std::vector<std::string> paths) {
    const auto read = [this, paths = std::move(paths)] {
        for (const std::string & path : paths) {
            const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
            struct stat found {};
            if (file >= 0 && fstat(file, &found) == 0)
                for (off_t at = 0; at < found.st_size && !enough; at += (off_t)PIECE) readahead(file, at, PIECE);
            if (file >= 0) close(file);
        }
    };
    try {
        reader = std::thread(read);
    } catch (const std::system_error &) {} // correct without, only slower
}

ReadAhead::~ReadAhead() {
    enough = true;
    if (reader.joinable()) reader.join();
}

#else

ReadAhead::ReadAhead(std::vector<std::string>) {}
ReadAhead::~ReadAhead() {}

FilePages::FilePages(std::vector<std::string>) {}

bool FilePages::cached() const { return false; }

size_t FilePages::mapped() const { return 0; }

void FilePages::let_go(uint64_t) const {}

std::vector<FilePages::Mapping> FilePages::mappings() const { return {}; }

#endif

uint64_t FilePages::size() const {
    return std::accumulate(files.begin(), files.end(), (uint64_t)0, [](uint64_t sum, const File & file) { return sum + file.size; });
}
