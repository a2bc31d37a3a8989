import { describe, expect, test } from 'vitest';
import { type Mode, type PromptFormat, type PromptInput, protocols, thinks } from '../../src/prompt/format/format.js';
import { formats } from '../../src/prompt/format/formats.js';
import { buildPrompt, type Prompt } from '../../src/prompt/prompt.js';
import type { Question } from '../../src/prompt/question/question.js';
import { textOf } from '../../src/prompt/segment.js';
import { type AnswerForm, extract } from '../../src/vote/read/extract.js';

type Kind = 'choice' | 'boolean' | 'open';
const questions: Readonly<Record<Kind, readonly [Question, Question]>> = {
  choice: [
    { kind: 'choice', question: 'Which first?', options: ['Alpha', 'Beta', 'Gamma'] },
    { kind: 'choice', question: 'Which next?', options: ['Delta', 'Epsilon', 'Zeta'], context: ['Seen once.'] },
  ],
  boolean: [
    { kind: 'boolean', question: 'Does it help?', context: ['Forty patients took it.'] },
    {
      kind: 'boolean',
      question: 'Is a second drug better?',
      context: ['Ninety adults were followed.', 'Few were lost.'],
    },
  ],
  open: [
    { kind: 'open', question: 'What is croup?' },
    { kind: 'open', question: 'What is rickets?', context: ['A child has bowed legs.'] },
  ],
};
const answers: Readonly<Record<Kind, readonly [string, string]>> = {
  choice: ['B', 'C'],
  boolean: ['yes', 'no'],
  open: ['A viral illness.', 'INVENTED'],
};
const modesOf = (kind: Kind): readonly Mode[] =>
  kind === 'open' ? ['free', 'ranked', 'cot'] : ['top-token', 'cot', 'sc-cot', 'free'];

const demonstrationsOf = (kind: Kind) =>
  [1, 2].map(i => ({
    question: { ...questions[kind][1], question: `Example ${i}?` } as never,
    answer: answers[kind][0],
    explanation: 'It is known.\n\nIt is certain.',
  }));

/** What an engine hands over: the text up to the first stop string. */
const stopped = (text: string, { stops }: Prompt) =>
  text.slice(0, Math.min(...stops.texts.map(stop => text.indexOf(stop)).filter(at => at >= 0), text.length));

const forms: Readonly<Record<'choice' | 'boolean', AnswerForm>> = {
  choice: { kind: 'mcq', letters: ['A', 'B', 'C'], optionTexts: ['Alpha', 'Beta', 'Gamma'] },
  boolean: { kind: 'boolean' },
};

/** Every way of asking that a format has. */
function* ways(format: PromptFormat): Generator<PromptInput & { kind: Kind }> {
  for (const kind of ['choice', 'boolean', 'open'] as const)
    for (const mode of modesOf(kind))
      for (const protocol of protocols)
        for (const examples of format.accepts.demonstrations ? [true, false] : [false]) {
          if (format.name === 'few-shot' && protocol !== 'strict' && (thinks(mode) || !examples)) continue;
          if (format.name === 'few-shot' && kind === 'open' && thinks(mode) && !examples) continue;
          if (format.name !== 'few-shot' && protocol !== 'strict' && examples) continue;
          const demonstrations = examples ? { demonstrations: demonstrationsOf(kind) } : {};
          yield { kind, question: questions[kind][0], mode, protocol, ...demonstrations };
        }
}

