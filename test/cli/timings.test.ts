import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Stopwatch, type Timings } from '../../src/cli/timings.js';
import type { GenerateEvent, SampleEnd } from '../../src/engine/jobs/generation.js';
import { meditron, model } from './command.js';

/** A tenth of a millisecond of rounding either way, in every figure that a rate is made of. */
function expectRate(rate: number | null, tokens: number, milliseconds: number): void {
  expect(rate).toBeGreaterThanOrEqual((tokens / (milliseconds + 0.1)) * 1000 - 0.1);
  expect(rate).toBeLessThanOrEqual((tokens / Math.max(0.01, milliseconds - 0.1)) * 1000 + 0.1);
}

const line = (name: string) => new RegExp(`^${name} +\\S.*$`, 'm');

describe('run', () => {
  const args = ['run', '-m', model, '-p', 'Once upon a time', '-n', '3', '--max-tokens', '20', '--threads', '1'];

  test('--json: what is told agrees with what was counted', async () => {
    const { stdout } = await meditron([...args, '--ignore-end', '--timings', '--json']);
    const { timings, promptTokens } = JSON.parse(stdout) as {
      timings: Timings & { totalMs: number };
      promptTokens: number;
    };
    expect(timings).toMatchObject({ promptTokens, sampledTokens: 60 });
    expectRate(timings.promptTokensPerSecond, promptTokens, timings.promptMs);
    expectRate(timings.tokensPerSecond, 57, timings.generateMs);
    expect(timings.tokensPerSecondOfOne).toBeLessThanOrEqual(timings.tokensPerSecond!);
    expect(timings.firstTokenMs).toBeGreaterThanOrEqual(timings.promptMs);
    expect(timings.loadMs! + timings.promptMs + timings.generateMs).toBeLessThanOrEqual(timings.totalMs + 0.3);
  });

  test('the text is the same with them, and they stand on stderr, a line each', async () => {
    const [plain, timed] = [await meditron(args), await meditron([...args, '--timings'])];
    expect(timed.stdout).toBe(plain.stdout);
    expect(plain.stderr).toBe('');
    for (const name of ['loading', 'prompt', 'first token', 'generation']) expect(timed.stderr).toMatch(line(name));
    expect(timed.stderr).toMatch(
      /^generation +\d+ tokens in .+, [\d.]+ tokens\/s in all, [\d.]+ tokens\/s of one sample$/m,
    );
  });
});

describe('ask', () => {
  const question = 'Which vitamin prevents scurvy?\nA. Vitamin A\nB. Vitamin C\n';
  const args = ['ask', '-m', model, '--format', 'raw', '--max-tokens', '16', '--threads', '1', '--json'];

  test('counts the tokens of all samples, wave after wave', async () => {
    const { stdout } = await meditron([...args, '--samples', '5', '--stop-rule', 'none', '--timings'], question);
    const { timings, samples, plan } = JSON.parse(stdout);
    const counts: number[] = samples.map((sample: { tokenCount: number }) => sample.tokenCount);
    expect(samples).toHaveLength(5);
    expect(timings.sampledTokens).toBe(counts.reduce((a, b) => a + b));
    expect(timings.promptTokens).toBeGreaterThanOrEqual(plan.promptTokens);
    expectRate(timings.tokensPerSecond, timings.sampledTokens - 5, timings.generateMs);
  });

  test('top-token samples nothing', async () => {
    const { stdout } = await meditron([...args, '--mode', 'top-token', '--timings'], question);
    const { timings } = JSON.parse(stdout);
    expect(timings).toMatchObject({ sampledTokens: 0, generateMs: 0, firstTokenMs: null, tokensPerSecond: null });
    expect(timings.promptTokens).toBeGreaterThan(0);
    expect(timings.promptMs).toBeGreaterThan(0);
  });

  test('says them only when asked to', async () => {
    const { stdout } = await meditron([...args, '--samples', '1'], question);
    expect(JSON.parse(stdout)).not.toHaveProperty('timings');
  });
});

