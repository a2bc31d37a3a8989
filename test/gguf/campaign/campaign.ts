import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import { type Entry, entry } from '../../../src/gguf/metadata.js';
import { splitFileName } from '../../../src/gguf/split.js';
import { writeGguf } from '../../../src/gguf/writer.js';
import { uniform } from '../../../src/random/splitmix.js';
import { sourcesOf } from '../../../src/synth/tiny.js';
import { type Campaign, Tally } from '../../campaigns/campaign.js';
import { Dice, mutations, type Subject, soundSubject } from './mutate.js';
import { type Ending, Runner, type Trial } from './run.js';

/** Some files are written ahead, so that they have been at rest when they are loaded. */
const batch = 50;

/** Apps at once: starting a process of an isolated model waits as much as it computes. */
const apps = 2;

/**
 * Changes sound models and adapters in `count` ways; an app loads each, computes a few tokens with it, closes it, and never dies. The
 * same seed makes the same files. `ends` says how many files came to what, by code and stage; `engineDeaths` how many ended the process
 * of an isolated engine.
 */
export const campaign: Campaign = async options => {
  const { seed, only, isolate = true } = options;
  const tally = new Tally(options);
  const free = Array.from({ length: apps }, () => new Runner());
  const runners = [...free];
  const kept = only === undefined ? undefined : options.folder;
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'meditron-campaign-')));
  const ends = new Map<string, number>();
  let engineDeaths = 0;
  let single: Record<string, unknown> = {};
  try {
    const { indices } = tally;
    for (let from = 0; from < indices.length; from += batch) {
      const made: { index: number; trial: Trial; changes: string[] }[] = [];
      for (const index of indices.slice(from, from + batch)) {
        made.push({ index, ...(await make(join(folder, String(index)), seed, index)) });
      }
      const attempt = async ({ index, trial, changes }: (typeof made)[number]): Promise<void> => {
        const begun = performance.now();
        const runner = free.pop()!;
        const ending = await runner.try({ ...trial, isolate });
        free.push(runner);
        judge(tally, index, ending, changes);
        if (ending.code === 'ERR_ENGINE_DIED') engineDeaths++;
        tally.done(performance.now() - begun);
        const end = ending.code === 'ran' ? 'ran' : `${ending.code.split(' ')[0]} (${ending.stage})`;
        ends.set(end, (ends.get(end) ?? 0) + 1);
        if (only !== undefined) single = { changes, ...ending, ...(kept && { path: trial.path }) };
        if (!kept) await rm(join(folder, String(index)), { recursive: true });
      };
      await pMap(made, attempt, { concurrency: apps });
    }
  } finally {
    await Promise.all(runners.map(runner => runner.close()));
    if (!kept) await rm(folder, { recursive: true, force: true });
  }
  return tally.outcome({ engineDeaths, ends: Object.fromEntries([...ends].sort((a, b) => b[1] - a[1])), ...single });
};

/** No file may end the app, keep it or give it an error without a code. */
function judge(tally: Tally, index: number, { code, message }: Ending, changes: readonly string[]): void {
  const words = `${code} ${message} ${changes.join('; ')}`;
  if (code.startsWith('DIED')) tally.fault('hostDeaths', index, words);
  if (code === 'HUNG') tally.fault('hangs', index, words);
  if (code === 'UNTYPED') tally.fault('untyped', index, words);
}

