import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { ends, loadStories, oneThread } from './stories.js';

let model: Model;
let engine: Engine;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine(oneThread);
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

const generate = (grammar: string, maxTokens = 12) =>
  ends(engine.generate({ prompt: 'Once', samplers: [{ temperature: 1, grammar }], maxTokens }));

const names = ['root', 'x', 'y', 'z'];
const terminals = ['"a"', '"b "', '[a-z]', '[^a]', '.', '" the"'];
const item = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...terminals) },
  { weight: 1, arbitrary: fc.constantFrom(...names, '""', '("q" | )', '(x y?)') },
);
const part = fc
  .tuple(item, fc.constantFrom('', '', '?', '*', '+', '{2}', '{0,2}'))
  .map(([what, times]) => `${what}${times}`);
const alternatives = fc
  .array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map(list => list.map(parts => parts.join(' ')).join(' | '));
const grammars = fc
  .tuple(...names.map(() => alternatives))
  .map(bodies => bodies.map((body, i) => `${names[i]} ::= ${body}`).join('\n'));

test('whatever its rules lead to, a grammar is followed or refused', async () => {
  const outcomes = { followed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(grammars, async grammar => {
      try {
        const [end] = await generate(grammar);
        expect(end!.tokens.length).toBeGreaterThan(0);
        outcomes.followed++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_GRAMMAR' });
        outcomes.refused++;
      }
    }),
    { numRuns: 300, seed: 1 },
  );
  expect(outcomes.followed).toBeGreaterThan(30);
  expect(outcomes.refused).toBeGreaterThan(30); // left recursion, mostly
});

test.each([
  ['root ::= "yes" | "no"', /^(yes|no)$/],
  ['root ::= [A-D] "."', /^[A-D]\.$/],
  ['root ::= "(" ("a" | root)? ")"', /^\(*a?\)*$/],
  ['root ::= line line\nline ::= "- " [a-z]{1,4} "\\n"', /^(- [a-z]{1,4}\n){2}$/],
])('%s', async (grammar, expected) => {
  for (let seed = 0; seed < 5; seed++) {
    const [end] = await ends(
      engine.generate({ prompt: 'Once', samplers: [{ temperature: 1, grammar, seed }], maxTokens: 60 }),
    );
    if (end!.finish === 'end') expect(end!.text).toMatch(expected);
    else expect(end!.finish).toBe('length');
  }
});

test('an error says where', async () => {
  await expect(generate('root ::= "a"\nx ::= ("b" ]')).rejects.toMatchObject({
    code: 'ERR_GRAMMAR',
    message: expect.stringMatching(/closing parenthesis in line 2, byte 12/),
  });
});
