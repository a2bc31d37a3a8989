import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, askStream } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { printed, withHash } from '../../src/ask/record/evidence.js';
import type { Answer } from '../../src/ask/types.js';
import { writePrefix } from '../../src/engine/saved/file.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { type DeathIncident, IncidentLog } from '../../src/evaluate/storage/incidents.js';
import { incidentsName, resultsName } from '../../src/evaluate/storage/lines.js';
import type { Item } from '../../src/evaluate/tasks/task.js';
import { remember } from '../../src/native/memory.js';
import type { Verdict } from '../../src/native/report.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine } from '../ask/fake.js';
import { emptyStore, itemsOf, setOf } from '../evaluate/run/items.js';
import { scriptedTarget } from '../evaluate/run/scripted.js';
import { belongs } from '../saved/belongs.js';

/** A file of ours as it was written. */
export interface Written {
  readonly kind: keyof typeof names;
  readonly about: string;
  readonly bytes: Buffer;
  /** What it is bound to, and so is needed to read it back: it may be read as no other file. Absent: it stands alone. */
  readonly belongs?: Readonly<Record<string, unknown>>;
}

/** What a file of each kind is called. */
export const names = {
  record: 'record.json',
  results: resultsName,
  incidents: incidentsName,
  prefix: 'prefix',
  key: 'prefix.key',
  verdicts: 'devices.json',
} as const;

const choice: Question = { kind: 'choice', question: 'Was ist „µg“?', options: ['ein Maß', 'ein Hund', 'ein Arzt'] };
const boolean: Question = { kind: 'boolean', question: 'Was it there?', context: ['It was not there.'] };
const open: Question = { kind: 'open', question: 'Who?' };
const short = { format: 'raw', maxTokens: 60, hash: false } as const;

const asked: readonly (readonly [
  about: string,
  options: AskOptions,
  question: Question,
  says: string,
  finished?: number,
])[] = [
  ['asked again', { ...short, shuffle: 'rotate', samples: 3, reask: true }, choice, 'Nobody knows.'],
  ['abstains', { ...short, reask: false, samples: 2 }, boolean, 'Nobody knows.'],
  ['compared', { format: 'raw', mode: 'top-token', debias: 'permutations', hash: false }, choice, ''],
  ['authors’ protocol', { ...short, protocol: 'authors-code', samples: 3 }, choice, 'So.\nThe answer is: B'],
  ['list', { ...short, mode: 'ranked', samples: 2, items: 2 }, open, '{"diagnoses": ["gout", "flu"]}'],
  ['closed from outside', { ...short, samples: 4, width: 1, reask: false }, choice, 'So.\nThe answer is: C', 2],
];

const evaluations = [
  ['choice', itemsOf(3), { modes: ['top-token', 'cot', 'sc-cot'], samples: 3, reask: true }],
  ['boolean', [{ id: 'b', question: 'Is it?', context: ['It is.'], gold: 'yes' }], {}],
  ['open', [{ id: 'o', question: 'How is it taken?' }], {}],
] as const;

/** Files of every kind that are read back, each at least twice, with other contents. */
export async function corpus(): Promise<Written[]> {
  const files: Written[] = [];
  for (const [about, options, question, says, finished] of asked) {
    for (const seed of [1, 2]) {
      const answer = await answerOf({ ...options, seed }, question, says, finished);
      const bytes = (value: unknown, space?: number) => Buffer.from(`${JSON.stringify(value, null, space)}\n`);
      files.push({ kind: 'record', about, bytes: bytes(answer.evidence, 1) });
      files.push({ kind: 'record', about: `${about}, in an answer`, bytes: bytes(printed(answer)) });
    }
  }
  for (const [about, items, options] of evaluations) {
    for (let copy = 0; copy < 2; copy++) {
      const out = await mkdtemp(join(tmpdir(), 'meditron-state-'));
      const target = scriptedTarget(sample => ({ text: sample === 1 ? 'I cannot say' : 'So.\nThe answer is: B' }));
      await evaluate(target, { set: setOf(items as readonly Item[]), out, format: 'raw', ...options });
      files.push({ kind: 'results', about, bytes: await readFile(join(out, resultsName)) });
      await rm(out, { recursive: true });
    }
  }
  for (let copy = 0; copy < 2; copy++) files.push(await incidents(copy), ...(await saved(copy)), await verdicts(copy));
  return files;
}

