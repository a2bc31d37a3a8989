// The beginning of a prompt, evaluated against loaded from its file, in turn, each in a fresh process: nothing is known of the model but
// what the file says. Loaded from the page cache, and from the disk (where dd can have the system forget a file).
// Usage: npm run bench:prefix -- --model FILE [--tokens 200,1500] [--rounds 3] [--threads N] [--folder DIR] [--out FILE]
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inBytes } from '../src/check/words.js';
import { readPrefix } from '../src/engine/saved/file.js';
import { knownKey } from '../src/engine/saved/key.js';
import { loadModel } from '../src/host/load.js';
import { machine, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    tokens: { type: 'string', default: '200,1500' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
    out: { type: 'string' },
    one: { type: 'string' },
  },
});

/** One measurement, in a process of its own. */
interface Job {
  readonly how: 'evaluate' | 'load';
  readonly model: string;
  readonly tokens: number;
  readonly threads: number | undefined;
  readonly file: string;
  /** Save what was evaluated. */
  readonly save: boolean;
}

interface Measured {
  /** Wall time, and processor time of all threads, until jobs can start from the beginning. */
  readonly ms: number;
  readonly cpuMs: number;
  readonly saveMs: number | null;
  /** Of a load, how long reading and checking takes, once more and from the page cache; the rest goes into llama.cpp's cache. */
  readonly readMs: number | null;
  /** Of what follows, to compare. */
  readonly logprob: number;
}

if (values.one !== undefined) console.log(JSON.stringify(await measure(JSON.parse(values.one))));
else await compare();

async function measure({ how, model: path, tokens: count, threads, file, save }: Job): Promise<Measured> {
  const model = await loadModel({ path });
  const engine = await model.createEngine({ contextSize: count + 256, maxSequences: 2, beyondTraining: true, threads });
  // Ids spread over the vocabulary, the beginning token first: no tokenizer has a say.
  const most = model.info.vocabulary.size - 300;
  const tokens = Int32Array.from({ length: count }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % most)));
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  const held = how === 'load' ? await engine.restorePrefix(file, { tokens }) : await engine.prefix(tokens);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const [score] = await engine.score({
    from: held,
    prompt: Int32Array.of(301),
    continuations: [Int32Array.of(302, 303)],
  });
  const saving = performance.now();
  if (save) await engine.savePrefix(held, file);
  const saveMs = save ? performance.now() - saving : null;
  let readMs: number | null = null;
  if (how === 'load') {
    const reading = performance.now();
    // Bound to what the header itself says: only the reading is measured.
    await readPrefix(file, async () => headerOf(file).belongs, await knownKey());
    readMs = performance.now() - reading;
  }
  await engine.close();
  await model.close();
  return { ms, cpuMs: (user + system) / 1000, saveMs, readMs, logprob: score!.logprob };
}

function headerOf(path: string) {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(20);
    readSync(file, start, 0, 20, 0);
    const bytes = Buffer.alloc(start.readUInt32LE(16));
    readSync(file, bytes, 0, bytes.length, 20);
    return JSON.parse(bytes.toString('utf8'));
  } finally {
    closeSync(file);
  }
}

async function compare(): Promise<void> {
  if (!values.model)
    throw new Error(
      'Give the model: --model FILE (npm run synth -- --shape meditron-7b --quant q4_k_m --out FILE makes one)',
    );
  const model = resolve(values.model);
  const folder = mkdtempSync(join(values.folder, 'meditron-prefix-'));
  process.env.MEDITRON_STATE = join(folder, 'state');
  try {
    const before = await machine();
    const lengths: Record<string, object> = {};
    for (const tokens of values.tokens.split(',').map(Number)) lengths[tokens] = lengthOf(model, tokens, folder);
    const report = {
      what: 'the beginning of a prompt, evaluated against loaded from a file, in turn, each in a fresh process',
      machine: before,
      model: { file: basename(model), bytes: statSync(model).size },
      rounds: Number(values.rounds),
      lengths,
    };
    const text = `${JSON.stringify(report, null, 2)}\n`;
    if (values.out) writeFileSync(values.out, text);
    console.log(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function lengthOf(model: string, tokens: number, folder: string) {
  const file = join(folder, `${tokens}.prefix`);
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  const one = (how: Job['how'], save = false) => run({ how, model, tokens, threads, file, save });
  const rounds: { cold: Measured; cached: Measured; disk: Measured | undefined }[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const cold = one('evaluate', i === 0);
    const cached = one('load');
    const disk = forget(file) ? one('load') : undefined;
    rounds.push({ cold, cached, disk });
    const share = (cached.ms / cold.ms).toFixed(4);
    console.error(
      `${tokens} tokens: ${cold.ms.toFixed(0)} ms evaluated, ${cached.ms.toFixed(0)} loaded (${share}), ${disk?.ms.toFixed(0) ?? 'no'} from the disk`,
    );
  }
  const bytes = statSync(file).size;
  const of = (figure: (round: (typeof rounds)[number]) => number) => spread(rounds.map(figure));
  const disk = rounds.flatMap(round => (round.disk ? [round.disk.ms] : []));
  console.error(`${tokens} tokens: ${inBytes(bytes)}`);
  return {
    bytes,
    evaluatedMs: of(({ cold }) => cold.ms),
    loadedMs: of(({ cached }) => cached.ms),
    loadedFromDiskMs: disk.length > 0 ? spread(disk) : null,
    share: of(({ cold, cached }) => cached.ms / cold.ms),
    shareOfProcessorTime: of(({ cold, cached }) => cached.cpuMs / cold.cpuMs),
    gigabytesPerSecond: of(({ cached }) => bytes / cached.ms / 1e6),
    readAndCheckedMs: of(({ cached }) => cached.readMs!),
    savedMs: rounds[0]!.cold.saveMs,
    sameLogprobs: rounds.every(({ cold, cached }) => cold.logprob === cached.logprob),
  };
}

function run(job: Job): Measured {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--one', JSON.stringify(job)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${job.how} failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

/** Has the system forget the pages of a file, so that the next reader waits for the disk. False where that cannot be had. */
function forget(path: string): boolean {
  try {
    execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}
