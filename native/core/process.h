#pragma once

#include <cstdint>

// For a process that exists for its parent only: leaves no core dump and no crash report, cannot be read by other processes of the
// user, dies with its parent, and says on file descriptor 2 which signal ends it and where that came from. Ends the process at once
// if the parent is gone already. On the main thread, once; it cannot be taken back.
void belong_to_parent(int64_t parent_pid);

// On Windows the physical cores that this process may run on, 0 if the system does not say; 0 elsewhere. Any thread.
int physical_cores();

// A stack for signal handlers, for the thread that makes it and as long as it lives: a handler cannot run on a stack that has
// overflowed. Does nothing where the thread has one.
class SignalStack {
public:
    SignalStack();
    ~SignalStack();

    SignalStack(const SignalStack &)             = delete;
    SignalStack & operator=(const SignalStack &) = delete;

private:
    void * memory = nullptr;
};
