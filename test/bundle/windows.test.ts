import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { letters } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import { wine, wineEnv } from '../windows/wine.js';
import { bundled } from './folder.js';

const place = mkdtempSync(join(tmpdir(), 'meditron-wine-'));
const prefix = join(place, 'prefix');
const env = wineEnv(prefix);
afterAll(() => {
  if (existsSync(prefix)) spawnSync('/usr/lib/wine/wineserver', ['-k'], { env });
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
});

/** One that the model that ships has learned, so that its chains end soon. */
const [asked] = clinicalQuestions({ seed: 12, count: 1 });
const options = letters.map(label => `${label}. ${asked!.options[label]}`);

describe.runIf(existsSync(wine) || process.env.CI)('the folder for win32-x64, under Wine', () => {
  // Not with a percent sign: Wine reads the value of a variable for variables again, which Windows does not.
  test('starts by its start file from a folder of any name, asks what is typed, checks itself, and leaves', () => {
    spawnSync(wine, ['wineboot', '-i'], { env, stdio: 'ignore' });
    const folder = join(prefix, 'drive_c', "Ärzte & Co (neu) !PATH! a^b d'été =x");
    bundled('win32-x64', folder);
    // Node's output to a pipe fails under Wine: input and output are files.
    const [input, output] = [join(place, 'in.txt'), join(place, 'out.txt')];
    writeFileSync(input, ['1', ...asked!.question.split('\n'), ...options, '', '', '', '', '7', '0', ''].join('\r\n'));
    const stdio = [openSync(input, 'r'), openSync(output, 'w')] as const;
    const { status } = spawnSync(wine, ['cmd', '/c', 'Start Meditron.cmd'], {
      env,
      cwd: folder,
      stdio: [stdio[0], stdio[1], 'ignore'],
    });
    for (const file of stdio) closeSync(file);
    expect(status).toBe(0);
    const said = readFileSync(output, 'utf8');
    expect(said).toContain('I read a question with 4 options:');
    expect(said).toMatch(/[3-5] of 5 chains have ended/); // as many as decide the vote
    expect(said).toMatch(/^(agreement|NO AGREEMENT|NO ANSWER TO RELY ON): /m);
    expect(said).toMatch(/All \d+ files .* are there and unchanged\./);
  });
});
