// The speed that `meditron fit` predicts, against decoding for real: by turns, weights read and mapped. Takes at most four minutes.
// Usage: npm run bench:fit -- --model FILE [--rounds 5] [--out bench/results/fit.json]; --quick tries the script and keeps nothing.
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { availableCores } from '../src/engine/capacity/cores.js';
import { measuredColumns, multiplied, speedError, speedOf } from '../src/engine/capacity/speed.js';
import { readGguf } from '../src/gguf/reader.js';
import { tensorType } from '../src/gguf/types.js';
import { loadModel } from '../src/index.js';
import { loadAddon } from '../src/native/load.js';
import { machine, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
if (!values.model) throw new Error('Give the model: --model FILE');
const path = resolve(values.model);
const { quick } = values;
const rounds = quick ? 2 : Number(values.rounds);
const tokens = quick ? 4 : 12;
const promptTokens = 64;
const matrixBytes = quick ? 8e6 : 128e6;
/** After so long no other round of a way begins; a third of it is left for loading and the round that runs. */
const millisecondsOfWay = 80_000;

const file = await readGguf(path);
const bytes = multiplied(file.tensors.map(({ name, type, bytes }) => ({ name, type: type.name, bytes })));
const { addon } = await loadAddon();
const threads = availableCores();

/** Tokens a second: of one sample, of five together, of a prompt. */
type Figures = Readonly<Record<'one' | 'five' | 'prompt', number>>;

/** As `meditron fit` measures. */
function predicted(repack: boolean): Figures {
  const columns = Int32Array.from(measuredColumns);
  const rates = new Map(
    [...bytes.keys()].map(type => {
      const product = { type: tensorType(type).id, repack, threads, bytes: matrixBytes, seconds: 0.02, columns };
      return [type, Array.from(addon.measureProducts(product))];
    }),
  );
  const speed = speedOf(bytes, type => rates.get(type)!, { waves: [5] });
  return { ...speed.tokensPerSecond, prompt: speed.promptTokensPerSecond };
}

const before = await machine();
const ways = [];
for (const lowMemory of [false, true]) {
  const began = performance.now();
  await using model = await loadModel({ path, gpuLayers: 0, lowMemory });
  await using engine = await model.createEngine({ contextSize: 512, maxSequences: 5 });
  const decode = async (samples: number, length: number): Promise<{ speed: number; prompt: number }> => {
    const prompt = Int32Array.from({ length }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % 30_000)));
    const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
    const start = performance.now();
    let evaluated = start;
    for await (const event of engine.generate({ prompt, samplers, maxTokens: tokens, ignoreEnd: true })) {
      if (event.type === 'prompt') evaluated = performance.now();
    }
    const steps = samples * (tokens - 1); // the prompt's step gives the first token of each
    return { speed: steps / ((performance.now() - evaluated) / 1000), prompt: length / ((evaluated - start) / 1000) };
  };
  const measure = async (): Promise<Figures> => {
    const one = await decode(1, 8);
    const five = await decode(5, promptTokens);
    return { one: one.speed, five: five.speed, prompt: five.prompt };
  };
  await decode(5, 8); // pages come, threads start
  const made: { predicted: Figures; measured: Figures }[] = [];
  while (made.length < rounds && (made.length < 2 || performance.now() - began < millisecondsOfWay)) {
    // Who comes first alternates, so that a machine that gets slower favours neither.
    const first = made.length % 2 === 0 ? predicted(!lowMemory) : undefined;
    const measured = await measure();
    made.push({ predicted: first ?? predicted(!lowMemory), measured });
    console.error(lowMemory ? 'mapped' : 'read', JSON.stringify(made.at(-1)));
  }
  const over = (of: (round: (typeof made)[number], name: keyof Figures) => number) => ({
    one: spread(made.map(round => of(round, 'one'))),
    five: spread(made.map(round => of(round, 'five'))),
    prompt: spread(made.map(round => of(round, 'prompt'))),
  });
  ways.push({
    loadMode: model.info.loadMode,
    lowMemory,
    engine: engine.settings,
    rounds: made.length,
    predicted: over((round, name) => round.predicted[name]),
    measured: over((round, name) => round.measured[name]),
    predictedOverMeasured: over((round, name) => round.predicted[name] / round.measured[name]),
  });
}
const report = {
  what: 'the speed that `meditron fit` predicts from a short measurement, against decoding for real in tokens a second of all samples together; predictedOverMeasured 1 is exact. Median, least and greatest of the rounds',
  machine: { ...before, loadAfter: loadavg()[0] },
  model: {
    file: basename(path),
    name: file.metadata.get('general.name')?.value ?? null,
    bytes: file.parts.reduce((sum, { size }) => sum + size, 0),
  },
  job: { threads, promptTokens, tokensPerSample: tokens, matrixBytes },
  claimedError: speedError,
  ways,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
const out = values.out ?? (quick ? undefined : 'bench/results/fit.json');
if (out) writeFileSync(out, text);
console.log(text);
