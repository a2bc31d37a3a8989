import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AskEvent } from '../../src/ask/types.js';
import { exitCodes, MeditronError } from '../../src/check/errors.js';
import { droppedFile } from '../../src/cli/dropped.js';
import { explained } from '../../src/cli/menu/explained.js';
import { Line, Passage } from '../../src/cli/terminal/entries.js';
import { chainsTold } from '../../src/cli/terminal/told.js';

const lines = fc.array(fc.constantFrom('', ' ', 'a', 'B. b', '"""', '\\', '0'), { minLength: 1, maxLength: 8 });

test('a passage ends with two empty lines that were typed, and nothing of what was typed or pasted before is lost', () => {
  fc.assert(
    fc.property(lines, lines, (pasted, typed) => {
      const passage = new Passage(() => false);
      for (const line of pasted) expect(passage.pasted(line)).toBeUndefined();
      let ended: string | undefined;
      let taken = 0;
      for (const line of [...typed, 'end', '', '']) {
        taken++;
        ended = passage.typed(line);
        if (ended !== undefined) break;
      }
      const all = [...typed, 'end', '', ''];
      const first = all.findIndex((line, i) => i > 0 && line.trim() === '' && all[i - 1]!.trim() === '');
      expect(taken).toBe(first + 1);
      expect(ended).toBe([...pasted, ...all.slice(0, taken)].join('\n').trimEnd());
      expect(passage.isEmpty).toBe(true);
    }),
  );
});

test('a file ends a passage if its name stands alone in the first line', () => {
  const passage = new Passage(line => line === 'file');
  expect(passage.typed('file')).toBe('file');
  expect(passage.typed('A patient with a')).toBeUndefined();
  expect(passage.typed('file')).toBeUndefined();
});

test('a line is what was typed; of a paste all lines, until Enter', () => {
  const line = new Line('> ');
  expect(line.typed('1')).toBe('1');
  line.pasted('one');
  line.pasted('');
  expect([line.prompt, line.isEmpty]).toEqual(['', false]);
  expect(line.typed('two')).toBe('one\n\ntwo');
  expect([line.prompt, line.isEmpty]).toEqual(['> ', true]);
});

test.each([
  ['/tmp/a b.txt', '/tmp/a b.txt'],
  [' /tmp/a\\ b.txt ', '/tmp/a b.txt'],
  ["'/tmp/a b.txt' ", '/tmp/a b.txt'],
  ["'/tmp/it'\\''s.txt'", "/tmp/it's.txt"],
  ['"C:\\Ärzte Stick\\a b.txt"', 'C:\\Ärzte Stick\\a b.txt'],
  ["& 'C:\\a b.txt'", 'C:\\a b.txt'],
  ['C:\\new\\a.txt', 'C:\\new\\a.txt'],
])('a file dragged into a terminal as %j is %j', (typed, file) => {
  expect(droppedFile(typed, path => path === file)).toBe(file);
});

test.runIf(process.platform !== 'win32')('so is a file URL; other lines name no file', () => {
  expect(droppedFile('file:///tmp/a%20b.txt', path => path === '/tmp/a b.txt')).toBe('/tmp/a b.txt');
  for (const line of ['', '""', "''", 'What helps?', 'file://%', '\0']) expect(droppedFile(line)).toBeUndefined();
});

test('every error is a sentence without the code', () => {
  for (const code of Object.keys(exitCodes) as (keyof typeof exitCodes)[]) {
    const words = explained(new MeditronError(code, 'It is so'))!;
    expect(words).toMatch(/It is so\.$/);
    expect(words).not.toContain('ERR_');
  }
  expect(explained(new TypeError('a fault'))).toBeUndefined();
});

test('chains are told in lines: every vote, and every few seconds how far it is', () => {
  let time = 0;
  let told = '';
  const chains = chainsTold(
    line => {
      told += line;
    },
    5_000,
    () => time,
  );
  const text: AskEvent = { type: 'text', sample: 0, text: ' two words', verified: false };
  const vote = { type: 'vote', sample: 0, forced: false, finish: 'stop' } as const;
  chains.show({ type: 'prompt', done: 1, total: 9 });
  time = 5_000;
  chains.show({ type: 'prompt', done: 5, total: 9 });
  chains.show(text);
  time = 10_000;
  chains.show(text);
  chains.show({ ...vote, answer: 'B', tally: { B: 1, unparsed: 0, notRun: 1 } });
  chains.show({ ...vote, answer: null, tally: { B: 1, unparsed: 1, notRun: 0 } });
  expect(told.split('\n')).toEqual([
    'Reading the question: 5 of 9 pieces.',
    'Thinking: 4 words so far.',
    '1 of 2 chains have ended. The latest says B.',
    '2 of 2 chains have ended. The latest gives no answer.',
    '',
  ]);
});
