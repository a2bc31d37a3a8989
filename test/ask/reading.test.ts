import { describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replayOn } from '../../src/ask/record/replay.js';
import { answerScreen } from '../../src/cli/terminal/answer.js';
import type { PromptFormat } from '../../src/prompt/format/format.js';
import { formats } from '../../src/prompt/format/formats.js';
import type { Question } from '../../src/prompt/question/question.js';
import { saying } from './saying.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };
const asked = (text: string, options: AskOptions = {}) => ask(saying(text), question, { format: 'raw', ...options });
const json = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a record is read by the rules of its time', () => {
  const texts = [
    'so \\boxed{B}',
    '<think>The answer is: A</think>The answer is: C',
    '## Final answer\n\nD',
    'The answer is: B',
  ];

  test.each(texts)('%j', async text => {
    for (const reading of [1, 2] as const) {
      for (const reask of [true, false]) {
        const { evidence } = await asked(text, { reading, reask });
        expect(evidence.asked.reading).toBe(reading === 1 ? undefined : 2);
        const replayed = await replayOn(saying(text), json(evidence));
        expect(replayed).toMatchObject({ same: true, difference: null });
      }
    }
  });

  test('and one of before is not read by those of now', async () => {
    const before = await asked(texts[0]!, { reading: 1, reask: false });
    expect(before).toMatchObject({ answer: null, reason: 'no_answer' });
    expect((await replayOn(saying(texts[0]!), json(before.evidence))).answer).toMatchObject({ answer: null });
    expect(await asked(texts[0]!)).toMatchObject({ answer: 'B', decision: 'agree' });
  });
});

describe('what a model thinks stands apart', () => {
  const text = '<think>Perhaps A.\nThe answer is: A</think>\n\nIt is C.\nThe answer is: C';

  test('in samples, in the reasons, in the record and on the screen', async () => {
    const answer = await asked(text);
    const apart = { said: 'It is C.\nThe answer is: C', thinking: 'Perhaps A.\nThe answer is: A' };
    expect(answer).toMatchObject({ answer: 'C', decision: 'agree', dissent: null });
    expect(answer.samples[0]).toMatchObject({ text, ...apart });
    expect(answer.rationale).toEqual({ answer: 'C', sample: 0, text: apart.said, thinking: apart.thinking });
    expect(answer.evidence.samples[0]).toMatchObject({ text, ...apart });
    const screen = answerScreen(question, answer, { columns: 80 } as never);
    expect(screen).toContain(
      `For C (sample 1)\n${apart.said}\n\nIts thinking, in which no answer is read\n${apart.thinking}`,
    );
  });

  test('and a sample without any says nothing of it', async () => {
    const { samples, rationale } = await asked('The answer is: C');
    for (const said of [samples[0]!, rationale!]) expect(Object.keys(said)).not.toContain('thinking');
  });

  test('in open answers and lists too', async () => {
    const open: Question = { kind: 'open', question: 'Why?' };
    const free = await ask(saying('[THINK]hm[/THINK]Because.'), open, { format: 'raw' });
    expect(free.samples[0]).toMatchObject({ said: 'Because.', thinking: 'hm' });
    const listed = '<|inner_prefix|>["Gout"]<|inner_suffix|>["Asthma"]';
    const { ranking } = await ask(saying(listed), open, { format: 'raw', mode: 'ranked' });
    expect(ranking!.items.map(({ name }) => name)).toEqual(['Asthma']);
  });

  test('also where tokens were used up within it, and where the prompt had begun it', async () => {
    expect(await asked('<think>The answer is: A', { reask: false })).toMatchObject({
      answer: null,
      reason: 'no_answer',
    });
  });
});

describe('a line of `###`', () => {
  const text = 'It is B.\nThe answer is: B\n### A note\nThe answer is: C';
  const conversing = formats.filter(({ name, accepts }) => accepts.demonstrations && name !== 'few-shot');
  const ends = (format: PromptFormat) =>
    format.stops({ question, mode: 'cot', protocol: 'strict' }).texts.includes('###');

  test.each(formats.map(format => [format.name, format] as const))(
    'ends an answer where it ends a text of the format %s, and else stands above a part of it',
    async (name, format) => {
      const { answer } = await ask(saying(text), question, { format: name, mode: 'cot' });
      expect(answer).toBe(ends(format) ? 'B' : 'C');
    },
  );

  test('stands above a part of what models say that were tuned on conversations without it', () => {
    expect(conversing.filter(ends).map(({ name }) => name)).toEqual(['alpaca']);
  });
});
