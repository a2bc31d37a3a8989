#include "process.h"

#include <cstdlib>
#include <cstring>

#ifdef _WIN32

#    include <windows.h>

#    include <csignal>
#    include <cstdio>
#    include <vector>

// What Node ends with when it aborts, there as on other systems.
static constexpr UINT ABORTED = 134;

static void say(const char * line) {
    DWORD written;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, (DWORD)strlen(line), &written, nullptr);
}

static LONG WINAPI on_exception(EXCEPTION_POINTERS * what) {
    char line[128];
    const EXCEPTION_RECORD & record = *what->ExceptionRecord;
    snprintf(line, sizeof(line), "meditron: exception 0x%08lx at address 0x%llx\n", (unsigned long)record.ExceptionCode,
             (unsigned long long)(uintptr_t)record.ExceptionAddress);
    say(line);
    return EXCEPTION_EXECUTE_HANDLER; // which ends the process with the exception's code
}

static void on_abort(int) {
    say("meditron: SIGABRT raised by the process itself\n");
    TerminateProcess(GetCurrentProcess(), ABORTED);
}

// llama.cpp's libraries abort through the system's C runtime, which may be another than the addon's. Left to itself it reports the fault
// to the system, which may keep, and send, what was in memory.
static void say_what_ends_the_process() {
    SetUnhandledExceptionFilter(on_exception);
    signal(SIGABRT, on_abort);
    using Signal          = void (*(__cdecl *)(int, void(__cdecl *)(int)))(int);
    const HMODULE runtime = GetModuleHandleW(L"ucrtbase.dll");
    const auto signal_of  = runtime ? (Signal)(void *)GetProcAddress(runtime, "signal") : nullptr;
    if (signal_of) signal_of(SIGABRT, on_abort);
}

static void die_with(int64_t parent_pid) {
    const HANDLE parent = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)parent_pid);
    if (!parent) {
        if (GetLastError() == ERROR_INVALID_PARAMETER) TerminateProcess(GetCurrentProcess(), 1); // there is no such process
        return;
    }
    const auto end = [](void *, BOOLEAN) { TerminateProcess(GetCurrentProcess(), 1); };
    HANDLE wait;
    RegisterWaitForSingleObject(&wait, parent, end, nullptr, INFINITE, WT_EXECUTEONLYONCE);
}

void belong_to_parent(int64_t parent_pid) {
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    SetDllDirectoryW(L""); // a backend's libraries are not looked for in the current folder
    say_what_ends_the_process();
    die_with(parent_pid);
}

int physical_cores() {
    DWORD size = 0;
    GetLogicalProcessorInformationEx(RelationProcessorCore, nullptr, &size);
    std::vector<char> bytes(size);
    if (size == 0 ||
        !GetLogicalProcessorInformationEx(RelationProcessorCore, (SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *)bytes.data(), &size))
        return 0;
    DWORD_PTR mine = 0, all = 0;
    GetProcessAffinityMask(GetCurrentProcess(), &mine, &all);
    int cores = 0;
    for (DWORD at = 0; at < size;) {
        const auto * info   = (const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *)(bytes.data() + at);
        const auto & groups = info->Processor.GroupMask[0];
        // With several processor groups the mask is 0, or that of the first.
        if (mine == 0 || groups.Group != 0 || (groups.Mask & mine)) cores++;
        at += info->Size;
    }
    return cores;
}

// What the filter needs after a stack has overflowed.
SignalStack::SignalStack() {
    ULONG size = 64 * 1024;
    SetThreadStackGuarantee(&size);
}

SignalStack::~SignalStack() = default;

#else

#    include <signal.h>
#    include <sys/resource.h>
#    include <unistd.h>

#    ifdef __linux__
#        include <sys/prctl.h>
#    endif

// Kernels save up to 11 kB of registers there.
static constexpr size_t STACK_SIZE = 64 * 1024;

