#include "mappings.h"

#ifdef __linux__

#    include <cinttypes>
#    include <cstdio>
#    include <fstream>
#    include <string>

std::vector<Mapping> mappings() {
    std::vector<Mapping> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        Mapping mapping{};
        char access[5] = "";
        int read       = 0;
        if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64 " %n", &mapping.begin, &mapping.end, access,
                        &mapping.offset, &mapping.inode, &read) != 5)
            continue;
        mapping.writable = access[0] == 'r' && access[1] == 'w';
        mapping.shared   = access[3] == 's';
        mapping.named    = (size_t)read < line.size();
        found.push_back(mapping);
    }
    return found;
}

#else

std::vector<Mapping> mappings() { return {}; }

#endif
