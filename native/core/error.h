#pragma once

#include <stdexcept>
#include <string>

// An error with a stable code (see src/errors.ts). Thrown anywhere in native code, seen in JS as error.code.
struct CodedError : std::runtime_error {
    CodedError(const char * code, const std::string & message) : std::runtime_error(message), code(code) {}

    const char * code; // a string literal
};
