// What a step takes by the number of samples in it, how many at once are chosen from that for a question of five and of ten, how long the
// choice takes, and what it gains over four at once when a question is asked.
// Usage: npm run bench:width [-- --model FILE …] [--rounds N] [--steps N] [--questions N] [--out bench/results/width.json]
// Without --model the model that ships is measured. Takes at most three minutes with a 7B on two cores, and leaves nothing in the state folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askedOf } from '../src/clinical/question.js';
import { clinicalQuestions } from '../src/clinical/questions.js';
import { expectedSteps, type StepTimes } from '../src/engine/capacity/width.js';
import { type AskOptions, ask, type Engine, loadModel, type Model, measuredWidth, roomFor } from '../src/index.js';
import { machine, median, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '2' },
    steps: { type: 'string' },
    questions: { type: 'string' },
    out: { type: 'string' },
  },
});
const mini = fileURLToPath(new URL('../models/meditron-mini.gguf', import.meta.url));
const widths = [1, 2, 3, 4, 5, 6, 7, 8, 10];
const usual = 4;
const promptTokens = 200;

const state = mkdtempSync(join(tmpdir(), 'meditron-width-'));
process.env.MEDITRON_STATE = state;
process.on('exit', () => rmSync(state, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const before = await machine();
const models: object[] = [];
for (const path of values.model ?? [mini]) {
  await using model = await loadModel({ path, gpuLayers: 0, loadMode: 'read' });
  models.push(await measure(model));
}
const report = {
  what: 'milliseconds a step by the number of samples in it (prompt of 200 tokens, temperature 0.8, log-probabilities), the number at once chosen from a measurement as a user has it, and the time of asking with it to that of asking four at once: as expected of questions on which chains agree more or less (engine/capacity/width.ts), and of questions asked for real in turn, five samples, by the default rule of stopping; a model of random weights names no answer, so that all five run',
  machine: before,
  models,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);

async function measure(model: Model) {
  const small = model.info.parameters < 1e9;
  const stepsInARow = Number(values.steps ?? (small ? 60 : 4));
  const steps = await stepTimes(model, stepsInARow);
  const seconds: StepTimes = new Map([...steps].map(([width, times]) => [width, median(times)]));
  const choices = [];
  for (const samples of [5, 10]) {
    const start = performance.now();
    const { width, warnings } = await measuredWidth(model, samples);
    choices.push({
      samples,
      width,
      warnings,
      milliseconds: Math.round(performance.now() - start),
      expectedToUsual: expectedSteps(seconds, samples, width) / expectedSteps(seconds, samples, usual),
      expectedAllAtOnceToUsual: expectedSteps(seconds, samples, samples) / expectedSteps(seconds, samples, usual),
    });
  }
  const asked = await askInTurn(model, Number(values.questions ?? (small ? 12 : 2)), small ? 200 : 16);
  const row = {
    model: {
      file: basename(model.info.path),
      parameters: model.info.parameters,
      quantization: model.info.quantization.name,
    },
    stepsInARow,
    milliseconds: Object.fromEntries(
      [...steps].map(([width, times]) => [width, spread(times.map(time => 1000 * time))]),
    ),
    choices,
    asked,
  };
  console.error(JSON.stringify({ ...row, milliseconds: Object.fromEntries(seconds) }));
  return row;
}

/** Seconds of a step for every number of samples, a mean each round. */
async function stepTimes(model: Model, steps: number): Promise<Map<number, number[]>> {
  const most = Math.max(...widths);
  await using engine = await model.createEngine({
    contextSize: promptTokens + most * (steps + 1),
    maxSequences: most + 1,
  });
  const prompt = Int32Array.from({ length: promptTokens }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % 30_000)));
  using held = await engine.prefix(prompt.subarray(0, -1));
  const times = new Map(widths.map(width => [width, [] as number[]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const width of widths) {
      const samplers = Array.from({ length: width }, () => ({ temperature: 0.8 }));
      const job = { prompt: prompt.subarray(-1), from: held, samplers, maxTokens: steps + 1, seed: 1 };
      let evaluated = performance.now();
      for await (const event of engine.generate({ ...job, ignoreEnd: true, logprobs: true }))
        if (event.type === 'prompt') evaluated = performance.now();
      times.get(width)!.push((performance.now() - evaluated) / 1000 / steps);
    }
  }
  return times;
}

/** Questions of five samples, four at once and five at once, who comes first in turn. */
async function askInTurn(model: Model, count: number, maxTokens: number) {
  const known = /mini/.test(basename(model.info.path));
  const options = {
    samples: 5,
    maxTokens,
    hash: false,
    ...(!known && { format: 'raw', reask: false }),
  } satisfies AskOptions;
  const rows = [];
  let seed = 100;
  for (const asked of clinicalQuestions({ seed, count })) {
    const question = askedOf(asked);
    const seconds: Record<number, number> = {};
    const samples: Record<number, number> = {};
    for (const width of seed % 2 === 0 ? [usual, 5] : [5, usual]) {
      const given = { ...options, width, seed };
      await using engine: Engine = await model.createEngine(await roomFor(model, question, given));
      const start = performance.now();
      const answer = await ask(engine, question, given);
      seconds[width] = (performance.now() - start) / 1000;
      samples[width] = answer.samples.length;
    }
    seed++;
    rows.push({ fourSeconds: seconds[usual]!, fiveSeconds: seconds[5]!, ended: samples });
  }
  return {
    maxTokens,
    fiveToFour: spread(rows.map(({ fiveSeconds, fourSeconds }) => fiveSeconds / fourSeconds)),
    allFiveToFour:
      rows.reduce((sum, row) => sum + row.fiveSeconds, 0) / rows.reduce((sum, row) => sum + row.fourSeconds, 0),
    questions: rows,
  };
}
