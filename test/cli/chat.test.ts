import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, Conversation } from '../../src/cli/conversation.js';
import { loadModel } from '../../src/host/load.js';
import { alpaca } from '../../src/prompt/format/alpaca.js';
import { formats } from '../../src/prompt/format/formats.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import type { Message } from '../../src/prompt/question/question.js';
import { synthesize } from '../../src/synth/synth.js';
import { scratch } from '../gguf/sample.js';
import { meditron, model, root } from './command.js';

const greedy = { sampling: {}, facts: null, seed: 0, maxTokens: 20, system: undefined };
const never = new AbortController().signal;
const ignore = () => {};
const folder = scratch();

test('an answer is the one that evaluating the whole conversation afresh gives', async () => {
  await using loaded = await loadModel({ path: model });
  await using engine = await loaded.createEngine({ threads: 1, contextSize: 512, maxSequences: 2, kvType: 'f32' });
  const conversation = new Conversation(engine, alpaca, greedy);
  const messages: Message[] = [];
  for (const content of ['Tell me a story', 'And then?', 'Why?']) {
    messages.push({ role: 'user', content });
    const answer = await conversation.ask(content, never, ignore);
    const { segments, stops } = buildPrompt(alpaca, {
      question: { kind: 'chat', messages },
      mode: 'free',
      protocol: 'strict',
    });
    let afresh = '';
    for await (const event of engine.generate({ prompt: segments, maxTokens: 20, stop: stops.texts }))
      if (event.type === 'end') afresh = event.text;
    expect(answer.text).toBe(afresh);
    messages.push({ role: 'assistant', content: answer.text });
  }
});

test('a turn evaluates its own text and not the conversation before it', async () => {
  const args = ['chat', '-m', model, '--format', 'alpaca', '--max-tokens', '20', '--threads', '1', '--json'];
  const { code, stdout } = await meditron(args, 'Tell me a story\nTell me a story\nTell me a story\n');
  const answers = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(code).toBe(0);
  expect(answers).toHaveLength(3);
  expect(answers[2].promptTokens).toBeGreaterThan(2 * answers[0].promptTokens);
  for (const { evaluatedTokens } of answers) expect(evaluatedTokens).toBeLessThan(answers[0].promptTokens + 20);
});

test('a message that does not fit is refused with the numbers, and the conversation goes on', async () => {
  const args = ['chat', '-m', model, '--format', 'alpaca', '--max-tokens', '20', '--threads', '1', '--json'];
  const { code, stdout } = await meditron(args, `Hello\n${'again and '.repeat(300)}\n/clear\nHello\n`);
  const lines = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(lines[1].error.code).toBe('ERR_CONTEXT_FULL');
  expect(lines[1].error.message).toMatch(/has \d+ tokens.*20 are wanted.*512.*\/clear/);
  expect(lines[2].answer).toEqual(expect.any(String));
  expect(code).toBe(5);
});

/** Their prompts end before the blank behind the colon or bracket, which the model is to say. */
const withoutBlank = ['one-shot', 'zero-shot', 'llama-2'];
/** They take the white space around a message away. */
const trimming = ['llama-3', 'llama-3.1', 'gemma'];

describe.each([
  ['stories260K', 0.8],
  ['meditron-mini', 0.8],
] as const)('%s', (name, temperature) => {
  test('in every format a turn evaluates what is new, whatever the answer before it was', async () => {
    await using loaded = await loadModel({ path: resolve(root, 'models', `${name}.gguf`) });
    let compared = 0;
    for (const format of formats.filter(({ accepts }) => accepts.chat)) {
      await using engine = await loaded.createEngine({
        threads: 1,
        contextSize: 3072,
        maxSequences: 2,
        beyondTraining: true,
      });
      const options = { sampling: { temperature }, facts: null, seed: 3, maxTokens: 24, system: undefined };
      const conversation = new Conversation(engine, format, options);
      let before: Answer | undefined;
      for (const message of ['A cat has pneumonia.', 'What is its score?', 'Why is that so?']) {
        const answer = await conversation.ask(message, never, ignore);
        // An answer that lacks the blank, or begins with one that is taken away, cannot be written as it was said, and is evaluated again.
        const blank = before !== undefined && /^\s/.test(before.text);
        const writable =
          before && before.text.trim() !== '' && !(blank ? trimming : withoutBlank).includes(format.name);
        if (before && writable) {
          const said = (await loaded.tokenize(before.text, { bos: 'never', inside: true })).length;
          const fresh = answer.promptTokens - before.promptTokens - said;
          // A stop text and what was sampled of it is evaluated as the format writes it.
          expect
            .soft([format.name, temperature, answer.evaluatedTokens - fresh > 4])
            .toEqual([format.name, temperature, false]);
          compared++;
        }
        before = answer;
      }
    }
    expect(compared).toBeGreaterThan(formats.length / 2);
  });
});

test('cells that short answers did not use are there for the next turns', async () => {
  await using loaded = await loadModel({ path: model });
  await using engine = await loaded.createEngine({ threads: 1, contextSize: 512, maxSequences: 2 });
  const brief = { ...alpaca, stops: () => ({ tokens: [], texts: ['.'] }) };
  const conversation = new Conversation(engine, brief, { ...greedy, maxTokens: 200 });
  const asked = [];
  for (let i = 0; i < 4; i++) asked.push(await conversation.ask('Hello', never, ignore));
  expect(asked.every(({ finish }) => finish === 'stop')).toBe(true);
  for (const { promptTokens, evaluatedTokens } of asked.slice(1)) expect(evaluatedTokens).toBeLessThan(promptTokens);
});

test('a stopped answer stays part of the conversation', async () => {
  await using loaded = await loadModel({ path: model });
  await using engine = await loaded.createEngine({ threads: 1, contextSize: 512, maxSequences: 2 });
  const conversation = new Conversation(engine, alpaca, greedy);
  const controller = new AbortController();
  const first = await conversation.ask('Tell me a story', controller.signal, () => controller.abort(new Error('stop')));
  const second = await conversation.ask('Go on', never, ignore);
  expect(first.finish).toBe('cancelled');
  expect(second.promptTokens).toBeGreaterThan(first.promptTokens * 1.5);
});

test('a format whose tokens the vocabulary lacks, and layers that no GPU can take, are warned of', async () => {
  const args = ['chat', '-m', model, '--format', 'chatml', '--gpu-layers', '99', '--json', '--max-tokens', '2'];
  const { code, stdout, stderr } = await meditron(args, 'Hello\n');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ finish: 'length' });
  expect(stderr).toMatch(
    /^meditron: warning: .*chatml is made of <\|im_start\|>, which this model's vocabulary does not have/m,
  );
  if (
    !JSON.parse((await meditron(['devices', '--json'])).stdout).devices.some(({ type }: { type: string }) =>
      /gpu/.test(type),
    )
  )
    expect(stderr).toMatch(/^meditron: warning: .*(GPU|gpu)/m);
});

test('what speaks against the name of a model is said before its first answer', async () => {
  const { path } = await synthesize({
    shape: 'tiny-gemma2',
    quant: 'q8_0',
    out: folder.path('Meditron3-Gemma2-9B.gguf'),
  });
  const { code, stderr } = await meditron(['chat', '-m', path, '--json', '--max-tokens', '2'], 'Hello\n');
  expect(code).toBe(0);
  expect(stderr).toMatch(/^meditron: warning: .*its weights are not the published ones/m);
});
