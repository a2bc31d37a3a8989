// Run as a process of its own by the tests: evaluates the questions that have no row yet, and is killed while doing so. Behind `most`
// rows it stands still, so that it does not end before it is killed.

import { evaluate } from '../../../src/evaluate/evaluate.js';
import { localTarget } from '../../../src/evaluate/run/target.js';
import { loadModel } from '../../../src/host/load.js';
import { itemsOf, setOf } from './items.js';

const [path, out] = process.argv.slice(2) as [string, string];
const [count, most] = process.argv.slice(4).map(Number);
let rows = 0;
const model = await loadModel({ path });
await evaluate(localTarget(model, { threads: 1 }), {
  set: setOf(itemsOf(count!)),
  out,
  resume: true,
  modes: ['top-token', 'sc-cot'],
  samples: 3,
  maxTokens: 24,
  seed: 42,
  format: 'raw',
  parallel: 1, // the composition of batches changes floating point results
  onProgress({ row }) {
    if (!row) return;
    process.stdout.write(`${row.id}\n`);
    if (++rows === most) process.kill(process.pid, 'SIGSTOP');
  },
});
await model.close();
