// Ends with code 0.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { moment } from '../scene.js';

for (let i = 0; i < 3; i++) {
  const worker = new Worker(new URL('../worker.js', import.meta.url));
  if (i > 0) await once(worker, 'message'); // the first one is loading
  await moment();
  await worker.terminate();
}
