import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { synthesize } from '../../src/synth/synth.js';

interface Vector {
  src: string;
  text: string;
  ids: number[];
}
const vectors = (name: string): Vector[] =>
  readFileSync(fileURLToPath(new URL(`../fixtures/tokenizer/${name}.jsonl`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Vector);

const folder = mkdtempSync(join(tmpdir(), 'meditron-tokenize-'));
let meditron: Model;
let llama3: Model;

beforeAll(async () => {
  await synthesize({ shape: 'tiny', quant: 'q8_0', vocabulary: 'meditron-chat', out: join(folder, 'meditron.gguf') });
  await synthesize({ shape: 'tiny-llama-3', quant: 'q8_0', out: join(folder, 'llama3.gguf') });
  meditron = await loadModel({ path: join(folder, 'meditron.gguf') });
  llama3 = await loadModel({ path: join(folder, 'llama3.gguf') });
});

afterAll(async () => {
  await meditron?.close();
  await llama3?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('against ids on which other tokenizers agree', () => {
  test.each([
    ['llama2', () => meditron],
    ['llama3', () => llama3],
  ] as const)('%s', async (name, model) => {
    const wrong: string[] = [];
    for (const { text, ids } of vectors(name)) {
      const got = await model().tokenize(text, { bos: 'never' });
      if (got.length !== ids.length || got.some((id, i) => id !== ids[i])) wrong.push(text);
    }
    expect(wrong).toEqual([]);
  });
});

describe("MEDITRON's added tokens (ids of epfLLM/Megatron-LLM's vocabulary list)", () => {
  const ids = async (text: string, template = false) => [
    ...(await meditron.tokenize([{ text, template }], { bos: 'never' })),
  ];

  test('the chat format is what the fine-tunes were trained on', async () => {
    const prompt = await meditron.tokenize(
      [
        { text: '<|im_start|>question\n', template: true },
        { text: 'Hi', template: false },
        { text: '<|im_end|>\n<|im_start|>answer\n', template: true },
      ],
      { bos: 'never' },
    );
    expect([...prompt]).toEqual([32017, 1139, 13, 18567, 32018, 29871, 13, 32017, 1234, 13]);
  });

  test.each([
    ['The answer is: A', [450, 1234, 338, 29901, 319]],
    ['answer\nA', [1234, 13, 29909]],
    ['\n', [29871, 13]],
    ['###', [835]],
    ['\n###', [29871, 13, 2277, 29937]],
  ])('%j has the published ids', async (text, expected) => {
    expect(await ids(text)).toEqual(expected);
  });

  test.each(['<EOD>', '[table]', '<PAD>', '[bib_ref]x[/bib_ref]', '<|im_start|>', '</s>', 'a [fig] b', '<s>', '<unk>'])(
    '%j from outside is ordinary text, and reads back as it was',
    async text => {
      const tokens = await ids(text);
      expect(tokens.filter(id => meditron.info.specials.includes(id))).toEqual([]);
      expect(await meditron.detokenize(Int32Array.from(tokens))).toBe(text);
    },
  );

  test('in a template they are one token', async () => {
    expect(await ids('<EOD>', true)).toEqual([32002]);
    expect(await ids('[table]', true)).toEqual([32013]);
  });

  test('<EOD> and the other end tokens end a text', () => {
    expect([...meditron.info.ends]).toEqual(expect.arrayContaining([2, 32002, 32004, 32018]));
  });

  test('cutting text into segments does not change its ids', async () => {
    const text = 'A 64-year-old woman, 5 mg of [table] warfarin — µg';
    const whole = await ids(text);
    for (const at of [1, 5, 12, 25, 31]) {
      const parts = [text.slice(0, at), text.slice(at)].map(part => ({ text: part, template: false }));
      expect([...(await meditron.tokenize(parts, { bos: 'never' }))]).toEqual(whole);
    }
  });

  test('a continuation gets the ids it has behind its prompt', async () => {
    const idsAfter = async (prompt: string, text: string) => [
      ...(await meditron.continuation(await meditron.tokenize(prompt), text)),
    ];
    expect(await idsAfter('The answer is:', ' A')).toEqual([319]);
    expect(await idsAfter('answer\n', 'A')).toEqual([29909]);
    expect(await idsAfter('The answer is:', ' maybe')).toEqual([5505]);
  });

  test('a beginning token is added once, or not at all', async () => {
    expect((await meditron.tokenize('Hi', { bos: 'always' }))[0]).toBe(1);
    expect((await meditron.tokenize('Hi', { bos: 'never' }))[0]).not.toBe(1);
    const spelled = await meditron.tokenize([{ text: '<s>Hi', template: true }], { bos: 'always' });
    expect([...spelled].filter(id => id === 1)).toHaveLength(1);
  });
});

test('Llama-3 control tokens come from templates only', async () => {
  const turn = '<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>';
  const ours = await llama3.tokenize([{ text: turn, template: true }], { bos: 'never' });
  expect(ours[0]).toBe(128006);
  expect(ours.at(-1)).toBe(128009);
  const theirs = await llama3.tokenize(turn, { bos: 'never' });
  expect([...theirs].filter(id => id >= 128000)).toEqual([]);
  expect(await llama3.detokenize(theirs)).toBe(turn);
});

test('long runs of one character and odd text survive', async () => {
  for (const text of [
    '-'.repeat(200_000),
    'a'.repeat(200_000),
    ' '.repeat(200_000),
    '\u0000\u0001',
    '\ud800',
    '🏥'.repeat(1000),
    'é'.repeat(10_000),
  ]) {
    for (const model of [meditron, llama3]) expect((await model.tokenize(text)).length).toBeGreaterThan(0);
  }
  await expect(meditron.tokenize('a'.repeat(5_000_000))).rejects.toMatchObject({ code: 'ERR_CONTEXT_FULL' });
});

describe('long texts', () => {
  // A million newlines took ten seconds in one piece, and tokens that a vocabulary adds, one after another, did too.
  test.each([
    ['newlines', '\n'.repeat(1_000_000)],
    ['characters that the vocabulary lacks', '\u0001'.repeat(1_000_000)],
    ['texts of added tokens', '[table]'.repeat(140_000)],
  ])('%s read back as they were', async (_, text) => {
    const tokens = await meditron.tokenize(text, { bos: 'never' });
    expect((await meditron.detokenize(tokens)).trimStart()).toBe(text.trimStart());
  });

  test('a text that cannot fit is refused before it is tokenized', async () => {
    const { longestPiece } = meditron.info;
    const text = 'a'.repeat(longestPiece * 100 + 1);
    await expect(meditron.tokenize(text, { maxTokens: 100 })).rejects.toMatchObject({
      code: 'ERR_CONTEXT_FULL',
      message: expect.stringMatching(/at most 100 tokens.*at least 101 tokens/),
    });
    expect((await meditron.tokenize(text.slice(1), { maxTokens: 100 })).length).toBeGreaterThan(100);
    await using engine = await meditron.createEngine({ threads: 1, contextSize: 256 });
    await expect(engine.prefix('\n'.repeat(300 * longestPiece))).rejects.toMatchObject({ code: 'ERR_CONTEXT_FULL' });
  });

  test('no text has fewer tokens than its bytes allow', async () => {
    for (const model of [meditron, llama3]) {
      for (const text of [
        ' '.repeat(5000),
        '-'.repeat(5000),
        '='.repeat(5000),
        '🏥'.repeat(500),
        '<|reserved_special_token_100|>',
      ])
        for (const template of [true, false]) {
          const tokens = await model.tokenize([{ text, template }], { bos: 'never' });
          expect(tokens.length).toBeGreaterThanOrEqual(Math.ceil(Buffer.byteLength(text) / model.info.longestPiece));
        }
    }
  });

  test('an abort is answered at once, and the model goes on', async () => {
    const reason = new Error('mine');
    await expect(meditron.tokenize('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const pending = meditron.tokenize('\n'.repeat(4_000_000), { signal: abort.signal });
    abort.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect((await meditron.tokenize('Hi')).length).toBeGreaterThan(0);
  });

  test('closing the model ends them with ERR_CLOSED', async () => {
    const model = await loadModel({ path: join(folder, 'meditron.gguf') });
    const pending = expect(model.tokenize('\n'.repeat(4_000_000))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await model.close();
    await pending;
  });

  test.each([
    [{ inside: 'no' }, /`inside`/],
    [{ bos: 'sometimes' }, /`bos`/],
    [{ maxTokens: -1 }, /`maxTokens`/],
    [{ signal: {} }, /`signal`/],
    [{ insid: true }, /`inside`/],
  ])('%j is refused', async (options, message) => {
    const error = await meditron.tokenize('a', options as object).catch(e => e);
    expect(error).toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) });
  });
});
