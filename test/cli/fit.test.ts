import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { staysInMemory } from '../../src/engine/capacity/low.js';
import { outlookOf } from '../../src/engine/capacity/outlook.js';
import { tensorType } from '../../src/gguf/types.js';
import { loadModel } from '../../src/index.js';
import { loadAddon } from '../../src/native/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { scratch } from '../gguf/sample.js';
import { meditron, root } from './command.js';

const mini = join(root, 'models', 'meditron-mini.gguf');
const dir = scratch();
/** Heads, rows and types of the 7B, in one layer. */
let small: string;

beforeAll(async () => {
  small = dir.path('meditron-7b.Q4_K_M.gguf');
  await synthesize({ shape: 'meditron-7b', quant: 'q4_k_m', layers: 1, out: small });
});
afterAll(() => rm(small));

describe('meditron fit', () => {
  test('reckons the usual quantizations of a model that is not here, best first, with a speed that was measured', async () => {
    const { code, stdout } = await meditron(['fit', 'meditron-7b', '--memory', '16GB', '--json']);
    expect(code).toBe(0);
    const { rows, recommended, reason, rule, machine, model } = JSON.parse(stdout);
    expect(rows.map((row: { quantization: string }) => row.quantization)).toEqual([
      'Q8_0',
      'Q6_K',
      'Q5_K_M',
      'Q4_K_M',
      'Q3_K_M',
      'Q2_K',
    ]);
    expect(rows.find((row: { note: string }) => row.note === 'recommended').quantization).toBe(recommended);
    expect([recommended >= 'Q4_K_M', reason.length > 0, rule]).toEqual([true, true, expect.stringContaining('Q8_0')]);
    expect(machine).toMatchObject({ memoryBytes: 16e9, availableBytes: 12e9, assumed: true });
    expect(model).toMatchObject({ path: null, contextLength: 2048, source: expect.stringContaining('2311.16079') });
    for (const row of rows) {
      if (row.fits === 'no') continue;
      expect(row.tokensPerSecond.one).toBeGreaterThan(0);
      expect(row.questionSeconds).toBeGreaterThan(0);
    }
  });

  test('reads no more of a file than its header, and shows a table', async () => {
    const { code, stdout } = await meditron(['fit', small]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Q4_K_M .*fits.*tokens\/s.*about/m);
    expect(stdout).toMatch(/^Q4_K_M runs here\.\n/);
  });

  test('what does not fit ends with code 5 and what to do', async () => {
    const { code, stdout } = await meditron(['fit', 'meditron-70b', '--memory', '8GB']);
    expect(code).toBe(5);
    expect(stdout).toMatch(/Nothing fits here[\s\S]*meditron3-8b/);
    const low = await meditron(['fit', 'meditron-7b', '--memory', '8 GB']);
    expect(low.stdout).toMatch(/^Recommended: Q4_K_M, .*--low-memory.*\n/);
  });

  test('a name that nobody knows, a missing file and an amount that is none are refused', async () => {
    expect(await meditron(['fit', 'gpt-9'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('meditron3-8b'),
    });
    expect((await meditron(['fit', 'missing.gguf'])).code).toBe(4);
    expect((await meditron(['fit', 'meditron-7b', '--memory', 'much'])).code).toBe(2);
  });

  test('an engine is made of what fits, as it was reckoned', async () => {
    for (const lowMemory of [false, true]) {
      await using model = await loadModel({ path: small, gpuLayers: 0, lowMemory });
      const available = lowMemory ? model.info.sizeBytes + 0.35e9 : 20e9;
      const outlook = outlookOf(model.info, available, 1);
      expect(outlook).toMatchObject({
        fits: lowMemory ? 'tight' : 'yes',
        lowMemory,
        inMemory: staysInMemory(model.info),
      });
      await using engine = await model.createEngine({
        contextSize: outlook.context,
        maxSequences: outlook.samples,
        threads: 1,
        ...(!lowMemory && { batchSize: outlook.batchSize }),
      });
      expect(engine.settings).toMatchObject({ kvType: outlook.kvType });
      if (lowMemory) expect(engine.settings.batchSize).toBeLessThanOrEqual(64);
    }
  });
});

test('what is measured is a time for each number of vectors, longer for more; a type without kernels is an error', async () => {
  const { addon } = await loadAddon();
  const measure = (type: 'q4_K' | 'i32', repack: boolean) =>
    addon.measureProducts({
      ...{ type: tensorType(type).id, repack, threads: 1, bytes: 8e6, seconds: 0.001 },
      columns: Int32Array.of(1, 64),
    });
  for (const repack of [true, false]) {
    const [one, many] = measure('q4_K', repack) as unknown as [number, number];
    expect(one).toBeGreaterThan(0);
    expect(many).toBeGreaterThan(one);
  }
  expect(() => measure('i32', false)).toThrow(expect.objectContaining({ code: 'ERR_NATIVE' }));
});

test('--low-memory says what it changes, and its record replays', async () => {
  const record = dir.path('record.json');
  const question = dir.path('question.txt');
  await writeFile(question, 'Which vitamin prevents scurvy?\nA. Vitamin A\nB. Vitamin C\n');
  const asked = await meditron([
    'ask',
    question,
    '-m',
    mini,
    '--low-memory',
    '--max-tokens',
    '16',
    '--json',
    '--record',
    record,
  ]);
  expect(asked.code).toBe(0);
  const { warnings, evidence } = JSON.parse(asked.stdout);
  expect(warnings).toContainEqual(expect.stringMatching(/little memory.*mapped.*q8_0/));
  expect(evidence.model.loadMode).toBe('mmap');
  const { code, stdout } = await meditron(['replay', record, '--json']);
  expect({ code, same: JSON.parse(stdout).same }).toEqual({ code: 0, same: true });
  const refused = await meditron(['run', '-p', 'x', '--low-memory', '--load', 'read']);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--load') });
});
