#include "log.h"

#include <llama.h>

#include <mutex>

static constexpr size_t MAX_KEPT = 16 * 1024;

static thread_local LogCapture * current = nullptr;
static thread_local int last_level       = GGML_LOG_LEVEL_NONE;

static void append(std::string & kept, const char * text) {
    kept += text;
    if (kept.size() > MAX_KEPT) kept.erase(0, kept.size() - MAX_KEPT);
}

void log_line(int level, const char * text) {
    if (level == GGML_LOG_LEVEL_CONT) level = last_level;
    last_level = level;
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
