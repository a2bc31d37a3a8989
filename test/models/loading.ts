import { once } from 'node:events';
import { MeditronError } from '../../src/check/errors.js';
import { loadModel } from '../../src/host/load.js';

// Loads a file again and again in a process of its own: `node --import tsx loading.ts FILE TIMES`. Prints what became of each; for the
// last ten it waits until it is told.
const [path, times] = process.argv.slice(2) as [string, string];
console.log('begun');
for (let i = 0; i < Number(times); i++) {
  if (i === Number(times) - 10) await once(process.stdin, 'data');
  try {
    const model = await loadModel({ path, gpuLayers: 0, loadMode: i % 2 === 0 ? 'read' : 'mmap' });
    console.log(`loaded ${model.info.name}`);
    await model.close();
  } catch (error) {
    console.log(error instanceof MeditronError ? error.code : String(error));
  }
}
process.stdin.destroy();
