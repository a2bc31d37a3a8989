import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { serving } from './serving.js';

const python = process.env.PYTHON ?? 'python3';
const has = spawnSync(python, ['-c', 'import lm_eval, aiohttp, tenacity']).status === 0;
const run = promisify(execFile);

interface Found {
  readonly tokenizer: string;
  readonly loglikelihood: readonly (readonly [number, boolean])[];
  readonly rolling: readonly number[];
  readonly generate: readonly string[];
}

const title = has
  ? 'lm-evaluation-harness'
  : `lm-evaluation-harness: \`pip install "lm_eval[api]"\`, and PYTHON names its python`;
const told = `${title}: its own code finds the tokenizer, and the scores of an engine as it comes, of %s`;
test.skipIf(!has).each(['stories260K', 'meditron-mini'] as const)(told, async name => {
  await using server = await serving(name);
  await using engine = await server.loaded.createEngine();
  const cases = {
    pairs: [
      ['Once upon a time', ', there was a little girl'],
      ['The dog', ' was happy'],
      ['', 'Once upon a time'],
      ['Lily was', ' sad'],
    ] as const,
    contexts: ['Once upon a time', 'The dog was big.', 'Lily'],
    until: ['.', '\n'],
  };
  const url = server.baseURL.replace(/\/v1$/, '');
  const script = `${import.meta.dirname}/harness.py`;
  const { stdout } = await run(python, [script, url, server.model, JSON.stringify(cases)]);
  const all = JSON.parse(stdout) as Found[];
  expect(all).toHaveLength(3);

  /** The harness cuts the whole text into tokens, and the continuation is what stands behind the context's. */
  const scoreOf = async (context: string, continuation: string) => {
    const plain = (text: string) => engine.model.tokenize(text, { bos: 'never' });
    const whole = await plain(context + continuation);
    const before = context === '' ? Int32Array.of(engine.model.info.bos!) : await plain(context);
    const rest = context === '' ? whole : whole.slice(before.length);
    const [score] = await engine.score({ prompt: before, continuations: [rest] });
    return score!.logprob;
  };
  for (const { tokenizer, loglikelihood, rolling, generate } of all) {
    expect(tokenizer).toBe('remote');
    for (const [i, [context, continuation]] of cases.pairs.entries())
      expect(Math.abs(loglikelihood[i]![0] - (await scoreOf(context, continuation)))).toBeLessThan(1e-4);
    for (const [i, text] of cases.contexts.entries())
      expect(Math.abs(rolling[i]! - (await scoreOf('', text)))).toBeLessThan(1e-4);
    expect(loglikelihood.map(([, greedy]) => greedy)).toEqual(all[0]!.loglikelihood.map(([, greedy]) => greedy));
    // With weights of 8 bits a greedy text may go another way beside others.
    if (name === 'stories260K') expect(generate).toEqual(all[0]!.generate);
    expect(generate).toHaveLength(cases.contexts.length);
    for (const text of generate) expect(text).not.toMatch(/[.\n]/);
  }
});
