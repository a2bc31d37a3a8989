#!/usr/bin/env node
// Writes a module definition for each DLL's C functions, from which an import library is made: `node scripts/exports.js FILE.dll > FILE.def`.
// Only llama.cpp's public names: the rest of its tables is C++ (cmake/prebuilt.cmake calls this).
import { readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The names in the export table of a DLL (PE32+), in its order. @param {Buffer} file @returns {string[]} */
export function exportedNames(file) {
  const signature = file.toString('latin1', 0, 2) === 'MZ' ? file.readUInt32LE(0x3c) : 0;
  const optional = signature + 24;
  if (signature === 0 || file.toString('latin1', signature, signature + 4) !== 'PE\0\0')
    throw new Error('not a PE file');
  if (file.readUInt16LE(optional) !== 0x20b) throw new Error('not a 64-bit PE file');
  const sections = optional + file.readUInt16LE(signature + 20);
  const count = file.readUInt16LE(signature + 6);

  /** Place in the file of what is at an address in memory. @param {number} address */
  const at = address => {
    for (let i = 0; i < count; i++) {
      const header = sections + 40 * i;
      const offset = address - file.readUInt32LE(header + 12);
      if (offset >= 0 && offset < file.readUInt32LE(header + 16)) return file.readUInt32LE(header + 20) + offset;
    }
    throw new Error(`no section has the address 0x${address.toString(16)}`);
  };

  const table = file.readUInt32LE(optional + 112); // the first data directory
  if (table === 0) return [];
  const directory = at(table);
  const named = file.readUInt32LE(directory + 24);
  if (named === 0) return []; // exported by number alone
  const names = at(file.readUInt32LE(directory + 32));
  return Array.from({ length: named }, (_, i) => {
    const start = at(file.readUInt32LE(names + 4 * i));
    return file.toString('latin1', start, file.indexOf(0, start));
  });
}

/** @param {string} dll its file name @param {readonly string[]} names */
export function definition(dll, names) {
  const ours = names.filter(name => /^(llama|ggml|gguf)_\w+$/.test(name));
  return `LIBRARY "${dll}"\nEXPORTS\n${ours.map(name => `    ${name}\n`).join('')}`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const dll = process.argv[2];
  if (!dll) throw new Error('expected the name of a DLL');
  process.stdout.write(definition(basename(dll), exportedNames(readFileSync(dll))));
}
