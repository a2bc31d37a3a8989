// What a start costs: from the start of the command to its first token, and of it the loading, against a built checkout of an older commit.
// Usage: npm run bench:loading -- --model FILE --old CHECKOUT [--rounds 5] [--cold] [--out FILE]
// --cold has the system forget the file before every start (root, Linux). The file is read once before each start otherwise.
import { spawnSync } from 'node:child_process';
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    old: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    cold: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
if (!values.model || !values.old)
  throw new Error('Give the model and what it is measured against: --model FILE --old CHECKOUT');
const root = fileURLToPath(new URL('..', import.meta.url));
const [path, old] = [resolve(values.model), resolve(values.old)];

const pairs: { old: Start; now: Start }[] = [];
for (let i = 0; i < Number(values.rounds); i++) {
  const pair = { old: await start(old), now: await start(root) };
  console.error(`load ${pair.old.loadMs} ms, now ${pair.now.loadMs} ms`);
  pairs.push(pair);
}
const of = (which: 'old' | 'now', what: keyof Start) => spread(pairs.map(pair => pair[which][what]));
const ratio = (what: keyof Start) => spread(pairs.map(({ old, now }) => now[what] / old[what]));
const report = {
  what: 'starts of the command with a model of true size, one token; an older commit and this one in turn, ratios pair by pair',
  machine: await machine(),
  before: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: old, encoding: 'utf8' }).stdout.trim(),
  model: { file: basename(path), bytes: statSync(path).size },
  pageCache: values.cold ? 'cold' : 'warm',
  rounds: pairs.length,
  loadMs: { before: of('old', 'loadMs'), now: of('now', 'loadMs'), ratio: ratio('loadMs') },
  toFirstTokenMs: {
    before: of('old', 'toFirstTokenMs'),
    now: of('now', 'toFirstTokenMs'),
    ratio: ratio('toFirstTokenMs'),
  },
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);

interface Start {
  /** The model and its context. */
  readonly loadMs: number;
  /** All of the command, which ends with its first token. */
  readonly toFirstTokenMs: number;
}

async function start(checkout: string): Promise<Start> {
  if (values.cold) writeFileSync('/proc/sys/vm/drop_caches', '1');
  else for await (const _ of createReadStream(path, { highWaterMark: 4 << 20 }));
  const args = [
    'bin/meditron.js',
    'run',
    '-m',
    path,
    '-p',
    'The patient has a fever and',
    '--max-tokens',
    '1',
    '--json',
  ];
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: checkout, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const toFirstTokenMs = performance.now() - from;
  const { loadMs } = (JSON.parse(stdout) as { timings: { loadMs: number } }).timings;
  return { loadMs, toFirstTokenMs };
}
