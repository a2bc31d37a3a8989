// An app whose workers use the library: one after another is terminated in the middle of something.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { answering } from '../campaigns/answering.js';

const program = new URL('worker.js', import.meta.url);

/** @param {import('./terminate.js').Termination} termination */
async function terminated({ activity, after, loading, isolate }) {
  const env = { ...process.env, LEAVING_ACTIVITY: activity, LEAVING_ISOLATE: isolate ? '1' : '' };
  const worker = new Worker(program, { env });
  const failed = new Promise((_, reject) => worker.once('error', reject));
  failed.catch(() => {});
  if (!loading) await Promise.race([once(worker, 'message'), failed]);
  await Promise.race([pause(after), failed]);
  const begun = performance.now();
  await worker.terminate();
  return { milliseconds: performance.now() - begun };
}

answering(terminated);
