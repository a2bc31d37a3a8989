// Preloaded into the command and, through its environment, into the engine's process: says at the end which of them had the addon.
import { appendFileSync, readFileSync } from 'node:fs';

process.on('exit', () => {
  const addon = /meditron\.node|libllama|libggml/.test(readFileSync('/proc/self/maps', 'utf8'));
  const line = { engine: process.send !== undefined, addon };
  appendFileSync(process.env.MEDITRON_TEST_MAPPED, `${JSON.stringify(line)}\n`);
});
