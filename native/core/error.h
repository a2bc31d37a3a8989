#pragma once

#include <functional>
#include <new>
#include <stdexcept>
#include <string>

// An error with a stable code (see src/check/errors.ts). Thrown anywhere in native code, seen in JS as error.code.
struct CodedError : std::runtime_error {
    CodedError(const char * code, const std::string & message) : std::runtime_error(message), code(code) {}

    const char * code; // a string literal
};

// What was thrown, as a code and a sentence.
struct Thrown {
    const char * code = nullptr; // null: nothing was thrown
    std::string message;
};

inline Thrown run_guarded(const std::function<void()> & work) {
    try {
        work();
        return {};
    } catch (const CodedError & error) { return { error.code, error.what() }; } catch (const std::bad_alloc &) {
        return { "ERR_MEMORY", "Not enough memory" };
    } catch (const std::exception & error) { return { "ERR_NATIVE", error.what() }; } catch (...) {
        return { "ERR_NATIVE", "An unknown C++ exception" };
    }
}
