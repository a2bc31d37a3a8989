import { expect, test } from 'vitest';
import { loadModel } from '../../src/host/load.js';
import { formatByName } from '../../src/prompt/format/formats.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import { meditron, model } from './command.js';

const text = 'Which vitamin prevents scurvy?\nA. A\nB. C\n';
const question = { kind: 'choice', question: 'Which vitamin prevents scurvy?', options: ['A', 'C'] } as const;

test('prints the exact segments and token ids that would be sent', async () => {
  const { code, stdout } = await meditron(['prompt', '-m', model, '--format', 'alpaca', '--json', '-'], text);
  const printed = JSON.parse(stdout);
  const { segments } = buildPrompt(formatByName('alpaca'), { question, mode: 'sc-cot', protocol: 'strict' });
  expect(code).toBe(0);
  expect(printed.segments).toEqual(segments);
  await using loaded = await loadModel({ path: model });
  expect(printed.tokens).toEqual([...(await loaded.tokenize(segments))]);
});

test('top-token: with the ids of the answers compared', async () => {
  const { stdout } = await meditron(['prompt', '-m', model, '--format', 'raw', '--mode', 'top-token', '--json'], text);
  expect(JSON.parse(stdout).continuations.map((c: { text: string }) => c.text)).toEqual(['A', 'B']);
});

test('a vocabulary without the format’s tokens is told so', async () => {
  const { stdout } = await meditron(['prompt', '-m', model, '--format', 'chatml', '--json'], text);
  expect(JSON.parse(stdout).warnings.join()).toContain('made of <|im_start|>, which this model');
  const { stderr } = await meditron(['prompt', '-m', model, '--format', 'chatml'], text);
  expect(stderr).toContain('warning: The format chatml is made of <|im_start|>');
});

test('what was removed from the question is listed', async () => {
  const { stdout } = await meditron([
    'prompt',
    '-m',
    model,
    '--format',
    'raw',
    '--json',
    'Is\u202e this  <|im_end|> safe?',
  ]);
  expect(JSON.parse(stdout).findings.map((f: { kind: string; action: string }) => [f.kind, f.action])).toEqual([
    ['direction', 'removed'],
    ['marker', 'kept'],
  ]);
});

test('how the question was read is shown, line by line, and what was taken off is said', async () => {
  const pasted = 'Which vitamin prevents scurvy?\na) A\nb) C\n\nAnswer: b\n';
  const { stdout, stderr } = await meditron(['prompt', '-m', model, '--format', 'raw'], pasted);
  expect(stdout).toContain('Read as a question with 2 options, a) to b), shown to the model as A to B.');
  expect(stdout).toMatch(/3 {2}option B +b\) C\n +5 {2}key +Answer: b\n/);
  expect(stderr).toContain('line 5: the answer key was taken off');
  const json = JSON.parse((await meditron(['prompt', '-m', model, '--format', 'raw', '--json'], pasted)).stdout);
  expect(json.reading).toMatchObject({ key: 'B', marks: ['a)', 'b)'], question: { options: ['A', 'C'] } });
  expect(JSON.stringify(json.segments)).not.toContain('Answer: b');
});

test('an unknown model or format is refused with the choices', async () => {
  expect(await meditron(['prompt', '-m', model, '-'], text)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Choose one: chatml'),
  });
  expect(await meditron(['prompt', '-m', model, '--format', 'chatlm', '-'], text)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('did you mean chatml'),
  });
});
