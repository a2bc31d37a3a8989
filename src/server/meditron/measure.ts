import { typical } from '../../engine/capacity/outlook.js';
import type { Engine } from '../../engine/engine.js';
import type { Held } from '../../engine/held.js';
import type { Pool } from '../pool/pool.js';
import type { MeasureStreamEvent, ModelSpeed } from './protocol.js';
import type { Tell } from './told.js';

/** Seconds that writing is measured for, once alone and once together. */
const seconds = 6;

/** Fewest and most tokens of a sample that is measured. */
const [least, most] = [8, 128];

/** What the first tokens tell, by which the others are counted out. */
const trial = 4;

/**
 * Reads a typical prompt and writes on behind it, once with one sample and once with as many as a typical question has, on the engine that answers
 * questions.
 *
 * @throws MeditronError what using a model and generating throw; the signal's reason
 */
export async function measureSpeed(
  pool: Pool,
  name: string,
  tell: Tell<MeasureStreamEvent>,
  signal: AbortSignal,
): Promise<ModelSpeed> {
  tell({ type: 'measuring', what: 'loading', fraction: 0 });
  await using use = await pool.use(name, signal);
  const { engine, model } = use;
  const { sequenceSize, maxSequences } = engine.settings;
  const length = Math.min(typical.promptTokens, sequenceSize - most - 1);
  const text = 'The patient is a 58-year-old woman with fever, cough and pain in the chest. '.repeat(length);
  const tokens = (await model.tokenize(text, { signal })).slice(0, length);
  tell({ type: 'measuring', what: 'prompt', fraction: 0.1 });
  const prompt = await timed(() => engine.prefix(tokens, { signal }));
  const held = prompt.result;
  try {
    tell({ type: 'measuring', what: 'one', fraction: 0.3 });
    const first = await rateOf(engine, held, 1, trial, signal);
    const one = await rateOf(engine, held, 1, countFor(first), signal);
    tell({ type: 'measuring', what: 'five', fraction: 0.6 });
    const samples = Math.min(typical.samples, maxSequences - 1);
    const five = await rateOf(engine, held, samples, countFor(one / samples), signal);
    const promptRate = length / prompt.seconds;
    return {
      ...{ one, five, prompt: promptRate },
      questionSeconds: typical.promptTokens / promptRate + (typical.samples * typical.tokensOfChain) / five,
      measured: new Date().toISOString(),
    };
  } finally {
    held.release();
  }
}

/** Tokens a second of samples together. */
async function rateOf(
  engine: Engine,
  from: Held,
  samples: number,
  tokens: number,
  signal: AbortSignal,
): Promise<number> {
  const { seconds } = await timed(async () => {
    const samplers = Array.from({ length: samples }, () => ({ temperature: 1 }));
    const prompt = Int32Array.of(engine.model.info.bos ?? 1);
    const events = engine.generate({ prompt, from, samplers, maxTokens: tokens, ends: [], signal });
    for await (const _ of events);
  });
  return (samples * tokens) / seconds;
}

function countFor(rate: number): number {
  return Math.max(least, Math.min(most, Math.round(seconds * rate)));
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const from = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - from) / 1000 };
}
