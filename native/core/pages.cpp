#include "pages.h"

#include <numeric>

#ifdef __linux__

#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>

#    include <algorithm>
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

std::vector<Mapping> FilePages::whole() const {
    const uint64_t page        = (uint64_t)sysconf(_SC_PAGESIZE);
    std::vector<Mapping> found = mappings();
    const auto is_ours         = [&](const Mapping & mapping) {
        return mapping.shared && !mapping.writable && mapping.offset == 0 &&
               std::any_of(files.begin(), files.end(), [&](const File & file) {
                   return file.inode == mapping.inode && mapping.end - mapping.begin == (file.size + page - 1) / page * page;
               });
    };
    found.erase(std::remove_if(found.begin(), found.end(), [&](const Mapping & mapping) { return !is_ours(mapping); }), found.end());
    return found;
}

size_t FilePages::mapped() const { return whole().size(); }

void FilePages::let_go() const {
    for (const Mapping & mapping : whole()) madvise((void *)(uintptr_t)mapping.begin, (size_t)(mapping.end - mapping.begin), MADV_DONTNEED);
}

#else

FilePages::FilePages(std::vector<std::string>) {}

size_t FilePages::mapped() const { return 0; }

void FilePages::let_go() const {}

std::vector<Mapping> FilePages::whole() const { return {}; }

#endif

uint64_t FilePages::size() const {
    return std::accumulate(files.begin(), files.end(), (uint64_t)0, [](uint64_t sum, const File & file) { return sum + file.size; });
}
