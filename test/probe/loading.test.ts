import { expect, test } from 'vitest';
import { type Host, whyRefused } from '../../src/native/loading.js';

const linux: Host = { platform: 'linux', arch: 'x64', musl: false };
const windows: Host = { ...linux, platform: 'win32' };
const mac: Host = { ...linux, platform: 'darwin', arch: 'arm64' };

// The messages are those of glibc, musl, Windows and dyld, as process.dlopen passes them on.
test.each<[string, Host, string, RegExp, RegExp?]>([
  [
    'too old a C library',
    linux,
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app/libllama.v0.4.0.so)",
    /^this system is too old for it: its C library \(glibc 2\.34 is needed\): \/lib/,
    /Debian 12, Ubuntu 22\.04, RHEL 9 or newer/,
  ],
  [
    'too old a C++ library',
    linux,
    "/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /app/meditron.node)",
    /C\+\+ library \(libstdc\+\+ with GLIBCXX_3\.4\.29 is needed\)/,
  ],
  [
    'a library of its own missing',
    linux,
    'libggml-base.so: cannot open shared object file: No such file or directory\nRequire stack:\n- /app/x.js',
    /^the library libggml-base\.so that belongs beside it is missing: libggml-base\.so: cannot open[^\n]*$/,
  ],
  [
    'the C++ library missing',
    linux,
    'libstdc++.so.6: cannot open shared object file: No such file or directory',
    /this system has no libstdc\+\+\.so\.6/,
    /apt-get install libstdc\+\+6/,
  ],
  [
    'OpenMP missing',
    linux,
    'libgomp.so.1: cannot open shared object file: No such file or directory',
    /has no libgomp/,
    /apt-get install libgomp1/,
  ],
  [
    'Alpine',
    { ...linux, musl: true },
    'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /app/meditron.node)',
    /musl \(Alpine\)/,
    /from source/,
  ],
  [
    'a folder without permission to run',
    linux,
    '/media/stick/meditron.node: failed to map segment from shared object',
    /noexec/,
    /Copy it/,
  ],
  ['a file that is cut', linux, '/app/meditron.node: file too short', /damaged/],
  ['another processor', linux, '/app/meditron.node: wrong ELF class: ELFCLASS32', /another processor/],
  ['libraries of another release', linux, '/app/meditron.node: undefined symbol: llama_model_load', /another release/],
  ['something else', linux, 'nobody knows', /^nobody knows$/],
  [
    'a DLL that is missing',
    windows,
    'The specified module could not be found.',
    /a library that it needs was not found/,
  ],
  [
    'a semicolon in the path',
    windows,
    'Das angegebene Modul wurde nicht gefunden.\r\n\\\\?\\C:\\a; b\\meditron.node',
    /semicolon/,
    /Rename the folder/,
  ],
  ['not a program', windows, '%1 is not a valid Win32 application.', /damaged/],
  [
    'a signature',
    mac,
    "dlopen(/app/meditron.node, 0x0001): code signature in '/app/meditron.node' not valid for use in process",
    /signature/,
    /xattr/,
  ],
  [
    'another processor',
    mac,
    "dlopen(x): mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')",
    /another processor/,
  ],
])('%s on a system', (_, host, message, reason, instead) => {
  const refusal = whyRefused(message, host);
  expect(refusal.reason).toMatch(reason);
  if (instead) expect(refusal.instead).toMatch(instead);
});
