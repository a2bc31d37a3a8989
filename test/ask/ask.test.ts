import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ask, askStream } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replayOn } from '../../src/ask/record/replay.js';
import { readEvidence } from '../../src/ask/record/schema.js';
import type { Answer, AskEvent } from '../../src/ask/types.js';
import { MeditronError } from '../../src/check/errors.js';
import type { GenerateEvent } from '../../src/engine/jobs/generation.js';
import type { GenerateOptions } from '../../src/engine/jobs/options.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine, type Line, says } from './fake.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };
const boolean: Question = { kind: 'boolean', question: 'Is it?', context: ['It was seen.'] };

const asked = (engine: FakeEngine, options: AskOptions = {}, about: Question = question) =>
  ask(engine, about, { format: 'raw', hash: false, ...options });

const answers = async (script: string | readonly Line[], options: AskOptions = {}) => {
  const engine = new FakeEngine(typeof script === 'string' ? says(script) : script);
  const answer = await asked(engine, options);
  expect(engine.held).toBe(0);
  return { answer, engine };
};

describe('a vote reports what happened', () => {
  test('when all samples say the same, the fifth is not needed', async () => {
    const { answer } = await answers('AAAAA', { width: 4 });
    expect(answer).toMatchObject({
      answer: 'A',
      decision: 'agree',
      reason: null,
      summary: '4 of 5, 1 not run',
      dissent: null,
    });
    expect(answer.votes).toEqual({ A: 4, B: 0, C: 0, D: 0, unparsed: 0, notRun: 1 });
    expect(answer.vote).toMatchObject({ stoppedBy: 'exact', settled: true });
    expect(answer.vote!.votes[0]!.wilson).toBeUndefined(); // n was not fixed
  });

  test('a full vote has bounds, entropy and a dissenting rationale', async () => {
    const { answer } = await answers('AABAA', { stop: 'none' });
    expect(answer.summary).toBe('4 of 5');
    expect(answer.vote!.entropy).toBeCloseTo(0.500402, 6);
    expect(answer.vote!.votes[0]!.wilson!.low).toBeCloseTo(0.376, 3);
    expect(answer.rationale).toEqual({ answer: 'A', sample: 0, text: 'because of this.\nThe answer is: A' });
    expect(answer.dissent).toMatchObject({ answer: 'B', sample: 2 });
  });

  test('a tie goes to the lowest sample, is flagged and carries no agreement', async () => {
    const { answer } = await answers('BAABC', { stop: 'none' });
    expect(answer).toMatchObject({ answer: 'B', decision: 'split', reason: 'tie' });
    expect(answer.vote!.tie).toBe(true);
    expect(answer.summary).toContain('Two answers have the same number of votes');
  });

  test('no answer at all is an abstention, not a guess', async () => {
    const { answer } = await answers('-----', { reask: false });
    expect(answer).toMatchObject({ answer: null, decision: 'abstain', reason: 'no_answer', rationale: null });
    expect(answer.votes).toEqual({ A: 0, B: 0, C: 0, D: 0, unparsed: 5, notRun: 0 });
    expect(answer.samples.map(s => s.answer)).toEqual([null, null, null, null, null]);
  });

  test('too few answers are an abstention though they agree', async () => {
    const { answer } = await answers('-A--A', { reask: false, stop: 'none' });
    expect(answer).toMatchObject({
      answer: 'A',
      decision: 'abstain',
      reason: 'too_few',
      summary: expect.stringContaining('2 of 5, 3 gave no answer'),
    });
  });

  test('chains that were cut off by length say so, and abstain', async () => {
    const lines = says('AA-A-').map((line, i) => (i === 2 || i === 4 ? { ...line, finish: 'length' as const } : line));
    const { answer } = await answers(lines, { reask: false, stop: 'none' });
    expect(answer.samples.map(s => s.finish)).toEqual(['end', 'end', 'length', 'end', 'length']);
    expect(answer).toMatchObject({
      answer: 'A',
      decision: 'split',
      reason: 'low_agreement',
      votes: { A: 3, unparsed: 2 },
    });
  });

  test('two answers in one text are a conflict and the last counts', async () => {
    const { answer } = await answers([{ text: 'The answer is: A\nNo. The answer is: B' }, ...says('BBBB')], {
      stop: 'none',
    });
    expect(answer.samples[0]).toMatchObject({ answer: 'B', conflict: true, rule: 'cue' });
  });

  test('the order in which samples finish does not decide', async () => {
    const steps = [5, 4, 3, 2, 1];
    const { answer } = await answers(
      says('BAABC').map((line, i) => ({ ...line, steps: steps[i]! })),
      { stop: 'none' },
    );
    expect(answer).toMatchObject({ answer: 'B', reason: 'tie' });
    expect(answer.samples.map(s => s.index)).toEqual([0, 1, 2, 3, 4]);
  });

  test('the sum of log-probabilities and the tokens are of each sample', async () => {
    const { answer } = await answers(says('AAAAA', { logprob: -0.25 }), { stop: 'none' });
    const [sample] = answer.samples;
    expect(sample!.tokenCount).toBe(sample!.text.length);
    expect(sample!.tokens).toHaveLength(sample!.tokenCount);
    expect(sample!.logprob).toBeCloseTo(-0.25 * sample!.tokenCount, 6);
    expect(new Set(answer.samples.map(s => s.seed)).size).toBe(5);
  });

  test('an answer is plain data', async () => {
    const { answer } = await answers('AABAA');
    expect(JSON.parse(JSON.stringify(answer.samples))).toEqual(answer.samples);
    expect(answer.notice).toMatch(/does not replace a clinician/);
  });
});

