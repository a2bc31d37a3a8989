// The engine's process may have no more address space than it has, or little more, from some moment on; then as much as it likes again.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { attempt, children, compute, goesOn, load, models, share } from './scene.js';

const model = await load({ path: models.mini });
const engine = await model.createEngine({ threads: 1, contextSize: 512 });
await compute(engine);
const [pid] = children();
const size = 1024 * Number(/^VmSize:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const work = share < 0.3 ? attempt('running', () => compute(engine, 'Once upon a time. '.repeat(50))) : undefined;
execFileSync('prlimit', ['--pid', String(pid), `--as=${size + Math.floor(share ** 2 * 2 ** 31)}:`]);
await work;
for (let i = 0; i < 3; i++) {
  const other = await attempt('engine', () => model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 8 }));
  if (other) await attempt('compute', () => compute(other, 'Once upon a time. '.repeat(50)));
}
await attempt('first engine', () => compute(engine));
if (children().includes(pid)) execFileSync('prlimit', ['--pid', String(pid), '--as=unlimited:']);
await compute(engine);
await goesOn();
await model.close();
