#!/usr/bin/env node
// Fetches packages of llama.cpp's libraries that `npm ci` leaves out: GPU backends, and other systems' CPU libraries.
import { obtain, pinned } from './packages.js';

const scope = '@node-llama-cpp/';
const known = Object.keys(pinned)
  .filter(name => name.startsWith(scope))
  .map(name => name.slice(scope.length));
const usage = `Usage: npm run libraries -- NAME…\n\nNames: ${known.join(', ')}\n\nExample: npm run libraries -- linux-x64-vulkan\n`;
const names = process.argv.slice(2);
const unknown = names.find(name => !known.includes(name));

if (names.includes('--help') || names.includes('-h')) {
  process.stdout.write(usage);
} else if (names.length === 0 || unknown !== undefined) {
  process.stderr.write(
    `meditron: expected the name of a package of libraries, got ${unknown ? `"${unknown}"` : 'none'}\n\n${usage}`,
  );
  process.exitCode = 2;
} else {
  try {
    for (const name of names)
      process.stdout.write(`${obtain(scope + name, text => process.stderr.write(`${text}\n`))}\n`);
  } catch (error) {
    process.stderr.write(`meditron: ${/** @type {Error} */ (error).message}\n`);
    process.exitCode = 1;
  }
}
