import { MeditronError } from '../check/errors.js';
import type { Held } from '../engine/held.js';
import type { GenerateEvent, SampleEnd } from '../engine/jobs/generation.js';
import type { Interruption } from '../vote/count/decision.js';
import type { AskEvent } from './answer.js';
import type { Closing } from './closing.js';
import { Feed } from './feed.js';
import type { Prepared, Variant } from './prepare.js';
import { readSample } from './reading.js';
import { type Open, reaskAll } from './reask.js';
import { answerOf, Samples } from './samples.js';
import type { AskEngine } from './surface.js';

export interface Outcome {
  readonly samples: Samples;
  /** What ended the asking before its own rule did. */
  readonly interrupted: Interruption | undefined;
}

/** Runs the samples, wave after wave, until all have finished, the vote is closed, or the caller closes it. */
export async function* runSamples(
  engine: AskEngine,
  prepared: Prepared,
  closing: Closing,
): AsyncGenerator<AskEvent, Outcome, void> {
  const samples = new Samples(prepared);
  let trunk: Held | undefined;
  try {
    if (prepared.shared > 0) trunk = yield* evaluateShared(engine, prepared, closing);
    let next = 0;
    for (const count of prepared.plan.waves) {
      if (closing.why() || samples.stop) break;
      const wave = Array.from({ length: count }, () => next++);
      yield* runWave(engine, prepared, { wave, trunk, samples, closing });
    }
  } catch (error) {
    if (!closing.why() && !(isFull(error) && samples.finished.size > 0)) throw error;
  } finally {
    trunk?.release();
  }
  samples.open.clear(); // the vote is closed: whoever was not asked again abstains
  const complete = samples.finished.size === prepared.ask.samples || samples.stop;
  return { samples, interrupted: complete ? undefined : (closing.why() ?? 'overflow') };
}

interface Wave {
  readonly wave: readonly number[];
  readonly trunk: Held | undefined;
  readonly samples: Samples;
  readonly closing: Closing;
}

async function* runWave(
  engine: AskEngine,
  prepared: Prepared,
  { wave, trunk, samples, closing }: Wave,
): AsyncGenerator<AskEvent, void, void> {
  const cancel = new AbortController();
  const groups = groupsOf(prepared, wave);
  const total = groups.reduce((sum, group) => sum + group.variant.tokens.length - prepared.shared, prepared.shared);
  const done = groups.map(() => 0);
  const open: Open[] = [];
  const feed = new Feed(
    groups.map((group, i) => numbered(i, engine.generate(jobFor(prepared, group, trunk, cancel.signal)))),
  );
  const onClose = () => feed.stop();
  closing.signal.addEventListener('abort', onClose, { once: true });
  if (closing.signal.aborted) feed.stop();
  try {
    for (let next = await feed.next(); next; next = await feed.next()) {
      const { group, event } = next;
      const { variant, indices } = groups[group]!;
      if (event.type === 'prompt') {
        done[group] = event.done;
        if (wave[0] === 0 || !trunk)
          yield { type: 'prompt', done: prepared.shared + done.reduce((a, b) => a + b), total };
        continue;
      }
      const index = indices[event.sample]!;
      if (event.type === 'text') {
        samples.texts.set(index, (samples.texts.get(index) ?? '') + event.text);
        yield { type: 'text', sample: index, text: event.text, verified: false };
        continue;
      }
      finish(prepared, variant, index, event, samples, open);
      if (samples.stop) feed.stop();
      yield voteEvent(samples, index);
    }
    if (!samples.stop && !closing.signal.aborted) {
      for await (const index of reaskAll(engine, open, trunk !== undefined, samples, closing.signal))
        yield voteEvent(samples, index);
    }
  } finally {
    closing.signal.removeEventListener('abort', onClose);
    const left = await feed.close(() => cancel.abort());
    for (const { event } of left) if (event.type === 'end') event.held?.release();
    for (const { held } of open) held?.release();
  }
}

function finish(
  prepared: Prepared,
  variant: Variant,
  index: number,
  event: SampleEnd,
  samples: Samples,
  open: Open[],
): void {
  const { held, ...end } = event;
  const reading = readSample(prepared, variant, end);
  samples.texts.set(index, end.text);
  samples.finished.set(index, { index, variant, end, reading });
  if (prepared.reask && reading.answer === undefined) {
    samples.open.add(index);
    open.push({ index, held });
  } else held?.release();
}

function voteEvent(samples: Samples, index: number): AskEvent {
  const sample = samples.finished.get(index)!;
  const answer = answerOf(sample) ?? sample.reading.list?.[0] ?? null;
  return {
    type: 'vote',
    sample: index,
    answer,
    forced: sample.forced !== undefined,
    finish: sample.end.finish,
    tally: samples.counts,
  };
}

interface Group {
  readonly variant: Variant;
  /** The indices of its samples in this wave. */
  readonly indices: readonly number[];
}

function groupsOf({ variants }: Prepared, wave: readonly number[]): Group[] {
  return variants
    .map(variant => ({ variant, indices: variant.samples.filter(sample => wave.includes(sample)) }))
    .filter(group => group.indices.length > 0);
}

function jobFor(
  { ask, plan, seeds, shared, reask }: Prepared,
  { variant, indices }: Group,
  trunk: Held | undefined,
  signal: AbortSignal,
) {
  const { temperature, topP, topK, frequencyPenalty } = ask;
  const { prompt, tokens } = variant;
  return {
    prompt: trunk ? tokens.slice(shared) : tokens,
    from: trunk,
    samplers: indices.map(index => ({
      temperature,
      topP,
      topK,
      frequencyPenalty,
      grammar: prompt.grammar,
      seed: seeds[index]!,
    })),
    maxTokens: plan.maxTokens,
    stop: prompt.stops.texts,
    logprobs: true,
    hold: reask,
    signal,
  };
}

async function* numbered(
  group: number,
  events: AsyncIterable<GenerateEvent>,
): AsyncGenerator<{ group: number; event: GenerateEvent }> {
  for await (const event of events) yield { group, event };
}

const progressMs = 100;

/** Evaluates what all prompts begin with, telling how far it has come. */
async function* evaluateShared(
  engine: AskEngine,
  { variants, shared }: Prepared,
  { signal }: Closing,
): AsyncGenerator<AskEvent, Held, void> {
  const before = engine.counters.promptTokens;
  const total = Math.max(...variants.map(variant => variant.tokens.length));
  let held: Held | undefined;
  const evaluation = engine.prefix(variants[0]!.tokens.slice(0, shared), { signal }).then(made => {
    held = made;
  });
  let taken = false;
  try {
    while (!held) {
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<void>(resolve => {
        timer = setTimeout(resolve, progressMs);
      });
      await Promise.race([evaluation, pause]);
      clearTimeout(timer);
      yield { type: 'prompt', done: Math.min(shared, engine.counters.promptTokens - before), total };
    }
    taken = true;
    return held;
  } finally {
    if (!taken) evaluation.then(() => held!.release()).catch(() => {});
  }
}

function isFull(error: unknown): boolean {
  return error instanceof MeditronError && error.code === 'ERR_CONTEXT_FULL';
}
