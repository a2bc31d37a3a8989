// Ends with code 5.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const worker = new Worker(new URL('exit.js', import.meta.url));
const [code] = await once(worker, 'exit');
process.exitCode = code === 7 ? 5 : 1;