describe('stopping early', () => {
  test('a sample that answers late is cut, shown apart and not counted', async () => {
    const engine = new FakeEngine(says('AAAAB').map((line, i) => ({ ...line, steps: i === 4 ? 400 : 1 })));
    const answer = await asked(engine);
    expect(answer).toMatchObject({ answer: 'A', summary: '4 of 5, 1 not run', votes: { notRun: 1 } });
    expect(answer.samples.map(s => s.index)).toEqual([0, 1, 2, 3]);
    expect(answer.cut.map(c => c.index)).toEqual(answer.cut.length > 0 ? [4] : []);
    expect(engine.counters.steps).toBeLessThan(10);
    expect(engine.held).toBe(0);
  });

  test('samples that finish in the step that settles the vote still count', async () => {
    const { answer } = await answers('AAAAA');
    expect(answer).toMatchObject({ summary: '5 of 5', votes: { A: 5, notRun: 0 } });
  });

  test('waves leave out what is no longer needed', async () => {
    const { answer, engine } = await answers('AAAAB', { width: 2 });
    expect(answer.plan.waves).toEqual([2, 2, 1]);
    expect(engine.jobs).toHaveLength(2);
    expect(answer.summary).toBe('4 of 5, 1 not run');
  });

  test('a lower threshold is reached earlier, a decision that is lost is waited for until it cannot become a tie', async () => {
    expect((await answers('AAABB', { width: 1, minAgreement: 3 })).answer.summary).toBe('3 of 5, 2 not run');
    expect((await answers('AABCB', { width: 1 })).answer).toMatchObject({ reason: 'tie', votes: { notRun: 0 } });
    const { answer } = await answers('AAAB-', { width: 1, minAgreement: 5 });
    expect(answer).toMatchObject({ answer: 'A', decision: 'split', votes: { A: 3, B: 1, notRun: 1 } });
  });

  test('beta counts samples in order, and those after its stop not at all', async () => {
    const engine = new FakeEngine(
      says('AAAAB'.padEnd(20, 'B')).map((line, i) => ({ ...line, steps: i === 3 ? 3 : 1 })),
    );
    const answer = await asked(engine, { samples: 20 });
    expect(answer.vote!.stoppedBy).toBe('beta');
    expect(answer.samples.map(s => s.answer).join('')).toBe('AAAA');
    expect(answer.cut.map(c => c.index)).toContain(4);
    expect(answer.votes).toMatchObject({ A: 4, B: 0, notRun: 16 });
  });

  // Every vote of five samples over three answers and silence: 4^5 scripts.
  test('with five samples exact stopping never changes winner, decision, reason or tie, and saves tokens', async () => {
    const letters = 'ABC-';
    let full = 0;
    let early = 0;
    for (let n = 0; n < 4 ** 5; n++) {
      const script = Array.from({ length: 5 }, (_, i) => letters[Math.floor(n / 4 ** i) % 4]).join('');
      const all = (await answers(script, { reask: false, stop: 'none' })).answer;
      const some = (await answers(script, { reask: false, width: 1 })).answer;
      const said = ({ answer, decision, reason, vote }: Answer) => [script, answer, decision, reason, vote!.tie];
      expect(said(some)).toEqual(said(all));
      full += all.samples.reduce((sum, s) => sum + s.tokenCount, 0);
      early += some.samples.reduce((sum, s) => sum + s.tokenCount, 0);
    }
    expect(early).toBeLessThan(full);
  });
});