test('chat: each answer has its own, and only the first had a model to load', async () => {
  const args = ['chat', '-m', model, '--format', 'alpaca', '--max-tokens', '12', '--threads', '1', '--timings'];
  const { stdout } = await meditron([...args, '--json'], 'Tell me a story\nAnd then?\n');
  const answers = stdout
    .trim()
    .split('\n')
    .map(text => JSON.parse(text));
  expect(answers.map(({ timings }) => timings.loadMs)).toEqual([expect.any(Number), null]);
  for (const { timings, evaluatedTokens } of answers) expect(timings.promptTokens).toBe(evaluatedTokens);
  const { stderr } = await meditron(args, 'Tell me a story\nAnd then?\n');
  expect(stderr.match(/^loading/gm)).toHaveLength(1);
  expect(stderr.match(/^generation/gm)).toHaveLength(2);
});

describe('a stopwatch', () => {
  let now = 0;
  beforeEach(() => {
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  const counters = { steps: 0, promptTokens: 0, sampledTokens: 0 };
  const prompted = (total: number): GenerateEvent => ({ type: 'prompt', done: total, total });
  const text: GenerateEvent = { type: 'text', sample: 0, text: 'x' };
  const end = (tokens: number, finish: SampleEnd['finish'] = 'length'): GenerateEvent => ({
    ...{ type: 'end', sample: 0, finish, text: '', tokens: new Int32Array(tokens) },
    ...{ textTokens: tokens, logprobs: undefined, stop: undefined, held: undefined },
  });
  /** A job of one sample whose events come at given milliseconds, when they are asked for. */
  async function* job(...events: readonly (readonly [at: number, GenerateEvent])[]) {
    for (const [at, event] of events) {
      now = at;
      yield event;
    }
  }
  const drain = async (events: AsyncGenerator<GenerateEvent>) => {
    for await (const _ of events);
  };

  test('counts the first token to the prompt, the others to the generation', async () => {
    now = 1000;
    const engine = { counters: { ...counters } };
    const stopwatch = new Stopwatch(engine as never);
    const events = job([1500, prompted(100)], [1600, text], [2500, end(11)]);
    await drain(stopwatch.watch(events, 1));
    engine.counters.sampledTokens = 11;
    expect(stopwatch.timings()).toEqual({
      ...{ promptTokens: 100, promptMs: 500, promptTokensPerSecond: 200, firstTokenMs: 600 },
      ...{ sampledTokens: 11, generateMs: 1000, tokensPerSecond: 10, tokensPerSecondOfOne: 10 },
    });
  });

  test('counts the time of jobs that run at once once', async () => {
    now = 0;
    const engine = { counters: { ...counters } };
    const stopwatch = new Stopwatch(engine as never);
    const one = stopwatch.watch(job([100, prompted(10)], [1100, end(11)]), 1);
    const other = stopwatch.watch(job([100, prompted(10)], [1100, end(11)]), 1);
    await one.next();
    await other.next();
    await one.next();
    await other.next();
    await drain(one);
    await drain(other);
    engine.counters.sampledTokens = 22;
    expect(stopwatch.timings()).toMatchObject({ generateMs: 1000, tokensPerSecond: 20, tokensPerSecondOfOne: 10 });
  });

  test('of a job that was cut off in its prompt it knows no speed of samples', async () => {
    now = 0;
    const stopwatch = new Stopwatch({ counters: { ...counters } } as never);
    await drain(stopwatch.watch(job([100, { type: 'prompt', done: 5, total: 10 }], [200, end(0, 'cancelled')]), 1));
    expect(stopwatch.timings()).toMatchObject({
      ...{ promptTokens: 5, promptMs: 200, generateMs: 0, tokensPerSecond: null, tokensPerSecondOfOne: null },
    });
  });
});
