import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answererOf } from '../../src/answerer/engine.js';
import { ask, askStream } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { contradiction } from '../../src/ask/record/check.js';
import { firstDifference, modelDifference, notCompared } from '../../src/ask/record/compare.js';
import { inWords } from '../../src/ask/record/difference.js';
import { changes } from '../../src/ask/record/environment.js';
import { replayOn, termsOf } from '../../src/ask/record/replay.js';
import { readEvidence } from '../../src/ask/record/schema.js';
import { roomFor } from '../../src/ask/room.js';
import type { Answer, Evidence } from '../../src/ask/types.js';
import { sealed } from '../../src/check/seal.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import type { FileHash } from '../../src/models/identity.js';
import type { Question } from '../../src/prompt/question/question.js';
import { loadStories } from '../engine/stories.js';
import { changesOf } from './changes.js';

const question: Question = { kind: 'choice', question: 'Who was it?', options: ['a dog', 'a cat', 'a bird'] };
const boolean: Question = { kind: 'boolean', question: 'Was it there?', context: ['It was not there.'] };

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());

async function engineFor(options: AskOptions, about: Question): Promise<Engine> {
  return model.createEngine({ threads: 1, ...(await roomFor(model, about, options)) });
}

/** Closes the vote once this many samples have finished. */
async function cutAfter(finished: number, engine: Engine, options: AskOptions): Promise<Answer> {
  const controller = new AbortController();
  const stream = askStream(engine, question, { ...options, until: controller.signal });
  for (let votes = 0; ; ) {
    const { done, value } = await stream.next();
    if (done) return value;
    if (value.type === 'vote' && ++votes === finished) controller.abort();
  }
}

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
const short = { format: 'raw', maxTokens: 10 } as const;

const kinds: readonly (readonly [name: string, options: AskOptions, about: Question, finished: number])[] = [
  ['chains that are asked again, options in other orders', { ...short, shuffle: 'rotate', samples: 3 }, question, 0],
  ['a vote that abstains', { ...short, reask: false, samples: 2 }, boolean, 0],
  ['compared answers', { format: 'raw', mode: 'top-token', debias: 'permutations' }, question, 0],
  ['the authors’ protocol', { ...short, protocol: 'authors-code', samples: 3 }, question, 0],
  ['a list', { ...short, mode: 'ranked', samples: 2, items: 2 }, { kind: 'open', question: 'Who?' }, 0],
  ['a vote closed from outside', { ...short, samples: 4, width: 1, reask: false }, question, 2],
];

describe.each(kinds)('%s', (_, options, about, finished) => {
  let evidence: Evidence;
  let now: Evidence;
  let files: readonly FileHash[];
  let terms: Awaited<ReturnType<typeof termsOf>>;

  beforeAll(async () => {
    await using engine = await engineFor(options, about);
    const answer = finished > 0 ? await cutAfter(finished, engine, options) : await ask(engine, about, options);
    evidence = asJson(answer.evidence);
    await using again = await engineFor(options, about);
    const replayed = await replayOn(again, evidence);
    expect(replayed).toMatchObject({ same: true, difference: null, environment: [] });
    now = asJson(replayed.answer!.evidence);
    terms = await termsOf(answererOf(again), evidence);
    files = evidence.model.files!;
  });

  /** What replayOn says of a record with the same question and options, without running anything. */
  function verdict(record: unknown): string {
    let read: Evidence;
    try {
      read = readEvidence(record);
    } catch (error) {
      return (error as Error).message;
    }
    const difference =
      contradiction(read) ??
      modelDifference(read, files) ??
      firstDifference(read, { ...now, format: evidence.format }, terms);
    return difference ? inWords(difference) : changes(read, now).join('\n');
  }

  test('any one field that is changed, gone or there twice is refused', () => {
    const accepted = [...changesOf(evidence)].filter(({ changed }) => {
      try {
        return readEvidence(changed);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_INPUT' });
        return false;
      }
    });
    expect(accepted.map(({ path, what }) => `${path} ${what}`)).toEqual([]);
  });

  test('one that is changed by somebody who mends the checksum is found, unless it is listed as not compared', () => {
    const excused = new Set<string>(notCompared);
    const missed: string[] = [];
    let count = 0;
    for (const { path, what, changed } of changesOf(evidence)) {
      if (path === 'sha256') continue;
      count++;
      const said = verdict(sealed(changed as Evidence));
      const top = path.match(/^\w+/)![0];
      const named =
        said.includes(top) ||
        said.toLowerCase().startsWith(top.replace(/s$/, '')) ||
        (top === 'asked' && said.includes('askedSha256'));
      if (!named && !isExcused(path, excused)) missed.push(`${path} ${what}: ${said || 'the same'}`);
    }
    expect(missed).toEqual([]);
    expect(count).toBeGreaterThan(500);
  });

  test('what was found without running is found by a replay', async () => {
    await using engine = await engineFor(options, about);
    const text = structuredClone(evidence) as unknown as { samples: { text: string }[] };
    text.samples[0]!.text += ' indeed';
    await expect(replayOn(engine, text)).rejects.toThrow('changed after it was written');
    expect((await replayOn(engine, sealed(text))).same).toBe(false);
    const missing = structuredClone(evidence) as unknown as { samples: unknown[] };
    missing.samples.pop();
    expect(await replayOn(engine, sealed(missing))).toMatchObject({
      same: false,
      difference: { path: expect.stringMatching(/^samples.length/) },
      answer: null,
    });
  });
});

function isExcused(path: string, excused: ReadonlySet<string>): boolean {
  const general = path.replace(/\[\d+\]/g, '[]');
  return [...excused].some(name => general === name || general.startsWith(`${name}.`));
}