describe('asking again', () => {
  const score = (continuation: string) => (continuation === ' C' ? -0.1 : -2);

  test('a chain without an answer is asked for one token on its own cache', async () => {
    const engine = new FakeEngine(says('CC-CC'), { score });
    const answer = await asked(engine, { stop: 'none' });
    expect(engine.scored).toHaveLength(1);
    expect(engine.scored[0]!.prompt).toBe('\nThe answer is:');
    expect(engine.scored[0]!.held).toBe((engine.jobs[0]!.prompt as Int32Array).length + 'I cannot say'.length);
    expect(engine.scored[0]!.continuations).toEqual([' A', ' B', ' C', ' D']);
    expect(answer.samples[2]).toMatchObject({
      answer: 'C',
      forced: true,
      rule: 'reask',
      text: 'I cannot say',
      reask: { C: -0.1, A: -2 },
    });
    expect(answer.vote).toMatchObject({ forced: 1, cast: 5 });
    expect(answer.summary).toBe('5 of 5, 1 of them only when asked again');
    expect(engine.held).toBe(0);
  });

  test('answers that came only when asked again carry no agreement', async () => {
    const engine = new FakeEngine(says('-----'), { score });
    expect(await asked(engine)).toMatchObject({ answer: 'C', decision: 'abstain', reason: 'no_answer' });
  });

  test('it is not done when the vote is settled without it', async () => {
    const engine = new FakeEngine(says('-AAAA'), { score });
    expect(await asked(engine)).toMatchObject({ answer: 'A', summary: '4 of 5, 1 gave no answer' });
    expect(engine.scored).toHaveLength(0);
  });

  test('few sequences: the answers are compared on the cache where one is left for it, else on the tokens evaluated anew', async () => {
    const engine = new FakeEngine(says('-----'), { score, maxSequences: 6 });
    const answer = await asked(engine, { stop: 'none' });
    expect(answer.samples.every(s => s.answer === 'C')).toBe(true);
    expect(engine.scored.every(s => s.prompt === '\nThe answer is:')).toBe(true);
    expect(engine.leases.map(lease => lease.sequences)).toEqual([6]);
    const tight = new FakeEngine(says('-----'), { score, maxSequences: 5 });
    expect((await asked(tight, { stop: 'none' })).votes).toMatchObject({ C: 5 });
    expect(tight.scored.at(-1)!.prompt).toMatch(/I cannot say\nThe answer is:$/);
    expect(tight.held).toBe(0);
  });

  test('paper and authors-code do not ask again', async () => {
    for (const protocol of ['paper', 'authors-code'] as const) {
      const engine = new FakeEngine(says('----------'), { score });
      await asked(engine, { protocol });
      expect(engine.scored).toHaveLength(0);
    }
  });
});

describe('what does not fit is told', () => {
  test('fewer sequences than samples make waves', async () => {
    const engine = new FakeEngine(says('ABABA'), { maxSequences: 3 });
    const answer = await asked(engine, { stop: 'none' });
    expect(answer.plan.waves).toEqual([2, 2, 1]); // one sequence keeps the prompt
    expect(answer.warnings.join()).toMatch(/2 of 5 samples run at once: the engine has 3 sequences/);
    expect(answer.votes).toMatchObject({ A: 3, B: 2 });
    expect(engine.jobs.every(job => (job.prompt as Int32Array).length === 1)).toBe(true); // evaluated once
  });

  test('fewer cells than samples need make waves', async () => {
    const engine = new FakeEngine(says('ABABA'), { contextSize: 2700 });
    const answer = await asked(engine, { stop: 'none' });
    expect(answer.plan).toMatchObject({ waves: [2, 2, 1], maxTokens: 1024 });
  });

  test('a short context shortens the chains, unless a length was asked for', async () => {
    const engine = new FakeEngine(says('AAAAA'), { sequenceSize: 1000 });
    const answer = await asked(engine);
    expect(answer.plan.maxTokens).toBeLessThan(1000 - answer.plan.promptTokens!);
    expect(answer.warnings.join()).toMatch(/new tokens instead of 1024/);
    await expect(asked(engine, { maxTokens: 900 })).rejects.toMatchObject({
      code: 'ERR_CONTEXT_FULL',
      message: expect.stringMatching(/The prompt has \d+ tokens.* 900 new ones .* 1000 fit/),
    });
  });

  test('four samples at once on a CPU, all on a GPU, whatever the stopping rule', async () => {
    for (const stop of ['none', 'exact'] as const) {
      expect((await asked(new FakeEngine(says('ABCDA'), { gpuLayers: 0 }), { stop })).plan.waves).toEqual([4, 1]);
      expect((await asked(new FakeEngine(says('ABCDA')), { stop })).plan.waves).toEqual([5]);
    }
  });
});

