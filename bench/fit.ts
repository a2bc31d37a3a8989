// What `meditron fit` says of a model's speed against what is measured, and what --low-memory takes.
// Usage: npx tsx bench/fit.ts --model FILE [--rounds 3] [--out bench/results/fit.json]
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { availableCores } from '../src/engine/capacity/cores.js';
import { measuredColumns, multiplied, speedOf } from '../src/engine/capacity/speed.js';
import { readGguf } from '../src/gguf/reader.js';
import { tensorType } from '../src/gguf/types.js';
import { loadModel } from '../src/index.js';
import { loadAddon } from '../src/native/load.js';
import { machine, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
if (!values.model) throw new Error('Give the model: --model FILE');
const path = resolve(values.model);
const file = await readGguf(path);
const bytes = multiplied(file.tensors.map(({ name, type, bytes }) => ({ name, type: type.name, bytes })));
const { addon } = await loadAddon();
const threads = availableCores();
const tokens = 12;
const promptTokens = 128;
const prompt = Int32Array.from({ length: promptTokens }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % 30_000)));

interface Figures {
  /** Tokens a second of all samples together. */
  readonly one: number;
  readonly five: number;
  readonly prompt: number;
}

/** As `meditron fit` measures. */
function predicted(repack: boolean): Figures {
  const rates = new Map(
    [...bytes.keys()].map(type => {
      const columns = Int32Array.from(measuredColumns);
      const id = tensorType(type).id;
      return [
        type,
        Array.from(addon.measureProducts({ type: id, repack, threads, bytes: 128e6, seconds: 0.02, columns })),
      ];
    }),
  );
  const speed = speedOf(bytes, type => rates.get(type)!, { waves: [5] });
  return { ...speed.tokensPerSecond, prompt: speed.promptTokensPerSecond };
}

const before = await machine();
const ways = [];
for (const lowMemory of [false, true]) {
  await using model = await loadModel({ path, gpuLayers: 0, lowMemory, loadMode: lowMemory ? 'auto' : 'read' });
  await using engine = await model.createEngine({ contextSize: 1024, maxSequences: 5 });
  const decode = async (samples: number): Promise<{ speed: number; prompt: number }> => {
    const start = performance.now();
    let evaluated = 0;
    const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
    for await (const event of engine.generate({ prompt, samplers, maxTokens: tokens, ignoreEnd: true })) {
      if (event.type === 'prompt') evaluated = performance.now() - start;
    }
    const seconds = (performance.now() - start - evaluated) / 1000;
    return { speed: (samples * (tokens - 1)) / seconds, prompt: promptTokens / (evaluated / 1000) };
  };
  const ratios: Record<keyof Figures, number[]> = { one: [], five: [], prompt: [] };
  const rounds = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const said = predicted(!lowMemory);
    const one = await decode(1);
    const five = await decode(5);
    const measured: Figures = { one: one.speed, five: five.speed, prompt: Math.max(one.prompt, five.prompt) };
    for (const name of ['one', 'five', 'prompt'] as const) ratios[name].push(said[name] / measured[name]);
    rounds.push({ predicted: said, measured });
    console.error(lowMemory ? 'mapped' : 'read', JSON.stringify(rounds.at(-1)));
  }
  ways.push({
    loadMode: model.info.loadMode,
    lowMemory,
    engine: engine.settings,
    rounds,
    predictedOverMeasured: { one: spread(ratios.one), five: spread(ratios.five), prompt: spread(ratios.prompt) },
  });
}
const report = {
  what: 'the speed that `meditron fit` predicts from a short measurement, against decoding for real with random weights of true size; 1 is exact',
  machine: before,
  model: { file: basename(path) },
  ways,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);
