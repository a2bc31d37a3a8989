import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Held } from '../../src/engine/held.js';
import type { GenerateOptions } from '../../src/engine/jobs/options.js';
import type { SamplingOptions } from '../../src/engine/jobs/sampling.js';
import { runAhead } from '../../src/engine/loop.js';
import type { Model } from '../../src/engine/model.js';
import { all, endless, ends, exact, loadStories, roomy } from './stories.js';

let model: Model;
let engine: Engine;
const most = { sequences: 12, cells: 2048 };
const usual = runAhead.milliseconds;
/** Nothing but what is delivered, and what is called for, ends a run. */
const noLimit = 1e9;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine({ ...exact, contextSize: most.cells, maxSequences: most.sequences });
});

afterEach(() => {
  runAhead.milliseconds = usual;
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

const tokens = (count: number) => Int32Array.from({ length: count }, (_, i) => 300 + ((i * 7) % 150));
const byte = (value: number) => 3 + value; // the vocabulary has a token for every byte, behind three others

/** Bytes of a euro sign, an emoji, the mark at the beginning of a file, and letters: half characters too. */
const soup = new Map([0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbb, 0xbf, 0x61].map(b => [byte(b), 60]));
/** Fails at its ninth token: the only one that the grammar allows is forbidden. */
const failing = { grammar: 'root ::= "aaaaaaaa" "b"', logitBias: new Map([[byte(0x62), -Infinity]]) };

const seed = fc.nat(1000);
const greedy = fc.record({ temperature: fc.constant(0), repeatPenalty: fc.constantFrom(1, 1.3) });
const sampler = fc.oneof(
  { weight: 6, arbitrary: fc.record({ temperature: fc.constantFrom(0.8, 1.5), seed }) },
  { weight: 3, arbitrary: fc.record({ temperature: fc.constant(1), seed, logitBias: fc.constant(soup) }) },
  { weight: 1, arbitrary: fc.constant({ temperature: 0, ...failing }) },
);
const stops = [
  ' the',
  '. ',
  'a',
  ' a little',
  'e w',
  '€',
  '😀',
  '\uDE00',
  '\uFFFD',
  '\uFEFFa',
  '\u0080',
  '€a',
  ', there was',
];

/** Leaves, or aborts, after so many texts. */
interface Ended {
  readonly how: 'break' | 'abort';
  readonly texts: number;
}
const ended = fc.record({
  how: fc.constantFrom('break' as const, 'abort' as const),
  texts: fc.integer({ min: 1, max: 30 }),
});

const jobsOf = (sampler: fc.Arbitrary<SamplingOptions>, ended: fc.Arbitrary<Ended | undefined>) =>
  fc.array(
    fc.record({
      options: fc.record({
        prompt: fc.integer({ min: 1, max: 20 }).map(tokens),
        samplers: fc.array(sampler, { minLength: 1, maxLength: 3 }),
        maxTokens: fc.integer({ min: 1, max: 40 }),
        stop: fc.subarray(stops, { maxLength: 3 }),
        stopTokens: fc.constantFrom([], [], [byte(0x61)], [300, 403]),
        ends: fc.constantFrom(undefined, [], [byte(0x80)]),
        hold: fc.boolean(),
        logprobs: fc.boolean(),
      }),
      /** Begins when this job, counted from its own place, has ended. */
      after: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      ended,
    }),
    { minLength: 1, maxLength: 4 },
  );

interface Planned {
  readonly options: GenerateOptions;
  readonly after: number | undefined;
  readonly ended: Ended | undefined;
}

/** Everything that jobs are told, and what was counted. */
async function play(jobs: readonly Planned[], milliseconds: number) {
  runAhead.milliseconds = milliseconds;
  const before = { ...engine.counters };
  const stories: Promise<Story>[] = [];
  for (const [i, { after, ...job }] of jobs.entries()) {
    const earlier = after === undefined ? undefined : stories[i - after];
    stories.push(earlier ? earlier.then(() => run(job)) : run(job));
  }
  const told = await Promise.all(stories);
  const { steps, promptTokens, sampledTokens } = engine.counters;
  const lease = await engine.lease(most); // everything has been given back
  lease.release();
  return {
    told,
    steps: steps - before.steps,
    promptTokens: promptTokens - before.promptTokens,
    sampledTokens: sampledTokens - before.sampledTokens,
  };
}

interface Story {
  readonly texts: readonly string[];
  readonly events: readonly unknown[];
}

async function run({ options, ended }: Omit<Planned, 'after'>): Promise<Story> {
  const controller = new AbortController();
  const texts = options.samplers!.map(() => '');
  const events: unknown[] = [];
  const helds: Held[] = [];
  let seen = 0;
  try {
    for await (const event of engine.generate({ ...options, signal: controller.signal })) {
      if (event.type === 'text') {
        texts[event.sample] += event.text;
        events.push(event);
        if (++seen !== ended?.texts) continue;
        if (ended.how === 'break') break;
        controller.abort(new MeditronError('ERR_ABORTED', 'enough'));
      } else if (event.type === 'end') {
        const { held, ...end } = event;
        expect(end.text).toBe(texts[end.sample]);
        events.push(end, held && { tokenCount: held.tokenCount, pending: held.pending, cells: held.cells });
        if (held) helds.push(held);
      } else events.push(event);
    }
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    events.push(error.code);
  }
  for (const held of helds) {
    const half = held.first(1 + (held.tokenCount >> 1));
    for (const from of [held, half])
      events.push(...(await ends(engine.generate({ prompt: tokens(2), from, maxTokens: 5 }))));
    held.release();
  }
  return { texts, events };
}

test('running ahead changes no step, no event, no probability and nothing that is held', async () => {
  await fc.assert(
    fc.asyncProperty(jobsOf(sampler, fc.constant(undefined)), async jobs => {
      expect(await play(jobs, noLimit)).toEqual(await play(jobs, 0));
    }),
    { numRuns: 50 },
  );
}, 120_000);

// When a reader leaves is a matter of time, and with it which batches the others are in: so everybody takes the likeliest token.
test('who leaves or aborts has read the beginning of the same text, and the others are not disturbed', async () => {
  await fc.assert(
    fc.asyncProperty(jobsOf(greedy, fc.option(ended, { nil: undefined })), async jobs => {
      const [alone, ahead] = [await play(jobs, 0), await play(jobs, noLimit)];
      for (const [i, job] of jobs.entries()) {
        for (const [sample, text] of alone.told[i]!.texts.entries()) {
          const other = ahead.told[i]!.texts[sample]!;
          if (job.ended) expect(text.startsWith(other) || other.startsWith(text)).toBe(true);
          else expect(other).toBe(text);
        }
      }
    }),
    { numRuns: 15 },
  );
}, 120_000);

describe('a run without a limit of time ends with the next step when it is called for', () => {
  const long = { ...endless, prompt: tokens(3) };
  const short = { prompt: tokens(4), maxTokens: 3, ignoreEnd: true };

  /** Does something while a job without an end runs ahead of what its reader has seen; true if the job was still running then. */
  async function during(busy: Engine, work: () => Promise<unknown>): Promise<boolean> {
    runAhead.milliseconds = noLimit;
    const controller = new AbortController();
    let running = true;
    let texts = 0;
    let begun = () => {};
    const beginning = new Promise<void>(resolve => {
      begun = resolve;
    });
    const job = (async () => {
      // The first text comes with the prompt's end, after which one step is made for itself.
      for await (const event of busy.generate({ ...long, signal: controller.signal }))
        if (event.type === 'text' && ++texts === 2) begun();
    })()
      .catch(() => {})
      .finally(() => {
        running = false;
      });
    await beginning;
    await work();
    const before = running;
    controller.abort();
    await job;
    return before;
  }

  test('for a job that enters', async () => {
    await using busy = await model.createEngine(roomy);
    expect(await during(busy, () => all(busy.generate(short)))).toBe(true);
  });

  test('for a job whose turn comes when a held sequence is released', async () => {
    await using busy = await model.createEngine({ ...roomy, maxSequences: 2 });
    const [end] = await ends(busy.generate({ ...short, hold: true }));
    const work = async () => {
      const waiting = all(busy.generate(short));
      end!.held!.release();
      await waiting;
    };
    expect(await during(busy, work)).toBe(true);
  });

  test('for a job whose turn comes when a lease ends', async () => {
    await using busy = await model.createEngine({ ...roomy, maxSequences: 2 });
    const lease = await busy.lease({ sequences: 1, cells: 10 });
    const work = async () => {
      const waiting = all(busy.generate(short));
      lease.release();
      await waiting;
    };
    expect(await during(busy, work)).toBe(true);
  });

  test('for a prefix to be saved', async () => {
    await using busy = await model.createEngine(roomy);
    const prefix = await busy.prefix(tokens(20));
    const work = () => busy.savePrefix(prefix, join(tmpdir(), 'ahead.prefix'));
    expect(await during(busy, work)).toBe(true);
  });

  test('for a job that is aborted beside others, whose sequence another waits for', async () => {
    await using busy = await model.createEngine({ ...roomy, maxSequences: 2 });
    const controller = new AbortController();
    const work = async () => {
      const aborted = all(busy.generate({ ...long, signal: controller.signal })).catch(() => {});
      const waiting = all(busy.generate(short));
      setTimeout(() => controller.abort(), 5);
      await Promise.all([aborted, waiting]);
    };
    expect(await during(busy, work)).toBe(true);
  });

  test('for its own reader, who leaves', async () => {
    await using busy = await model.createEngine(roomy);
    runAhead.milliseconds = noLimit;
    let texts = 0;
    for await (const event of busy.generate(long)) if (event.type === 'text' && ++texts === 2) break;
    await all(busy.generate(short));
    expect(busy.counters.steps).toBeLessThan(long.maxTokens);
  });

  test('and for the engine to be closed', async () => {
    const busy = await model.createEngine(roomy);
    await during(busy, () => busy.close());
    expect(busy.counters.sampledTokens).toBeLessThan(long.maxTokens);
  });
});
