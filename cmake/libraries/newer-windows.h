// What llama.cpp takes from a newer windows.h than mingw-w64 10 has (Debian 12): Microsoft's documented structure.
#pragma once
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#ifndef THREAD_POWER_THROTTLING_CURRENT_VERSION
#    define THREAD_POWER_THROTTLING_CURRENT_VERSION 1
#    define THREAD_POWER_THROTTLING_EXECUTION_SPEED 0x1
typedef struct {
    ULONG Version;
    ULONG ControlMask;
    ULONG StateMask;
} THREAD_POWER_THROTTLING_STATE;
#endif
