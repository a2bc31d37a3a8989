import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { choose, widthFile } from '../../src/engine/width/kept.js';
import {
  type AskEngine,
  ask,
  type Evidence,
  loadModel,
  type Model,
  measuredWidth,
  replay,
  roomFor,
} from '../../src/index.js';
import { meditron, root } from '../cli/command.js';

const path = join(root, 'models', 'meditron-mini.gguf');
const folder = mkdtempSync(join(tmpdir(), 'meditron-width-'));
const before = process.env.MEDITRON_STATE;
const model: Model = await loadModel({ path, gpuLayers: 0, loadMode: 'read' });
let state = '';
let made = 0;

beforeEach(() => {
  state = join(folder, `state${made++}`);
  process.env.MEDITRON_STATE = state;
});

afterAll(async () => {
  await model.close();
  if (before === undefined) delete process.env.MEDITRON_STATE;
  else process.env.MEDITRON_STATE = before;
  rmSync(folder, { recursive: true, force: true });
});

const kept = () => readdirSync(join(state, 'widths')).map(name => readFileSync(join(state, 'widths', name), 'utf8'));
const times = new Map([[1, 1]]);

/** Makes `width` what was chosen for five samples. */
async function chosen(width: number): Promise<void> {
  expect(await choose(widthFile(model.info, 5, {})!, { width, measured: true, times }, true)).toBe(width);
}

test('what is measured once stays, and is measured again only when asked to', async () => {
  let measurements = 0;
  const onMeasure = () => measurements++;
  const first = await measuredWidth(model, 5, { onMeasure });
  expect([4, 5]).toContain(first.width);
  expect(kept()).toHaveLength(1);
  const [text] = kept();
  expect(await measuredWidth(model, 5, { onMeasure })).toEqual({ width: first.width, warnings: [] });
  expect([measurements, kept()]).toEqual([1, [text]]);
  await measuredWidth(model, 5, { again: true, onMeasure });
  expect([measurements, kept().length]).toEqual([2, 1]);
});

test('what takes other steps is chosen by itself', () => {
  const files = [
    widthFile(model.info, 5, {}),
    widthFile(model.info, 6, {}),
    widthFile(model.info, 5, { threads: 1 }),
    widthFile(model.info, 5, { kvType: 'f32' }),
    widthFile(model.info, 5, { kernels: 'llama.cpp' }),
    widthFile({ ...model.info, loadMode: 'mmap' }, 5, {}),
    widthFile({ ...model.info, gpuLayers: 1 }, 5, {}),
    widthFile({ ...model.info, sizeBytes: model.info.sizeBytes + 1 }, 5, {}),
    widthFile({ ...model.info, runtime: { ...model.info.runtime, cpuVariant: 'another' } }, 5, {}),
    widthFile(
      { ...model.info, runtime: { ...model.info.runtime, build: { ...model.info.runtime.build, libraries: 'v9' } } },
      5,
      {},
    ),
  ];
  expect(new Set(files).size).toBe(files.length);
  expect(widthFile({ ...model.info, path: 'elsewhere.gguf', name: 'another' }, 5, { contextSize: 512 })).toBe(files[0]);
  expect(widthFile(model.info, 5, { kernels: 'auto' })).toBe(files[0]);
});

test('of processes that choose at once one decides for all', async () => {
  const file = widthFile(model.info, 5, {})!;
  mkdirSync(join(state, 'widths'), { recursive: true, mode: 0o700 });
  const widths = await Promise.all([4, 5, 4, 5, 3].map(width => choose(file, { width, measured: true, times })));
  expect(new Set(widths).size).toBe(1);
  expect((await measuredWidth(model, 5)).width).toBe(widths[0]);
  expect(kept()).toHaveLength(1);
});

test('a file that is damaged, of another form, or open to others decides nothing', async () => {
  await chosen(2);
  const file = widthFile(model.info, 5, {})!;
  const good = readFileSync(file, 'utf8');
  for (const bad of ['', '{', good.replace('"width":2', '"width":3'), good.slice(0, -20), 'x'.repeat(1 << 17)]) {
    writeFileSync(file, bad);
    expect([4, 5]).toContain((await measuredWidth(model, 5)).width);
    expect(kept()).toHaveLength(1);
    expect(() => JSON.parse(readFileSync(file, 'utf8'))).not.toThrow();
  }
  if (process.platform === 'win32') return;
  writeFileSync(file, good);
  chmodSync(file, 0o666);
  expect([4, 5]).toContain((await measuredWidth(model, 5)).width);
});

test('where nothing can be kept nothing is measured: the usual number runs at once', async () => {
  const onMeasure = () => expect.unreachable();
  for (const nowhere of ['none', join(path, 'below'), ...(process.platform === 'linux' ? ['/proc/none'] : [])]) {
    process.env.MEDITRON_STATE = nowhere;
    expect(await measuredWidth(model, 5, { onMeasure })).toEqual({ width: 4, warnings: [] });
  }
});

test('with four samples or fewer, weights that are mapped, or an abort before, nothing is measured', async () => {
  const onMeasure = () => expect.unreachable();
  expect(await measuredWidth(model, 4, { onMeasure })).toEqual({ width: 4, warnings: [] });
  await using mapped = await loadModel({ path, gpuLayers: 0, loadMode: 'mmap' });
  expect(await measuredWidth(mapped, 9, { onMeasure })).toEqual({ width: 9, warnings: [] });
  expect((await measuredWidth(model, 9, { signal: AbortSignal.abort(), onMeasure })).width).toBe(4);
});

const question = {
  kind: 'choice',
  question: 'A 70-year-old woman with atrial fibrillation and hypertension. What is her CHA2DS2-VASc score?',
  options: ['1', '2', '3', '4'],
} as const;

async function asked(width: number): Promise<Evidence> {
  const options = { width, seed: 3, stop: 'none', maxTokens: 24, protocol: 'strict' } as const;
  await using engine = await model.createEngine(await roomFor(model, question, options));
  return (await ask(engine as AskEngine, question, options)).evidence;
}

test('a record is replayed with the samples at once that it was made with, whatever was chosen since', async () => {
  for (const width of [5, 3]) {
    const record = await asked(width);
    await chosen(width === 5 ? 3 : 5);
    const again = await replay(record, { modelPath: path });
    expect(again.difference).toBeNull();
    expect(again.answer!.plan.waves).toEqual(record.plan.waves);
    expect(record.plan.waves[0]).toBe(width);
  }
});

test('the command asks as was chosen, the same for the same seed, and as --width says where it is given', async () => {
  const file = join(folder, 'question.json');
  writeFileSync(file, JSON.stringify(question));
  const command = async (...flags: string[]) => {
    const run = await meditron([
      'ask',
      file,
      '--json',
      '--seed',
      '3',
      '--stop-rule',
      'none',
      '--max-tokens',
      '24',
      ...flags,
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { plan, samples } = JSON.parse(run.stdout);
    return { waves: plan.waves, texts: samples.map((sample: { text: string }) => sample.text) };
  };
  const first = await command();
  expect(kept()).toHaveLength(1);
  const text = kept();
  expect(await command()).toEqual(first);
  expect(kept()).toEqual(text);
  await chosen(3);
  expect((await command()).waves).toEqual([3, 2]);
  expect((await command('--width', '2')).waves).toEqual([2, 2, 1]);
  process.env.MEDITRON_STATE = 'none';
  expect((await command()).waves).toEqual([4, 1]);
}, 60_000);