async function incidents(copy: number): Promise<Written> {
  const out = await mkdtemp(join(tmpdir(), 'meditron-state-'));
  await using store = await emptyStore(out);
  const log = await IncidentLog.open(out, store);
  const ended = { signal: 'SIGSEGV', exitCode: null, phase: 'decode', external: false, unresponsive: false } as const;
  const seen = { devices: ['CUDA0'], lastLines: ['CUDA error: out of memory'], width: { before: 8, after: 4 } };
  const death: DeathIncident = { kind: 'death', run: 'cot', ...ended, ...seen };
  for (const run of ['cot', 'cot', `sc-cot ${copy}`]) await log.add({ ...death, run });
  await log.add({ kind: 'stand-in', run: 'cot', standIn: 'cpu', devices: ['CUDA0'] });
  const bytes = await readFile(join(out, incidentsName));
  await store.close();
  await rm(out, { recursive: true });
  return { kind: 'incidents', about: 'deaths and a stand-in', bytes, belongs: { results: store.header.id } };
}

/** What probes found, the older of two states of a machine. */
async function verdicts(copy: number): Promise<Written> {
  const folder = await mkdtemp(join(tmpdir(), 'meditron-state-'));
  const path = join(folder, names.verdicts);
  const at = new Date().toISOString();
  const card = {
    ...{ name: 'CUDA0', description: 'A card', backend: 'CUDA', id: null },
    type: 'gpu',
    memoryTotal: 8e9,
  } as const;
  const [one, two] = [`${copy}a`, `${copy}b`].map(start => start.padEnd(64, '0')) as [string, string];
  const died: Verdict = { outcome: 'died', how: 'SIGABRT', during: 'computing', lines: ['CUDA error'] };
  await remember(one, { at, failure: null, devices: [{ ...card, verdict: died }] }, path);
  await remember(
    two,
    { at, failure: null, devices: [{ ...card, verdict: { outcome: 'works', difference: 0.05 } }] },
    path,
  );
  const bytes = await readFile(path);
  await rm(folder, { recursive: true });
  return { kind: 'verdicts', about: 'of two states of a machine', bytes, belongs: { binding: one } };
}

/** A prefix of each of two users, and their keys. */
async function saved(copy: number): Promise<Written[]> {
  const folder = await mkdtemp(join(tmpdir(), 'meditron-state-'));
  const key = Buffer.alloc(32, `key ${copy}`);
  const prefix = { tokens: Int32Array.of(1, 403, 407, 261), state: Buffer.alloc(2000, `the state of user ${copy}`) };
  await writePrefix(join(folder, names.prefix), prefix, { belongs, files: [] }, key);
  const bytes = await readFile(join(folder, names.prefix));
  await rm(folder, { recursive: true });
  return [
    { kind: 'prefix', about: 'of four tokens', bytes, belongs: { belongs, key: key.toString('base64') } },
    { kind: 'key', about: 'of a saved prefix', bytes: key, belongs: { belongs, prefix: bytes.toString('base64') } },
  ];
}

async function answerOf(options: AskOptions, question: Question, text: string, finished?: number): Promise<Answer> {
  const engine = new FakeEngine(() => ({ text }));
  const answer = finished ? await cutAfter(finished, engine, options, question) : await ask(engine, question, options);
  const files = [{ path: answer.evidence.model.path, sizeBytes: 1, sha256: 'ab'.repeat(32) }];
  return { ...answer, evidence: withHash(answer.evidence, files) };
}

/** Closes the vote once this many samples have finished. */
async function cutAfter(count: number, engine: FakeEngine, options: AskOptions, question: Question): Promise<Answer> {
  const controller = new AbortController();
  const stream = askStream(engine, question, { ...options, until: controller.signal });
  for (let votes = 0; ; ) {
    const { done, value } = await stream.next();
    if (done) return value;
    if (value.type === 'vote' && ++votes === count) controller.abort();
  }
}
