// What `ask --low-memory` takes: Pss of the command and the engine's process, to the answer, under a limit of private memory.
// Usage: npx tsx bench/low-memory.ts --model FILE [--limit BYTES] [--cells 3440] [--tokens 24] [--out FILE]. Linux with prlimit(1).
// The limit (RLIMIT_DATA) counts address space of each process, the two untouched stacks of the engine's threads, 512 MiB each, with it.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    limit: { type: 'string', default: String(1.52e9 + 2 ** 30) },
    cells: { type: 'string', default: '3440' },
    tokens: { type: 'string', default: '24' },
    out: { type: 'string' },
  },
});
if (!values.model) throw new Error('Give the model: --model FILE');
const { cells, tokens, limit } = values;
const path = resolve(values.model);
const question =
  'A 63-year-old man on warfarin has had black stools for two days; his INR is 5.8. Which is the best next step?\n' +
  'A. Vitamin K and prothrombin complex concentrate\nB. Oral vitamin K alone\nC. Observation\nD. Fresh frozen plasma\n';

const before = await machine();
const options = ['--low-memory', '--samples', '5', '--max-tokens', tokens, '--ctx', cells, '--json'];
const command = [process.execPath, 'bin/meditron.js', 'ask', '-', '-m', path, ...options];
const child = spawn('prlimit', [`--data=${limit}`, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdin.end(question);
let answer = '';
child.stdout.on('data', (text: Buffer) => {
  answer += text;
});
const ended = new Promise<number | null>(resolve => child.once('close', resolve));
let peak: ReturnType<typeof taken> = [];
let running = true;
void ended.then(() => {
  running = false;
});
while (running) {
  const now = processesOf(child.pid!).flatMap(taken);
  if (sum(now) > sum(peak)) peak = now;
  await setTimeout(200);
}
const code = await ended;
const { decision, evidence } = code === 0 ? JSON.parse(answer) : {};
const report = {
  what: 'the most that `ask --low-memory` took, command and engine together: Pss of /proc/PID/smaps_rollup every 0.2 s',
  machine: before,
  model: { file: basename(path) },
  limitOfPrivateBytes: Number(limit),
  exitCode: code,
  decision: decision ?? null,
  engine: evidence?.engine ?? null,
  peakBytes: sum(peak),
  processes: peak,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);

/** A process and its descendants; those that end meanwhile are left out. */
function processesOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '));
    return [pid, ...children.filter(Boolean).flatMap(id => processesOf(Number(id)))];
  } catch {
    return [];
  }
}

function taken(pid: number): { pid: number; bytes: number; private: number; mapped: number }[] {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
    return [{ pid, bytes: field('Pss'), private: field('Pss_Anon'), mapped: field('Pss_File') }];
  } catch {
    return [];
  }
}

function sum(processes: readonly { readonly bytes: number }[]): number {
  return processes.reduce((total, { bytes }) => total + bytes, 0);
}