describe('closing from outside', () => {
  const slow = () => new FakeEngine(says('AAAAA').map((line, i) => ({ ...line, steps: i < 2 ? 1 : 1_000_000 })));

  test('a deadline gives the vote so far, with its n', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const engine = slow();
    const stream = askStream(engine, question, { format: 'raw', hash: false, deadline: 500 });
    let next = await stream.next();
    for (; !next.done; next = await stream.next())
      if (next.value.type === 'vote' && next.value.tally.A === 2) vi.advanceTimersByTime(500);
    const answer = next.value;
    expect(answer).toMatchObject({ answer: 'A', decision: 'abstain', reason: 'deadline', votes: { A: 2, notRun: 3 } });
    expect(answer.summary).toMatch(/^2 of 5, 3 not run\. The time was up/);
    expect(engine.held).toBe(0);
  });

  test('`until` does the same at a time of the caller’s choosing', async () => {
    const controller = new AbortController();
    const stream = askStream(slow(), question, { format: 'raw', hash: false, until: controller.signal });
    for (;;) {
      const { done, value } = await stream.next();
      if (done) {
        expect(value).toMatchObject({ reason: 'aborted', votes: { A: 2, notRun: 3 } });
        return;
      }
      if (value.type === 'vote' && value.tally.A === 2) controller.abort();
    }
  });

  test('an aborted signal throws its reason, before and meanwhile', async () => {
    const reason = new Error('enough');
    await expect(asked(slow(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const engine = slow();
    setTimeout(() => controller.abort(reason), 20);
    await expect(asked(engine, { signal: controller.signal })).rejects.toBe(reason);
    expect(engine.held).toBe(0);
  });

  test('leaving the loop cancels and releases everything', async () => {
    const engine = slow();
    for await (const event of askStream(engine, question, { format: 'raw', hash: false }))
      if (event.type === 'vote') break;
    const { steps } = engine.counters;
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(engine.counters.steps).toBeLessThan(steps + 3);
    expect(engine.held).toBe(0);
  });
});

test('events: a plan, text that is unverified, votes with the tally so far, and the close', async () => {
  const events: AskEvent[] = [];
  for await (const event of askStream(new FakeEngine(says('ABA')), question, {
    samples: 3,
    format: 'raw',
    hash: false,
  }))
    events.push(event);
  expect(events[0]).toMatchObject({ type: 'plan', plan: { samples: 3 } });
  expect(events.filter(e => e.type === 'text').every(e => e.verified === false)).toBe(true);
  expect(events.filter(e => e.type === 'vote').map(e => [e.sample, e.answer, e.tally.A])).toEqual([
    [0, 'A', 1],
    [1, 'B', 1],
    [2, 'A', 2],
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'settled', notRun: 0 });
});

describe('what fails in the middle', () => {
  const error = new MeditronError('ERR_ENGINE_DIED', 'It was ended by SIGSEGV');

  /** Dies once so many samples have ended. */
  class Dying extends FakeEngine {
    left = 0;

    override async *generate(job: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
      for await (const event of super.generate(job)) {
        yield event;
        if (event.type === 'end' && --this.left === 0) throw error;
      }
    }
  }

  test.each([
    ['AB-CA', 'sc-cot', { stop: 'none' }, { kind: 'choice' }],
    ['AAAAA', 'sc-cot', { stop: 'exact', reask: false }, { kind: 'choice' }],
    ['ABABA', 'ranked', {}, { kind: 'open' }],
    ['ABABA', 'free', { samples: 5 }, { kind: 'open' }],
  ] as const)(
    '%s, %s: a record of what had finished comes before the error, and replays',
    async (script, mode, options, { kind }) => {
      const lines = says(script).map((line, i) => ({ ...line, steps: i + 1 }));
      const about: Question = kind === 'choice' ? question : { kind, question: 'What is it?' };
      const given = { format: 'raw', hash: false, mode, width: 3, ...options } as const;
      for (let ended = 1; ended <= 3; ended++) {
        const dying = new Dying(lines);
        dying.left = ended;
        const stream = askStream(dying, about, given);
        const events: AskEvent[] = [];
        await expect(
          (async () => {
            for await (const event of stream) events.push(event);
          })(),
        ).rejects.toBe(error);
        expect(dying.held).toBe(0);
        const last = events.at(-1)!;
        if (last.type !== 'unfinished') throw new Error(`Expected a record, got ${last.type}`);
        // One that may be asked again has not finished.
        const indices = [...script].slice(0, ended).flatMap((answer, i) => (answer === '-' ? [] : [i]));
        const record = JSON.parse(JSON.stringify(last.evidence));
        expect(record.samples.map(({ index }: { index: number }) => index)).toEqual(indices);
        expect(record.result.votes.notRun).toBe(5 - indices.length);
        expect(record.result).toMatchObject({ stoppedBy: 'failed', decision: mode === 'free' ? null : 'abstain' });
        expect(await replayOn(new FakeEngine(lines), record)).toMatchObject({ same: true });
      }
    },
  );

  test('before anything had finished there is no record', async () => {
    const engine = new FakeEngine(says('AAAAA'));
    engine.generate = () => {
      throw error;
    };
    const events: AskEvent[] = [];
    const all = async () => {
      for await (const event of askStream(engine, question, { format: 'raw', hash: false })) events.push(event);
    };
    await expect(all()).rejects.toBe(error);
    expect(events.map(({ type }) => type)).toEqual(['plan']);
  });

  test('what a watcher alone had heard is refused with the reason', () => {
    expect(() => readEvidence({ schema: 'meditron.partial.v1', samples: [] })).toThrow(
      expect.objectContaining({ code: 'ERR_INPUT', message: expect.stringContaining('part of a vote that was lost') }),
    );
  });
});

describe('shuffled options', () => {
  // A model that knows: it names the letter under which Gamma stands.
  const knows = (_: number, prompt: string): Line => ({
    text: `The answer is: ${/^([A-D])\. Gamma$/m.exec(prompt)![1]}`,
  });

  test.each(['rotate', 'seeded', 'bell'] as const)(
    '%s: letters are mapped back to the original options',
    async shuffle => {
      const engine = new FakeEngine(knows);
      const answer = await asked(engine, { shuffle, stop: 'none' });
      expect(answer.votes).toMatchObject({ C: 5 });
      expect(new Set(answer.samples.map(s => s.text)).size).toBeGreaterThan(1);
      expect(answer.samples.every(s => s.order!.length === 4)).toBe(true);
      expect(answer.evidence.prompts.length).toBeGreaterThan(1);
      expect(engine.held).toBe(0);
    },
  );

  test('a model that always says A is found out', async () => {
    const { answer } = await answers('AAAA', { shuffle: 'rotate', samples: 4, stop: 'none' });
    expect(answer.votes).toMatchObject({ A: 1, B: 1, C: 1, D: 1 });
    expect(answer).toMatchObject({ decision: 'split', reason: 'tie' });
  });

  test('asked again, the letters are mapped back too', async () => {
    const engine = new FakeEngine(says('--'), { score: continuation => (continuation === ' A' ? -0.1 : -3) });
    const answer = await asked(engine, { shuffle: 'rotate', samples: 2, stop: 'none' });
    expect(answer.samples.map(s => s.answer)).toEqual(['A', 'B']);
  });
});

describe('weighted votes', () => {
  const lines = (): Line[] =>
    ['A', 'B', 'A', 'B', 'A'].map((a, i) => ({
      text: `The answer is: ${a}`,
      logprob: [-0.9, -0.3, -0.95, -0.5, -1.1][i]!,
    }));

  test('by sequence probability: the vector of arXiv 2203.11171’s normalised weighting', async () => {
    const { answer } = await answers(lines(), { weighting: 'probability' });
    expect(answer.answer).toBe('B');
    expect(answer.weighted!.totals.map(t => t.weight)).toEqual([
      expect.closeTo(1.347349, 5),
      expect.closeTo(1.126182, 5),
    ]);
    expect(answer).toMatchObject({
      decision: 'split',
      summary: expect.stringContaining('By count alone the answer would be A'),
    });
  });

  test('they do not mix with stopping early', async () => {
    await expect(answers('AAAAA', { weighting: 'cisc', stop: 'exact' })).rejects.toMatchObject({ code: 'ERR_OPTION' });
    expect((await answers('AAAAA', { weighting: 'cisc' })).answer.samples).toHaveLength(5);
  });
});

test('a conversation is answered in words', async () => {
  const chat: Question = { kind: 'chat', messages: [{ role: 'user', content: 'What is scurvy?' }] };
  const answer = await asked(new FakeEngine([{ text: 'A lack of vitamin C.' }]), { format: 'one-shot' }, chat);
  expect(answer).toMatchObject({ answer: null, decision: null, samples: [{ text: 'A lack of vitamin C.' }] });
  await expect(asked(new FakeEngine([]), { format: 'one-shot', mode: 'cot' }, chat)).rejects.toMatchObject({
    code: 'ERR_OPTION',
  });
});

describe('open questions', () => {
  const open: Question = { kind: 'open', question: 'Chest pain and fever.' };
  const list = (...names: string[]): Line => ({ text: JSON.stringify({ diagnoses: names }) });

  test('lists are merged, and each item says how many samples named it', async () => {
    const engine = new FakeEngine([
      list('Pericarditis', 'Pneumonia', 'Myocardial infarction'),
      list('pericarditis', 'Pulmonary embolism'),
      list('Pneumonia', 'Pericarditis'),
      { text: 'no list', finish: 'length' },
      list('Pericarditis', 'Pneumonias'),
    ]);
    const answer = await asked(engine, { mode: 'ranked' }, open);
    expect(answer.ranking!.items.map(i => [i.name, i.named, i.of])).toEqual([
      ['Pericarditis', 4, 5],
      ['Pneumonia', 3, 5],
      ['Pulmonary embolism', 1, 5],
      ['Myocardial infarction', 1, 5],
    ]);
    expect(answer).toMatchObject({
      answer: 'Pericarditis',
      votes: { Pericarditis: 3, Pneumonia: 1, unparsed: 1, notRun: 0 },
    });
    expect(answer.ranking!.withoutList).toBe(1);
    expect(engine.jobs[0]!.samplers![0]!.grammar).toContain('diagnoses');
  });

  test('free text is shown and not counted', async () => {
    const answer = await asked(new FakeEngine([{ text: 'Rest.' }]), {}, open);
    expect(answer).toMatchObject({ answer: null, decision: null, vote: null });
    expect(answer.samples.map(s => s.text)).toEqual(['Rest.']);
  });
});

test('yes/no/maybe questions vote in words', async () => {
  const answer = await asked(
    new FakeEngine(['yes', 'maybe', 'yes', 'no', 'yes'].map(a => ({ text: `The answer is: ${a}` }))),
    { stop: 'none' },
    boolean,
  );
  expect(answer).toMatchObject({ answer: 'yes', votes: { yes: 3, no: 1, maybe: 1 } });
});

describe('options', () => {
  test.each([
    [{ sampels: 5 }, /did you mean `samples`/],
    [{ samples: 0 }, /`samples`/],
    [{ samples: Number.NaN }, /`samples`/],
    [{ temperature: '0.8' }, /`temperature`/],
    [{ mode: 'cott' }, /did you mean cot/],
    [{ stop: 'exakt' }, /did you mean exact/],
    [{ minAgreement: 6 }, /from 1 to 5/],
    [{ debias: 'permutations' }, /top-token/],
    [{ mode: 'top-token', shuffle: 'rotate' }, /debias/],
    [{ signal: 1 }, /AbortSignal/],
  ])('%j is refused', async (options, message) => {
    await expect(asked(new FakeEngine([]), options as AskOptions)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(message),
    });
  });

  test('a model whose format is not known is refused with the choices', async () => {
    await expect(ask(new FakeEngine([]), question, { hash: false })).rejects.toMatchObject({
      code: 'ERR_PROMPT_FORMAT',
      message: expect.stringContaining('Choose one: chatml'),
    });
  });

  test('a format whose tokens the vocabulary lacks is warned of', async () => {
    const answer = await asked(new FakeEngine(says('AAAAA')), { format: 'chatml' });
    expect(answer.warnings.join()).toContain('<|im_start|>, which this model');
  });

  test('settings without a meaning in the mode are told', async () => {
    const answer = await asked(new FakeEngine(says('A')), { mode: 'cot', samples: 5 });
    expect(answer.warnings.join()).toContain('`samples` has no meaning in mode cot');
    expect(answer.samples).toHaveLength(1);
  });
});
