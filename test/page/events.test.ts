import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventReader } from '../../page/src/api/events.js';

const read = (...pieces: readonly (string | Uint8Array)[]) => {
  const reader = new EventReader();
  const encoder = new TextEncoder();
  return pieces.flatMap(piece => reader.read(typeof piece === 'string' ? encoder.encode(piece) : piece));
};

test('an event has the data of its lines, and the last id', () => {
  expect(read('id: 7\ndata: {"a":\ndata: 1}\n\n', ': nothing\n\n', 'data:x\n\n')).toEqual([
    { id: '7', data: '{"a":\n1}' },
    { id: '7', data: 'x' },
  ]);
});

test('what is not complete is no event', () => {
  expect(read('data: 1\n')).toEqual([]);
});

test('wherever a stream is cut, between bytes of a character or of a line end, its events are the same', () => {
  const texts = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).map(text => JSON.stringify(text)),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(texts, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat()), (texts, end, cuts) => {
      const stream = texts.map((text, i) => `id: ${i}${end}data: ${text}${end}${end}`).join('');
      // A carriage return at the very end may be half of a line end: it is not one before the next byte.
      const bytes = new TextEncoder().encode(end === '\r' ? `${stream}:` : stream);
      const at = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((to, i) => bytes.subarray(at[i], to));
      expect(read(...pieces)).toEqual(texts.map((data, i) => ({ id: String(i), data })));
    }),
  );
});
