#include "codepage.h"

#ifdef _WIN32

#    include <windows.h>

static SystemText decode_by(unsigned page, const char * bytes, int size) {
    static_assert(sizeof(wchar_t) == sizeof(char16_t), "UTF-16");
    const int length = MultiByteToWideChar(page, MB_ERR_INVALID_CHARS, bytes, size, nullptr, 0);
    if (length <= 0) return {};
    SystemText read{ page, std::u16string((size_t)length, u'\0') };
    MultiByteToWideChar(page, MB_ERR_INVALID_CHARS, bytes, size, (wchar_t *)read.text.data(), length);
    return read;
}

SystemText decode_by_system(const char * bytes, size_t size, bool console) {
    if (size == 0 || size > INT32_MAX) return {};
    if (console) {
        const unsigned page = GetConsoleCP(); // 0 where there is no console
        SystemText read     = decode_by(page != 0 ? page : GetOEMCP(), bytes, (int)size);
        if (read.page != 0) return read;
    }
    return decode_by(GetACP(), bytes, (int)size);
}

#else

SystemText decode_by_system(const char *, size_t, bool) { return {}; }

#endif
