// Opens and closes engines and models, and prints the threads and the address space (bytes) that are left after each round.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/index.js';

const path = fileURLToPath(new URL('../../models/stories260K.gguf', import.meta.url));
const status = readFileSync.bind(undefined, '/proc/self/status', 'utf8');
const kept = []; // closed objects that nothing has collected
const rounds = [];

for (let round = 0; round < 4; round++) {
  for (let i = 0; i < 10; i++) {
    const model = await loadModel({ path });
    const engine = await model.createEngine({ threads: 1, contextSize: 256 });
    for await (const _ of engine.generate({ prompt: 'Once', maxTokens: 3 }));
    await Promise.all(i % 2 === 0 ? [engine.close(), model.close()] : [model.close(), engine.close()]);
    kept.push(model, engine);
  }
  rounds.push({
    threads: Number(/^Threads:\s*(\d+)/m.exec(status())[1]),
    bytes: Number(/^VmSize:\s*(\d+) kB/m.exec(status())[1]) * 1024,
  });
}
console.log(JSON.stringify({ rounds, kept: kept.length }));
