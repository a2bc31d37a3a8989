// Binds Node-API to the program that runs, whatever its file is called: electron.exe, a renamed node.exe. For mingw-w64; cmake-js has the
// same for MSVC.

#include <windows.h>

#include <delayimp.h>

static FARPROC WINAPI on_delay_load(unsigned event, PDelayLoadInfo info) {
    if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
    const HMODULE node = GetModuleHandleA("node.dll");
    return reinterpret_cast<FARPROC>(node ? node : GetModuleHandleA(nullptr));
}

// All functions at once and before any is called: the code that dlltool writes for a first call does not keep floating point arguments.
static const HRESULT bound = [] {
    __pfnDliNotifyHook2 = on_delay_load;
    return __HrLoadAllImportsForDll("node.exe");
}();