SignalStack::SignalStack() {
    stack_t now;
    if (sigaltstack(nullptr, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
    memory = std::malloc(STACK_SIZE);
    if (!memory) return;
    stack_t stack{};
    stack.ss_sp   = memory;
    stack.ss_size = STACK_SIZE;
    sigaltstack(&stack, nullptr);
}

SignalStack::~SignalStack() {
    if (!memory) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    none.ss_size  = STACK_SIZE; // macOS looks at it
    sigaltstack(&none, nullptr);
    std::free(memory);
}

struct Deadly {
    int number;
    const char * name;
    struct sigaction previous;
};

static Deadly deadly[] = {
    { SIGSEGV, "SIGSEGV", {} }, { SIGBUS, "SIGBUS", {} }, { SIGABRT, "SIGABRT", {} }, { SIGILL, "SIGILL", {} }, { SIGFPE, "SIGFPE", {} },
};

static void on_deadly_signal(int number, siginfo_t * info, void * context);

// A line put together with nothing that a signal handler may not call.
class Line {
public:
    void add(const char * part) {
        while (*part && length < sizeof(text)) text[length++] = *part++;
    }

    void add(uint64_t value, unsigned base) {
        char digits[24];
        size_t n    = sizeof(digits);
        digits[--n] = '\0';
        do {
            digits[--n] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value > 0);
        add(digits + n);
    }

    void print() { (void)!write(STDERR_FILENO, text, length); }

private:
    char text[128];
    size_t length = 0;
};

static void say(const char * name, const siginfo_t & info) {
    Line line;
    line.add("meditron: ");
    line.add(name);
    const bool sent = info.si_code <= 0 || info.si_code == SI_USER;
    if (sent && info.si_pid == getpid()) {
        line.add(" raised by the process itself");
    } else if (sent) {
        line.add(" from process ");
        line.add((uint64_t)info.si_pid, 10);
    } else {
        line.add(" at address 0x");
        line.add((uint64_t)(uintptr_t)info.si_addr, 16);
    }
    line.add("\n");
    line.print();
}

static bool handles(const struct sigaction & action) {
    return (action.sa_flags & SA_SIGINFO) || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

// Whoever handled the signal before goes first: V8 mends traps of WebAssembly, a sanitizer prints its report and ends the process. When
// Node's handler has nothing to mend it takes the handler away and raises the signal, which waits until ours returns.
static bool mended_by(const struct sigaction & previous, int number, siginfo_t * info, void * context) {
    if (!handles(previous)) return false;
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(number, info, context);
    else
        previous.sa_handler(number);
    struct sigaction now;
    sigaction(number, nullptr, &now);
    return (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_deadly_signal;
}

static void on_deadly_signal(int number, siginfo_t * info, void * context) {
    for (const Deadly & signal : deadly) {
        if (signal.number != number) continue;
        if (mended_by(signal.previous, number, info, context)) return;
        say(signal.name, *info);
    }
    struct sigaction none {};
    none.sa_handler = SIG_DFL;
    sigaction(number, &none, nullptr);
    raise(number); // taken when this returns
}

static void say_what_ends_the_process() {
    static const auto * main_stack = new SignalStack; // as long as the process
    (void)main_stack;
    for (Deadly & signal : deadly) {
        struct sigaction action {};
        action.sa_sigaction = on_deadly_signal;
        action.sa_flags     = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        struct sigaction previous;
        sigaction(signal.number, nullptr, &previous);
        if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction == on_deadly_signal) continue;
        signal.previous = previous; // before ours can be called
        sigaction(signal.number, &action, nullptr);
    }
}

int physical_cores() { return 0; }

void belong_to_parent(int64_t parent_pid) {
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
#    ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0); // holds where dumps go to a program, which the limit does not keep from it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#    endif
    say_what_ends_the_process();
    if (getppid() != (pid_t)parent_pid) _exit(1);
}

#endif
