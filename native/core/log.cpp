#include "log.h"

#include <llama.h>

#include <atomic>
#include <mutex>

#ifdef _WIN32
#    include <io.h>
#else
#    include <unistd.h>
#endif

static constexpr size_t MAX_KEPT = 16 * 1024;

static thread_local LogCapture * current = nullptr;
static thread_local int last_level       = GGML_LOG_LEVEL_NONE;

static std::atomic<bool> echoing{ false };

// The line that this thread has begun. Plain memory: it is written to when there is no other left, and while the process ends.
struct BegunLine {
    char text[4096]; // what a pipe takes in one piece
    size_t length;
};

static thread_local BegunLine begun = {};

static void append(std::string & kept, const char * text) {
    kept += text;
    if (kept.size() > MAX_KEPT) kept.erase(0, kept.size() - MAX_KEPT);
}

static void print_begun() {
#ifdef _WIN32
    (void)!_write(2, begun.text, (unsigned)begun.length);
#else
    (void)!write(STDERR_FILENO, begun.text, begun.length);
#endif
    begun.length = 0;
}

static void echo(const char * text, bool continues) {
    if (!continues && begun.length > 0) echo("\n", true); // llama.cpp left out the end of the line before
    for (; *text; text++) {
        begun.text[begun.length++] = *text;
        if (*text == '\n' || begun.length == sizeof(begun.text)) print_begun();
    }
}

void log_line(int level, const char * text) {
    const bool continues = level == GGML_LOG_LEVEL_CONT;
    if (continues) level = last_level;
    last_level = level;
    if (level >= GGML_LOG_LEVEL_WARN && echoing) echo(text, continues);
    if (!current) return;
    append(current->lines, text);
    if (level >= GGML_LOG_LEVEL_ERROR) append(current->error_lines, text);
}

LogCapture::LogCapture() : outer(current) { current = this; }

LogCapture::~LogCapture() { current = outer; }

std::string LogCapture::errors() const {
    std::string out;
    for (const char c : error_lines) out += c == '\n' ? std::string("; ") : std::string(1, c);
    while (!out.empty() && (out.back() == ' ' || out.back() == ';')) out.pop_back();
    return out;
}

void LogCapture::install() {
    static std::once_flag once;
    std::call_once(once, [] {
        const auto callback = [](ggml_log_level level, const char * text, void *) { log_line(level, text); };
        llama_log_set(callback, nullptr); // sets ggml's log too
    });
}

void LogCapture::echo_to_stderr(bool on) { echoing = on; }
