// Ends with code 5.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const worker = new Worker(new URL('uncaught-error.js', import.meta.url));
const [error] = await once(worker, 'error');
process.exitCode = error.message === 'mine' ? 5 : 1;
