import { expect, test } from 'vitest';
import { Conversation } from '../../src/cli/conversation.js';
import { loadModel } from '../../src/engine/model.js';
import { alpaca } from '../../src/prompt/format/alpaca.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import type { Message } from '../../src/prompt/question/question.js';
import { meditron, model } from './command.js';

const greedy = { sampling: {}, seed: 0, maxTokens: 20, system: undefined };
const never = new AbortController().signal;
const ignore = () => {};

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

test('when the cells kept for short answers run out, the conversation is evaluated anew instead of refused', async () => {
  await using loaded = await loadModel({ path: model });
  await using engine = await loaded.createEngine({ threads: 1, contextSize: 512, maxSequences: 2 });
  const brief = { ...alpaca, stops: () => ({ tokens: [], texts: ['.'] }) };
  const conversation = new Conversation(engine, brief, { ...greedy, maxTokens: 200 });
  const asked = [];
  for (let i = 0; i < 4; i++) asked.push(await conversation.ask('Hello', never, ignore));
  expect(asked.every(({ finish }) => finish === 'stop')).toBe(true);
  expect(asked.some(({ promptTokens, evaluatedTokens }, i) => i > 0 && promptTokens === evaluatedTokens)).toBe(true);
  expect(asked.some(({ promptTokens, evaluatedTokens }) => evaluatedTokens < promptTokens)).toBe(true);
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
