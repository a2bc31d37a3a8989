import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, askStream } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { printed, withHash } from '../../src/ask/record/evidence.js';
import type { Answer } from '../../src/ask/types.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { resultsName } from '../../src/evaluate/storage/lines.js';
import type { Item } from '../../src/evaluate/tasks/task.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine } from '../ask/fake.js';
import { itemsOf, setOf } from '../evaluate/run/items.js';
import { scriptedTarget } from '../evaluate/run/scripted.js';

/** A file of ours as it was written. */
export interface Written {
  readonly kind: 'record' | 'results';
  readonly about: string;
  readonly bytes: Buffer;
}

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

/** Files of every kind that are read back: records alone and within an answer, results of an evaluation, each twice. */
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
  return files;
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
