import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Conversation } from '../../src/cli/conversation.js';
import { loadModel } from '../../src/host/load.js';
import { chatml } from '../../src/prompt/format/chatml.js';
import { meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-prefix-'));
const guideline = 'You answer by the guideline. Lily and Tom played in the park, and saw a big red ball there. '.repeat(
  3,
);
const question = join(folder, 'question.txt');
writeFileSync(question, 'Who was it that Quentin saw?\nA. a dog\nB. a cat\n');

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));

describe('ask --prefix', () => {
  const args = ['ask', question, '-m', model, '--format', 'raw', '--instruction', guideline, '--threads', '1'];
  const asked = (prefix: string, ...more: string[]) =>
    meditron([...args, '--samples', '2', '--max-tokens', '8', '--prefix', prefix, ...more]);

  test('evaluates and saves the first time, says so, and loads it then: the same samples; no word of the question is in it', async () => {
    const prefix = join(folder, 'ask.prefix');
    const first = await asked(prefix);
    expect(first.stderr).toMatch(/the beginning of the prompts, \d+ tokens, is kept in .*ask\.prefix/);
    expect(statSync(prefix).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    const bytes = readFileSync(prefix);
    const [again, anew] = [await asked(prefix, '--json'), await asked(join(folder, 'anew.prefix'), '--json')];
    const [loaded, evaluated] = [JSON.parse(again.stdout), JSON.parse(anew.stdout)];
    expect(loaded.samples).toEqual(evaluated.samples);
    expect([again.stderr, anew.stderr]).toEqual(['', '']);
    expect(readFileSync(prefix)).toEqual(bytes);

    const header = JSON.parse(bytes.toString('utf8', 20, 20 + bytes.readUInt32LE(16)));
    await using reading = await loadModel({ path: model });
    const text = await reading.detokenize(Int32Array.from(header.tokens));
    expect(text).toContain(guideline.trim());
    expect(text).not.toMatch(/Who|Quentin|cat/);
  });

  test('with another instruction, a record, or where nothing may be kept is refused with the reason', async () => {
    const prefix = join(folder, 'refused.prefix');
    expect((await asked(prefix)).code).toBe(0);
    const other = await meditron([...args, '--prefix', prefix, '--instruction', `In short: ${guideline}`]);
    expect([other.code, other.stderr]).toEqual([
      3,
      expect.stringMatching(/is the beginning of other prompts: .* remove this one/),
    ]);
    const record = join(folder, 'record.json');
    const both = await asked(prefix, '--record', record);
    expect([both.code, both.stderr]).toEqual([2, expect.stringMatching(/--record or --prefix, got both/)]);
    const env = { MEDITRON_STATE: 'none' };
    const nowhere = await meditron([...args, '--prefix', join(folder, 'new.prefix')], '', env);
    expect([nowhere.code, nowhere.stderr]).toEqual([3, expect.stringMatching(/MEDITRON_STATE is `none`/)]);
    const unknown = await meditron([...args, '--prefix', prefix], '', env);
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringMatching(/keeps nothing \(MEDITRON_STATE\)/)]);
    expect(readdirSync(folder)).not.toContain('new.prefix');
  });
});

describe('chat --prefix', () => {
  const args = ['chat', '-m', model, '--format', 'chatml', '--system', guideline, '--threads', '1', '--json'];
  const said = (prefix: string) =>
    meditron([...args, '--max-tokens', '8', '--prefix', prefix], 'Hello\nAnd then?\n/clear\nHello\n');

  test('starts every conversation from what is kept: nothing of the system text is evaluated again', async () => {
    const prefix = join(folder, 'chat.prefix');
    const [first, second] = [await said(prefix), await said(prefix)];
    const [saved, loaded] = [lines(first.stdout), lines(second.stdout)];
    const timeless = (answers: { totalMs: number }[]) => answers.map(({ totalMs: _, ...rest }) => rest);
    expect(timeless(loaded)).toEqual(timeless(saved));
    const fromCache = saved.map(({ promptTokens, evaluatedTokens }) => promptTokens - evaluatedTokens);
    expect(fromCache[0]).toBeGreaterThan(60);
    expect(fromCache[1]).toBeGreaterThan(fromCache[0]!); // what was said, too
    expect(fromCache[2]).toBe(fromCache[0]); // after /clear
  });

  test('cells are found for long answers: first those of earlier answers are given back, then those of the beginning', async () => {
    await using loaded = await loadModel({ path: model });
    await using engine = await loaded.createEngine({ threads: 1, contextSize: 512, maxSequences: 3 });
    const options = { sampling: {}, facts: null, seed: 0, maxTokens: 150, system: guideline };
    await using conversation = new Conversation(engine, chatml, options);
    const tokens = await conversation.common();
    conversation.begin({ held: await engine.prefix(tokens), tokens });
    const ask = (text: string) => conversation.ask(text, new AbortController().signal, () => {});
    expect((await ask('Hello')).evaluatedTokens).toBeLessThan(40);
    conversation.clear();
    expect((await ask('Hello')).evaluatedTokens).toBeLessThan(40);
    conversation.clear();
    // 512 cells have room for the beginning and one answer with this message, not for two.
    const long = await ask('again and '.repeat(12));
    expect(long.evaluatedTokens).toBeLessThan(long.promptTokens);
    conversation.setSystem(undefined);
    const other = await ask('Hello');
    expect(other.evaluatedTokens).toBe(other.promptTokens);
    (await engine.lease({ sequences: 2, cells: 200 })).release(); // nothing but one answer is held
  });
});

test('eval --prefix with an endpoint, or with stored results, is refused', async () => {
  const prefix = ['--prefix', join(folder, 'eval.prefix')];
  const endpoint = await meditron(['eval', '--endpoint', 'http://127.0.0.1:9/v1', '--out', folder, ...prefix]);
  expect([endpoint.code, endpoint.stderr]).toEqual([2, expect.stringMatching(/--endpoint or --prefix, got both/)]);
  const stored = await meditron(['eval', '--rescore', folder, ...prefix]);
  expect([stored.code, stored.stderr]).toEqual([
    2,
    expect.stringMatching(/--prefix has no meaning with stored results/),
  ]);
});
