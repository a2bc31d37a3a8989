#pragma once

#include <string>

// Collects what llama.cpp logs on this thread while the object lives, so that a failed call can say why.
// Nothing is printed unless echo_to_stderr says so: a log line may hold patient text.
class LogCapture {
public:
    LogCapture();
    ~LogCapture();

    LogCapture(const LogCapture &)             = delete;
    LogCapture & operator=(const LogCapture &) = delete;

    // The last error lines, joined by "; ", or an empty string.
    std::string errors() const;

    // All lines of any level, newest last, at most 16 kB.
    const std::string & text() const { return lines; }

    // Takes over llama.cpp's process-wide log. Called once, from the addon's initialization.
    static void install();

    // Whether warnings and errors go to file descriptor 2 besides, whole lines, as they come: for a process whose error stream its
    // parent keeps in memory. From any thread.
    static void echo_to_stderr(bool on);

private:
    friend void log_line(int level, const char * text);

    LogCapture * outer; // captures nest: the innermost one receives
    std::string lines;
    std::string error_lines;
};
