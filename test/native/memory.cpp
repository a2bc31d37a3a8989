// What loading does to memory: pages of files, and what is read and supplied ahead of it.
#include "ahead.h"
#include "check.h"
#include "pages.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#ifdef __linux__
#    include <fcntl.h>
#    include <sys/mman.h>
#    include <unistd.h>
#endif

#ifdef __linux__
static bool is_resident(const char * address, size_t size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    std::vector<unsigned char> states((size + page - 1) / page);
    return mincore((void *)address, size, states.data()) == 0 &&
           std::all_of(states.begin(), states.end(), [](unsigned char state) { return (state & 1) != 0; });
}

static void wait_until_resident(const char * address, size_t size) {
    while (!is_resident(address, size)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
#endif

void file_pages(const std::string & path) {
    const FilePages pages({ path });
    check(FilePages({ path + ".none" }).size() == 0, "the size of a file that is not there");
#ifdef __linux__
    std::stringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    const size_t size = bytes.str().size();
    check(pages.size() == size, "the size of a file");
    check(pages.mapped() == 0, "a file that nobody maps");
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char * address = (char *)mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    check(pages.mapped() == 1, "a file that is mapped");
    pages.let_go();
    check(std::memcmp(address, bytes.str().data(), size) == 0, "pages that were let go come back");
    pages.let_go();
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    {
        ReadAhead ahead({ path + ".none", path });
        ahead.wait_for(1);
        ahead.wait_for(UINT64_MAX); // more than there is
        wait_until_resident(address, size);
    }
    { const ReadAhead stopped({ path, path }); }
    munmap(address, size);
    close(file);
    check(pages.mapped() == 0, "a file that was mapped");
#else
    check(pages.size() == 0 && pages.mapped() == 0, "elsewhere nothing is known of pages");
#endif
}

void memory_ahead() {
#ifdef __linux__
    const size_t size = size_t(96) << 20;
    const auto take = [](size_t bytes) { return (char *)mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
    char * const neighbour = take(size); // the system may join it with what is taken next
    {
        MemoryAhead ahead(2 * size);
        char * const first = take(size);
        char * const last  = take(size);
        first[size / 2]    = 'a';
        check(ahead.begin(), "memory that was taken is told from what there was");
        last[size - 1] = 'b';
        wait_until_resident(first, size);
        wait_until_resident(last, size);
        check(first[size / 2] == 'a' && last[size - 1] == 'b' && first[0] == 0, "what was written stays, all else is zero");
        munmap(last, size);
        munmap(first, size);
    }
    check(!is_resident(neighbour, size), "memory that is not meant is left alone");
    {
        MemoryAhead ahead(size);
        char * const far_more = take(2 * size);
        check(!ahead.begin(), "memory of which more was taken than expected is left alone");
        munmap(far_more, 2 * size);
    }
    {
        MemoryAhead ahead(size);
        check(!ahead.begin(), "memory that was not taken");
    }
    {
        MemoryAhead ahead(size);
        char * const returned = take(size);
        check(ahead.begin(), "memory that is given back meanwhile");
        munmap(returned, size);
    }
    munmap(neighbour, size);
#else
    MemoryAhead ahead(1);
    check(!ahead.begin(), "elsewhere no memory is supplied ahead");
#endif
}