describe('a model that goes on with an invented question', () => {
  test.each(formats.map(format => [format.name, format] as const))(
    'is not read beyond its answer in %s',
    (_, format) => {
      let read = 0;
      for (const { kind, ...input } of ways(format)) {
        const prompt = buildPrompt(format, input);
        if (input.protocol === 'authors-code') {
          // Theirs to the letter: `###` ends a text, and their reading cuts the rest.
          if (['chatml', 'medical', 'raw', 'few-shot', 'one-shot', 'zero-shot'].includes(format.name))
            expect(prompt.stops.texts).toEqual(['###']);
          continue;
        }
        const [mine, invented] = answers[kind];
        // As the format asks: without its instruction, which stands once, and with the cue before the answer.
        const next = buildPrompt(format, {
          ...input,
          question: questions[kind][1],
          instruction: '',
          ...(format.accepts.demonstrations && { demonstrations: [] }),
        });
        const chain = (answer: string) =>
          thinks(input.mode) ? `It is plain.\nThe answer is: ${answer}` : ` ${answer}`;
        const opening = format.name === 'few-shot' ? '\n' : '';
        for (const between of format.blankLineEnds ? ['\n\n', '\n', '.\n\n'] : ['\n', '\n\n']) {
          const text = `${opening}${chain(mine)}${between}${textOf(next.segments)}${opening}${chain(invented)}`;
          const shown = stopped(text, prompt);
          const where = `${format.name} ${kind} ${input.mode} ${input.protocol} ${JSON.stringify(between)}: ${shown}`;
          expect(shown.length, where).toBeLessThanOrEqual(text.length - chain(invented).length);
          if (kind === 'open' || !thinks(input.mode)) continue;
          for (const said of [shown, ...(format.blankLineEnds ? [text.split('###')[0]!] : [])]) {
            if (said !== shown && between === '\n') continue;
            const options = { stops: ['###', ...prompt.stops.texts], blankLineEnds: format.blankLineEnds };
            expect(extract(input.protocol, said, forms[kind], options).answer, where).toBe(mine);
            read++;
          }
        }
      }
      expect(read).toBeGreaterThan(0);
    },
  );

  test('is not read where it leaves out the cue, nor behind an answer of one word', () => {
    const read = (text: string) => extract('strict', text, { kind: 'boolean' }, { blankLineEnds: true }).answer;
    expect(read('The answer is: yes\n\nNinety adults were followed.\nDid it help?\nThe answer is: no')).toBe('yes');
    expect(read('Yes.\n\nNinety adults were followed.\nDid it help?\nThe answer is: no')).toBe('yes');
    expect(read('So far so good.\n\nThe answer is: no')).toBe('no');
    expect(read('The answer is: yes. Wait, the answer is: no')).toBe('no');
    expect(
      extract('strict', 'The answer is: B\n\nWhich?\nThe answer is: C', forms.choice, { blankLineEnds: true }).answer,
    ).toBe('B');
  });

  test('examples have no blank line in them, and a finding says what was taken out', () => {
    const fewShot = formats.find(({ name }) => name === 'few-shot')!;
    const input = { question: questions.boolean[0], mode: 'cot', demonstrations: demonstrationsOf('boolean') } as const;
    const prompt = buildPrompt(fewShot, { ...input, protocol: 'strict' });
    expect(textOf(prompt.segments)).toContain('It is known.\nIt is certain.');
    expect(prompt.findings).toContainEqual({
      where: 'demonstrations[0].explanation',
      kind: 'marker',
      action: 'rewritten',
      count: 1,
      detail: 'blank lines',
    });
  });
});

describe('a conversation', () => {
  const talk = (format: PromptFormat, ...said: readonly string[]) =>
    textOf(
      buildPrompt(format, {
        question: {
          kind: 'chat',
          messages: said.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }) as const),
        },
        mode: 'free',
        protocol: 'strict',
      }).segments,
    );

  test.each(formats.filter(({ accepts }) => accepts.chat).map(format => [format.name, format] as const))(
    'goes on in %s exactly behind what the model was shown and said',
    (_, format) => {
      const before = talk(format, 'Hello?');
      for (const answer of [' Hi there.', ' Two words', ' A line.\nAnother.\n\nA paragraph.', ' ½ tablet, 5 µg']) {
        const said = before.endsWith('\n') ? answer.trimStart() : answer;
        expect(talk(format, 'Hello?', said, 'Why?').startsWith(`${before}${said}`)).toBe(true);
        // A text without its own blank is written with one, as published.
        if (['one-shot', 'zero-shot', 'llama-2'].includes(format.name))
          expect(talk(format, 'Hello?', answer.trimStart(), 'Why?')).toBe(talk(format, 'Hello?', said, 'Why?'));
      }
    },
  );
});
