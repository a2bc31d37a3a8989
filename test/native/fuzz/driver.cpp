// Runs a fuzz target without libFuzzer: every file of a folder, then mutants of them from a seed. The same seed makes the same mutants.
// Usage: fuzz FOLDER RUNS SEED; exit code 0 if none has ended the process, or has taken longer than it may.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)());

extern "C" const char * __asan_default_options() { return "handle_abort=1"; }

static constexpr size_t MAX_SIZE    = 4096;
static constexpr double MAX_SECONDS = 20;

static std::string input; // what runs, to be shown if it ends the process

static void keep_input() {
    std::ofstream("crash-input", std::ios::binary) << input;
    std::fprintf(stderr, "The input of %zu bytes was kept in crash-input\n", input.size());
}

static void run(const std::string & given) {
    input            = given;
    const auto begun = std::chrono::steady_clock::now();
    LLVMFuzzerTestOneInput((const uint8_t *)input.data(), input.size());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (seconds < MAX_SECONDS) return;
    std::fprintf(stderr, "BROKEN: an input took %.1f s\n", seconds);
    std::abort();
}

static std::string mutated(const std::vector<std::string> & corpus, std::mt19937_64 & random) {
    const auto below = [&](size_t n) { return n == 0 ? 0 : (size_t)(random() % n); };
    std::string out  = corpus[below(corpus.size())];
    for (size_t changes = 1 + below(6); changes > 0; changes--) {
        const std::string & other = corpus[below(corpus.size())];
        const size_t at           = below(out.size() + 1);
        const size_t from         = below(other.size());
        switch (below(6)) {
            case 0:
                if (at < out.size()) out[at] = (char)(out[at] ^ (1 << below(8)));
                break;
            case 1: out.insert(at, 1, (char)below(256)); break;
            case 2: out.erase(at, 1 + below(8)); break;
            case 3: out.insert(at, other, from, 1 + below(40)); break;
            case 4: out.insert(at, out.substr(below(out.size() + 1), 1 + below(20))); break;
            default: out.insert(at, 1, "|()[]{}*+?.\"\\^-!<>:=#\n 09a"[below(27)]);
        }
    }
    return out.substr(0, MAX_SIZE);
}

int main(int argc, char ** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "Usage: fuzz FOLDER RUNS SEED\n");
        return 2;
    }
    __sanitizer_set_death_callback(keep_input);
    std::vector<std::filesystem::path> files;
    for (const auto & entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<std::string> corpus;
    for (const auto & file : files) {
        std::stringstream bytes;
        bytes << std::ifstream(file, std::ios::binary).rdbuf();
        corpus.push_back(bytes.str());
        run(corpus.back());
    }
    const uint64_t runs = std::strtoull(argv[2], nullptr, 10);
    std::mt19937_64 random(std::strtoull(argv[3], nullptr, 10));
    for (uint64_t i = 0; i < runs; i++) run(mutated(corpus, random));
    std::printf("%llu inputs, none broke a promise\n", (unsigned long long)(files.size() + runs));
}