async function make(folder: string, seed: number, index: number): Promise<{ trial: Trial; changes: string[] }> {
  await mkdir(folder, { recursive: true });
  const dice = new Dice(uniform((Math.imul(seed, 0x9e37_79b1) + index) >>> 0));
  const subject = soundSubject(dice);
  const changes = [
    `${subject.architecture}, ${[...subject.metadata.keys()].includes('tokenizer.ggml.merges') ? 'gpt2' : 'llama'}`,
  ];
  const names = Object.keys(mutations).filter(name => name.startsWith('adapter') === (subject.adapter !== undefined));
  for (let n = dice.of([0, 1, 1, 1, 1, 2, 3]); n > 0; n--) {
    const name = dice.of(names);
    changes.push(`${name}: ${mutations[name]!(subject, dice)}`);
  }
  const loadMode = dice.of(['read', 'mmap'] as const);
  const path = await writeModel(folder, subject, dice, changes);
  const flashAttention = dice.of(['auto', 'on', 'off'] as const);
  const kvType = dice.of(['f16', 'f16', 'f32', 'q8_0'] as const);
  const trial: Trial = { path, loadMode, flashAttention, kvType };
  changes.push(`${loadMode}, flash attention ${flashAttention}, cache ${kvType}`);
  if (subject.adapter === undefined) return { trial, changes };
  const adapter = join(folder, 'adapter.gguf');
  await writeGguf(adapter, subject.adapter.metadata, sourcesOf(subject.adapter.tensors), { force: true });
  if (dice.chance(0.15)) changes.push(`adapter ${await changeBytes(adapter, dice)}`);
  return { trial: { ...trial, adapter }, changes };
}

async function writeModel(folder: string, subject: Subject, dice: Dice, changes: string[]): Promise<string> {
  const plain = join(folder, 'model.gguf');
  const count = dice.chance(0.1) && subject.tensors.length > 3 ? dice.of([2, 3]) : 1;
  if (count === 1) {
    await writeGguf(plain, subject.metadata, sourcesOf(subject.tensors), { force: true });
    if (subject.adapter === undefined && dice.chance(0.15)) changes.push(await changeBytes(plain, dice));
    return plain;
  }
  const paths: string[] = [];
  const size = Math.ceil(subject.tensors.length / count);
  for (let i = 0; i < count; i++) {
    const metadata = new Map<string, Entry>([
      ...(i === 0 ? subject.metadata : []),
      ['split.no', entry.u16(i)],
      ['split.count', entry.u16(count)],
      ['split.tensors.count', entry.i32(subject.tensors.length)],
    ]);
    if (dice.chance(0.2)) {
      const key = dice.of(['split.no', 'split.count', 'split.tensors.count']);
      const value = dice.of([
        entry.u16(dice.below(4)),
        entry.i32(dice.below(9)),
        entry.u32(1),
        entry.string('1'),
        undefined,
      ]);
      if (value) metadata.set(key, value);
      else metadata.delete(key);
      changes.push(`part ${i}: ${key} ${value?.type ?? 'removed'}`);
    }
    const path = join(folder, splitFileName('model', i, count));
    await writeGguf(path, metadata, sourcesOf(subject.tensors.slice(i * size, (i + 1) * size)), { force: true });
    paths.push(path);
  }
  const other = dice.of(paths);
  const fate = dice.below(10);
  if (fate === 0) await rm(other);
  else if (fate === 1) await writeFile(other, await readFile(dice.of(paths)));
  else if (fate < 4) changes.push(`part: ${await changeBytes(other, dice)}`);
  changes.push(`${count} parts`);
  return paths[0]!;
}

/** Changes the file's bytes: mostly in the header, where there is something to misread. */
async function changeBytes(path: string, dice: Dice): Promise<string> {
  const bytes = await readFile(path);
  const header = Math.min(bytes.length, dice.of([64, 4096, 20_000, bytes.length]));
  const kind = dice.below(5);
  if (kind === 0) {
    const length = dice.below(bytes.length + 1);
    await writeFile(path, bytes.subarray(0, length));
    return `cut to ${length} bytes`;
  }
  if (kind === 1) {
    const at = dice.below(header);
    await writeFile(
      path,
      Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + dice.below(64), dice.below(256)), bytes.subarray(at)]),
    );
    return `bytes put in at ${at}`;
  }
  if (kind === 2) {
    const at = dice.below(header);
    await writeFile(
      path,
      Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + dice.below(64)))]),
    );
    return `bytes taken out at ${at}`;
  }
  const flips = kind === 3 ? 1 : 1 + dice.below(16);
  for (let n = 0; n < flips; n++) {
    const at = dice.below(header);
    bytes[at] = dice.chance(0.5) ? bytes[at]! ^ (1 << dice.below(8)) : dice.below(256);
  }
  await writeFile(path, bytes);
  return `${flips} bytes changed in the first ${header}`;
}
