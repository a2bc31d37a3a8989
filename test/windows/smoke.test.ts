import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { letters } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import { hasTerminal } from '../cli/terminal.js';
import { done, project, workFolder } from '../install/shell.js';
import { root, tarball } from '../install/tarballs.js';
import { exitCodes, type Found, foundIn, prepare, sameEverywhere, steps, type Wrong, wrong } from '../smoke/smoke.js';
import { lacking, Windows } from './wine.js';

const faults: readonly Wrong[] = [
  ...wrong,
  ['unknown option', 2, ['run', '--nonsense']],
  ['value out of range', 2, ['run', '-p', 'x', '--temperature', 'hot']],
  ['malformed grammar', 2, ['run', '-m', 'stories260K.gguf', '-p', 'x', '--grammar', 'bad.gbnf']],
  ['no such folder of a question', 3, ['ask', 'C:\\no\\such.txt']],
  ['no such folder of a model', 4, ['run', '-m', 'C:\\no\\such.gguf', '-p', 'x']],
  ['no model', 4, ['run', '-m', 'driver.mjs', '-p', 'x']],
  ['reserved output name', 3, ['ask', '-m', 'stories260K.gguf', 'question.txt', '--record', 'con.json']],
  ['output in no folder', 3, ['ask', '-m', 'stories260K.gguf', 'question.txt', '--record', 'no\\such\\r.json']],
];

if (lacking !== undefined) {
  console.warn(`The Windows package is not tried: ${lacking}`);
  test.runIf(process.env.CI)('Wine is there in CI', () => expect(lacking).toBeUndefined());
}

// Under Wine: no real drivers, no SmartScreen, no virus scanner, not Windows' scheduler, console or file locks.
describe.skipIf(lacking)('the installed package for Windows, under Wine', () => {
  let found: Found;
  let windows: Windows | undefined;
  const folder = workFolder('windows');
  afterAll(() => windows?.close());

  beforeAll(async () => {
    const app = join(folder, 'Müller & Söhne', 'app');
    const files = [tarball(), tarball('win32-x64')];
    const args = ['install', '--prefer-offline', '--os', 'win32', '--cpu', 'x64', '--force', ...files];
    await done('npm', args, { cwd: project(app) });
    cpSync(join(root, 'examples', 'worker.mjs'), join(app, 'worker.mjs'));
    windows = new Windows(join(folder, 'prefix'), join(folder, 'Müller & Söhne'));
    const work = windows.onC('Daten über uns');
    cpSync(app, windows.onC('Programme x ü', 'app'), { recursive: true });
    prepare(work, {
      app: 'M:\\app',
      copy: 'C:\\Programme x ü\\app',
      steps: [...steps, 'copy', 'mapped', 'questions', 'long', 'places', 'state'],
      evaluation: [],
      wrong: faults,
    });
    const { code, said } = windows.node(['C:\\Daten über uns\\driver.mjs']);
    found = foundIn(work, code, said);
  });

  test('its addon, and the libraries beside it, load from M: and from C:', () => {
    expect(found.platform).toBe('win32');
    for (const ran of [found.devices, found.copy]) expect(ran.code).toBe(0);
    expect(JSON.parse(found.devices.out).addon.path).toMatch(
      /^M:\\app\\node_modules\\@meditron\\win32-x64\\meditron.node$/,
    );
    expect(JSON.parse(found.copy.out).addon.path).toMatch(/^C:\\Programme x ü\\app/);
    expect(JSON.parse(found.devices.out).cpu.variant).toMatch(/^ggml-cpu-\w+\.dll$/);
  });

  sameEverywhere(() => found);

  test('weights that are mapped write the same text', () => {
    expect(found.mapped).toMatchObject({ code: 0, err: '', out: found.golden.out });
  });

  exitCodes(() => found, faults);

  test('questions are read in UTF-8 and UTF-16, with CRLF, and in a code page with a warning that shows a word; never in two', () => {
    const { utf16, piped, cp1252, console, mixed } = found.questions;
    for (const [ran, page] of [[utf16], [piped], [cp1252, 1252], [console, 437]] as const) {
      expect(ran).toMatchObject({
        code: 0,
        err: page ? expect.stringMatching(new RegExp(`line 1.*code page ${page}.*"Müller's"`)) : '',
      });
      const { segments } = JSON.parse(ran.out) as { segments: { text: string; template: boolean }[] };
      expect(segments.filter(({ template }) => !template).map(({ text }) => text.replace('’', "'"))).toEqual([
        "Which vitamin prevents scurvy in Müller's patients?",
        'Vitamin A',
        'Vitamin C',
        'Vitamin D',
      ]);
    }
    expect(mixed).toMatchObject({ code: 3, err: expect.stringContaining('save it as UTF-8 (Notepad') });
  });

  test('a model whose path is longer than 260 characters, and not in ASCII, runs', () => {
    expect(found.long.length).toBeGreaterThan(260);
    expect(found.long.ran).toMatchObject({ code: 0, err: '' });
  });

  test('models, questions and results may be named with the prefix that keeps Windows from reading the path', () => {
    const { model, question, output, written, share } = found.places;
    expect([model, question, output]).toMatchObject(Array(3).fill({ code: 0 }));
    expect(written).toBe(true);
    expect(share).toMatchObject({ code: 4, err: expect.stringContaining('such.gguf') });
  });

  // Wine 8 reads Ctrl-C from a terminal. Ctrl-Break and the closing of a window could not be brought about under it.
  test.runIf(hasTerminal)(
    'Ctrl-C ends a vote with what there is and code 130, and the process of the engine too',
    async () => {
      const [question] = clinicalQuestions({ seed: 12, count: 1 });
      const options = letters.map(label => `${label}. ${question!.options[label]}`);
      writeFileSync(windows!.onC('Daten über uns', 'clinical.txt'), [question!.question, ...options].join('\r\n'));
      const command = ['M:\\app\\node_modules\\meditron\\bin\\meditron.js', 'ask', 'C:\\Daten über uns\\clinical.txt'];
      const args = [...command, '--mode', 'sc-cot', '--samples', '60', '--threads', '1'];
      const { code, screen } = await windows!.inTerminal(args, [['Thinking', '\x03']]);
      expect({ code, screen }).toEqual({
        code: 130,
        screen: expect.stringMatching(/of 60, \d+ not run[\s\S]*meditron: Interrupted/),
      });
      expect(windows!.processes().filter(line => line.includes('child.js'))).toEqual([]);
    },
  );

  test('what is kept is in the profile of the user alone', () => {
    expect(found.state.local).toMatch(/^C:\\users\\.*\\AppData\\Local\\meditron$/i);
  });
});
