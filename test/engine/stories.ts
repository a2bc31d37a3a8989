import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { GenerateEvent, SampleEnd } from '../../src/engine/jobs/generation.js';
import type { EngineOptions, LoadOptions, Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The small trained model that ships with the project. */
export const storiesPath = here('../../models/stories260K.gguf');
export const golden = readFileSync(here('../fixtures/stories260K.greedy.txt'), 'utf8').trimEnd();

interface Reference {
  greedy: { prompt: string; prompt_ids: number[]; gen_ids: number[]; text: string }[];
  loglik: {
    context: string;
    context_ids: number[];
    candidates: { continuation: string; ids: number[]; logprobs: number[]; sum: number }[];
  }[];
}
/** An independent float32 forward pass over the same weights. */
export const reference = JSON.parse(readFileSync(here('../fixtures/stories260K.reference.json'), 'utf8')) as Reference;

export const loadStories = (options: Partial<LoadOptions> = {}): Promise<Model> =>
  loadModel({ path: storiesPath, ...options });

/** One thread: llama.cpp's threads spin, and a test machine has other things to do. */
export const oneThread: EngineOptions = { threads: 1, contextSize: 1024 };
/** As the reference computes: full precision in the cache, plain attention. */
export const exact: EngineOptions = { ...oneThread, kvType: 'f32', flashAttention: 'off' };

/** An engine on which a text may be so long that no test sees its end by itself, and such a text. */
export const roomy: EngineOptions = { ...exact, contextSize: 1 << 16, beyondTraining: true };
export const endless = { prompt: 'Once', maxTokens: 30_000, ignoreEnd: true };

/** Every event of a generation. */
export async function all(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const list: GenerateEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** The ends of all samples, by sample. */
export async function ends(events: AsyncIterable<GenerateEvent>): Promise<SampleEnd[]> {
  const list = (await all(events)).filter(event => event.type === 'end');
  return list.sort((a, b) => a.sample - b.sample);
}

export const textOf = (events: readonly GenerateEvent[], sample = 0): string =>
  events.map(event => (event.type === 'text' && event.sample === sample ? event.text : '')).join('');
