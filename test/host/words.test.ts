import { expect, test } from 'vitest';
import { LastWords } from '../../src/host/words.js';

const words = (...printed: [text: string, at: number][]): LastWords => {
  const last = new LastWords();
  for (const [text, at] of printed) last.add(text, at);
  return last;
};

test('the last lines, whole, without control characters and empty lines', () => {
  const last = words(['one\ntw', 0], ['o\r\n\n\u001b[31mthree\u0007\n', 1], ['four', 2]);
  expect(last.lines(false, 3)).toEqual(['one', 'two', '[31mthree', 'four']);
});

test('what was printed long before the end counts only where nobody knows when it ended', () => {
  const last = words(['when it was opened\n', 0], ['when it died\n', 60_000]);
  expect(last.lines(false, 60_100)).toEqual(['when it died']);
  expect(last.lines(true, 60_100)).toEqual(['when it was opened', 'when it died']);
});

test('many lines and long ones take no more than their share', () => {
  const last = words(['x'.repeat(1_000_000), 0]);
  for (let i = 0; i < 10_000; i++) last.add(`line ${i}\n`, 1);
  expect(last.lines(false, 2)).toEqual(Array.from({ length: 8 }, (_, i) => `line ${9992 + i}`));
  expect(words(['y'.repeat(5000), 0]).lines(false, 1)[0]).toHaveLength(300);
});
