import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meditron, model, start } from './command.js';
import { hasTerminal, inTerminal } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron menu ä '));
const question = join(folder, 'a question.txt');
beforeAll(() => writeFileSync(question, 'Which vitamin prevents scurvy?\nA. Vitamin A\nB. Vitamin C\nAnswer: B\n'));
afterAll(() => rmSync(folder, { recursive: true }));

const number = 'Type a number and press Enter: ';

test('an example is shown, asked five times and answered; then the menu is there again', async () => {
  const { code, stdout, stderr } = await meditron(['menu'], '2\n\n\n0\n');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('ERR_') });
  expect(stdout).toMatch(/I read a question with 4 options:\n {2}A {2}-?\d+\n/);
  expect(stdout.match(/[1-5] of 5 chains have ended/g)!.length).toBeGreaterThanOrEqual(3); // as many as decide the vote
  expect(stdout).toMatch(/By the rules of the score the answer is [A-D]\. -?\d+\./);
  expect(stdout.split(number)).toHaveLength(3);
});

test('what was read of a file is shown before anything is asked, the key taken off and said so', async () => {
  const { code, stdout } = await meditron(['menu'], `1\n"${question}"\nn\n0\n`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/I read a question with 2 options:\n {2}A {2}Vitamin A\n {2}B {2}Vitamin C\n/);
  expect(stdout).toMatch(/Note: line 4: the answer key was taken off/);
  expect(stdout).toMatch(/Note: This is meditron-mini.*ask\sanother\smodel/s);
  expect(stdout).not.toContain('Thinking');
});

test('the input may end anywhere', async () => {
  const lines = ['x', '9', '6', '4', `${model}`, '1', 'A question?', '', '', 'n', '7', '4', '', '0'];
  for (let count = 0; count < lines.length; count += 3) {
    const { code, stderr } = await meditron(['menu'], lines.slice(0, count).join('\n'));
    expect([count, code, stderr]).toEqual([count, 0, '']);
  }
});

test('piped lines that are not UTF-8 are refused, not misread', async () => {
  const { code, stderr } = await meditron(['menu'], Buffer.from('1\nMüdigkeit\n\n\n', 'latin1'));
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/not UTF-8 text \(line 2\); save it/) });
});

test('a model that cannot be used, and one that cannot chat, are told in sentences', async () => {
  const broken = join(folder, 'broken.gguf');
  writeFileSync(broken, 'no model');
  const chosen = await meditron(['menu'], `4\n${broken}\n0\n`);
  expect(chosen.stdout).toMatch(/This model cannot be used: .*broken\.gguf/s);
  const { code, stdout, stderr } = await meditron(['menu'], `4\n${model}\n3\n0\n`);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/Model: stories260K\.gguf \(.* MB\)/);
  expect(stdout).toMatch(/Meditron does not know how this model has to be asked/);
});

// Windows opens addresses by a program of its own, which nothing can stand before.
test.skipIf(process.platform === 'win32')(
  'the page is served while it is wanted, with the chosen model first',
  async () => {
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'xdg-open'), '#!/bin/sh\nexit 0\n'); // no browser comes up where this is tried
    chmodSync(join(programs, 'xdg-open'), 0o755);
    const { child, ended } = start(['menu'], { env: { PATH: [programs, process.env.PATH].join(delimiter) } });
    child.stdin!.write(`4\n${model}\np\n`);
    const address = await new Promise<string>(found => {
      let shown = '';
      child.stdout!.on('data', text => {
        shown += text;
        const [, url] = /^(http:\/\/127\.0\.0\.1:\d+)\/#key=\S+$/m.exec(shown) ?? [];
        if (url !== undefined) found(url);
      });
    });
    expect((await fetch(address)).headers.get('Content-Type')).toContain('text/html');
    const { data } = (await (await fetch(`${address}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['stories260K', 'meditron-mini']);
    child.stdin!.end('\n0\n');
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split(number)).toHaveLength(4);
    await expect(fetch(address)).rejects.toThrow();
  },
);

describe.runIf(hasTerminal)('in a terminal', () => {
  /** Enter was taken, and the next line is waited for. */
  const taken = '\\r\\n[\\s\\S]*\\x1b\\[0J';

  test('a pasted question is one, empty lines inside and all; two empty lines that are typed end it', async () => {
    const { code, screen } = await inTerminal(
      ['menu'],
      [
        [number, '1\r'],
        ['> ', '\x1b[200~Which vitamin prevents scurvy?\r\r\rA. Vitamin A\rB. Vitamin C\x1b[201~'],
        ['Vitamin C', '\r'],
        [taken, '\r'],
        [taken, '\r'],
        ['press Enter to go back: ', 'n\r'],
        [number, '0\r'],
      ],
    );
    expect(code).toBe(0);
    expect(screen).toMatch(/I read a question with 2 options/);
  });

  test('a question that is pasted at the menu itself is read, too', async () => {
    const { code, screen } = await inTerminal(
      ['menu'],
      [
        [number, '\x1b[200~Which vitamin prevents scurvy?\rA. Vitamin A\rB. Vitamin C\x1b[201~'],
        ['Vitamin C', '\r'],
        ['press Enter to go back: ', 'n\r'],
        [number, '0\r'],
      ],
    );
    expect(code).toBe(0);
    expect(screen).toMatch(/I read a question with 2 options/);
  });

  test.each([{ TERM: 'xterm' }, { TERM: 'dumb' }])('Ctrl-C comes back to the menu from everywhere (%j)', async env => {
    const { code, screen } = await inTerminal(
      ['menu'],
      [
        [number, '1\r'],
        ['> ', 'half a\r'],
        ['half a', '\x03'],
        [number, '2\r'],
        ['go back: ', '\r'],
        ['Thinking', '\x03'],
        ['Stopped', ''],
        [number, '4\r'],
        ['go back: ', '\x03'],
        [number, '\x03'],
        ['To leave, type 0', ''],
        [number, '0\r'],
      ],
      env,
    );
    expect(code).toBe(0);
    expect(screen).not.toContain('ERR_');
    if (env.TERM === 'dumb') expect(screen).not.toContain('\x1b');
  });

  test.each([
    ['Ctrl-C twice', ['\x03', '\x03']],
    ['Ctrl-D', ['\x04']],
  ])('%s at the menu leaves', async (_, keys) => {
    const { code } = await inTerminal(
      ['menu'],
      keys.map(key => [number, key] as const),
    );
    expect(code).toBe(0);
  });

  test('no line is longer than the terminal is wide', async () => {
    const { screen } = await inTerminal(
      ['menu'],
      [
        [number, '6\r'],
        [number, '5\r'],
        [number, '4\r'],
        ['go back: ', '\r'],
        [number, '1\r'],
        ['> ', '\x03'],
        [number, '7\r'],
        [number, '0\r'],
      ],
      { TERM: 'dumb' },
    );
    const long = screen.split(/\r?\n/).filter(line => line.length > 80);
    expect(long).toEqual([]);
  });
});
