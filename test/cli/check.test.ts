import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../gguf/sample.js';
import { meditron, model, root } from './command.js';

const dir = scratch();
const stateOf = (stdout: string) =>
  Object.fromEntries(
    JSON.parse(stdout).checks.map(({ name, state }: { name: string; state: string }) => [name, state]),
  );

describe('meditron check', () => {
  test('passes a model that is run as it was made to be, a line each', async () => {
    const { code, stdout } = await meditron(['check', '--in-process']);
    expect(code).toBe(0);
    expect(stdout.match(/^(ok|!|×) /gm)).toHaveLength(7);
    expect(stdout).not.toMatch(/^×/m);
    expect(stdout).toMatch(
      /shared prompt +4 answers compared[\s\S]*greedy answer[\s\S]*speed[\s\S]*This model can be used\./,
    );
  });

  test('notices a changed template, and says what is used', async () => {
    const bytes = readFileSync(join(root, 'models', 'meditron-mini.gguf'));
    const at = bytes.indexOf("'question'");
    expect(at).toBeGreaterThan(0);
    bytes.write("'questiom'", at);
    const path = await dir.put('meditron-mini.gguf', bytes);
    const { code, stdout } = await meditron(['check', path, '--json', '--in-process']);
    expect(code).toBe(0);
    expect(stateOf(stdout)).toMatchObject({
      file: 'pass',
      model: 'pass',
      template: 'warn',
      tokens: 'pass',
      shared: 'pass',
    });
    expect(JSON.parse(stdout).choice.warnings).toEqual([
      expect.stringMatching(/does not write what the format chatml does/),
    ]);
  });

  test('fails what is not known, and a format whose tokens the vocabulary lacks, with what to do', async () => {
    const unknown = await meditron(['check', model, '--in-process']);
    expect(unknown).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/^× +model[\s\S]*> If you know[\s\S]*not to be used/m),
    });
    const wrong = await meditron(['check', model, '--format', 'llama-3', '--json', '--in-process']);
    expect([wrong.code, JSON.parse(wrong.stdout).ok]).toEqual([4, false]);
    expect(stateOf(wrong.stdout)).toMatchObject({ model: 'warn', tokens: 'fail' });
    for (const { state, advice } of JSON.parse(wrong.stdout).checks)
      if (state === 'fail') expect(advice).not.toBeNull();
  });
});
