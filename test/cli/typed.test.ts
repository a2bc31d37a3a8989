import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Draft } from '../../src/cli/terminal/draft.js';
import { meditron, model } from './command.js';
import { hasTerminal, inTerminal } from './terminal.js';

/** A conversation in which one message asks what it is counted as: the tokens of the whole prompt. */
const chat = ['chat', '-m', model, '--format', 'alpaca', '--max-tokens', '4', '--threads', '1'];

describe('a draft', () => {
  const messagesOf = (lines: readonly string[]) => {
    const draft = new Draft();
    const sent = lines.map(line => draft.typed(line)).filter(message => message !== undefined);
    return [...sent, ...(draft.isEmpty ? [] : [`unsent: ${draft.take()}`])];
  };

  test.each([
    [['one'], ['one']],
    [['one\\', 'two'], ['one\ntwo']],
    [['a path\\\\'], ['a path\\\\']],
    [
      ['"""', 'one', '', 'two \\', '"""', 'three'],
      ['one\n\ntwo \\', 'three'],
    ],
    [['"""', 'one'], ['unsent: one']],
    [['say """'], ['say """']],
  ])('%j becomes %j', (lines, expected) => expect(messagesOf(lines)).toEqual(expected));

  test('what is pasted is one message, whatever its lines are, until Enter', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('', 'a', 'b\\', '"""', '> ', '/exit'), { minLength: 1 }), lines => {
        const draft = new Draft();
        expect(lines.every(line => draft.pasted(line) === undefined)).toBe(true);
        expect(draft.typed('end')).toBe([...lines, 'end'].join('\n'));
        expect(draft.isEmpty).toBe(true);
      }),
    );
  });
});

/** One JSON line for every message of a pipe. */
async function piped(input: string) {
  const { stdout } = await meditron([...chat, '--json'], input);
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).promptTokens as number);
}

test('of a pipe every line is a message, and so is what stands between two fences', async () => {
  expect(await piped('one\\\ntwo\n')).toHaveLength(2);
  const [whole, ...more] = await piped('"""\none\n\ntwo\n"""\n');
  expect(more).toEqual([]);
  expect(whole).toBeGreaterThan((await piped('one\n'))[0]!);
  expect(await piped('"""\none\n\ntwo')).toEqual([whole]);
});

describe.runIf(hasTerminal)('in a terminal', () => {
  const start = '\\x1b\\[\\?2004h[\\s\\S]*> ';
  // The screen has no JSON: how often the prompt for a new message came tells how many were sent.
  const prompts = (screen: string) => screen.split('\x1b[?2004h').length - 1;

  test('a bracketed paste is one message, which Enter sends', async () => {
    const { code, screen } = await inTerminal(chat, [
      [start, '\x1b[200~A 54-year-old man.\rTroponin 3.2\r\rWhat next?\x1b[201~'],
      ['Enter sends\\) What next\\?', '\r'],
      [start, '/exit\r'],
    ]);
    expect(code).toBe(0);
    expect(prompts(screen)).toBe(2);
  });

  test('a paste in a terminal that does not mark it is one message, too', async () => {
    const { code, screen } = await inTerminal(chat, [
      ['> ', 'A 54-year-old man.\rTroponin 3.2\rWhat next?'],
      ['Enter sends\\) What next\\?', '\r'],
      [start, '/exit\r'],
    ]);
    expect(code).toBe(0);
    expect(prompts(screen)).toBe(2);
  });

  test('lines that end with a backslash, and lines between fences, are one message', async () => {
    const { code, screen } = await inTerminal(chat, [
      [start, 'one\\\r'],
      ['… ', 'two\r'],
      [start, '"""\r'],
      ['""" ends\\) ', 'three\r'],
      ['""" ends\\) ', '"""\r'],
      [start, '/exit\r'],
    ]);
    expect(code).toBe(0);
    expect(prompts(screen)).toBe(3);
  });

  test('Ctrl-C discards what is typed, and leaves at an empty prompt; paste marks are switched off again', async () => {
    const { code, screen } = await inTerminal(chat, [
      [start, 'half a mess\\\r'],
      ['… ', 'age\x03'],
      ['> ', '\x03'],
    ]);
    expect(code).toBe(0);
    expect(screen.endsWith('\x1b[?2004l\r\n')).toBe(true);
    expect(prompts(screen)).toBe(1);
  });

  test.each<[Readonly<Record<string, string>>, string, RegExp]>([
    [{ TERM: 'dumb' }, 'escape sequence', /\x1b/],
    [{ NO_COLOR: '1' }, 'colour', /\x1b\[[0-9;:]*[1-9][0-9;:]*m/],
  ])('with %j there is no %s anywhere', async (env, _, sequence) => {
    const talk = await inTerminal(
      chat,
      [
        ['> ', 'Hello\n'],
        ['> ', '/exit\n'],
      ],
      env,
    );
    expect([talk.code, sequence.test(talk.screen)]).toEqual([0, false]);
    const quick = ['--max-tokens', '4', '--threads', '1'];
    for (const args of [
      ['run', '-m', model, '-p', 'Once', '-n', '3', ...quick],
      ['ask', '-m', model, '--format', 'raw', ...quick, 'Which?\nA. this\nB. that'],
      ['devices'],
    ]) {
      const { code, screen } = await inTerminal(args, [], env);
      expect([args[0], code, sequence.test(screen)]).toEqual([args[0], 0, false]);
    }
  });
});
