// Ends with code 7.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { begin, moment } from '../scene.js';

const worker = new Worker(new URL('../worker.js', import.meta.url));
await Promise.all([once(worker, 'message'), begin()]);
await moment();
process.exit(7);
