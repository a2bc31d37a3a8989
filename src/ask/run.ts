import type { Session } from '../answerer/answerer.js';
import { MeditronError } from '../check/errors.js';
import { classesOf } from './classes.js';
import type { Closing } from './closing.js';
import { compareAnswers } from './compare.js';
import type { Outcome } from './conclude.js';
import { type Counting, closedBy, counts, tallyOf } from './count.js';
import type { Planned } from './plan.js';
import { readAgain, readerOf, readSample, type Sample } from './read.js';
import type { AnswerScore, AskEvent } from './types.js';

export interface Run extends Outcome {
  /** By answer, in mode `top-token`. */
  readonly scores: Readonly<Record<string, AnswerScore>> | null;
  /** Tokens of the longest prompt, counted by now. */
  readonly promptTokens: number | null;
  /** What it failed with after samples had finished: these alone are in the outcome. */
  readonly failure: { readonly error: unknown } | undefined;
}

/** Runs what was planned until all samples have finished, the vote is settled, or the caller closes it. Throws what it fails with before any sample has finished. */
export async function* run(planned: Planned, closing: Closing): AsyncGenerator<AskEvent, Run, void> {
  const state = new Running(planned);
  let scores: Run['scores'] = null;
  let failure: Run['failure'];
  let promptTokens: number | null = planned.plan.promptTokens;
  try {
    using session = await planned.fit.begin(closing.signal);
    if (planned.asked.mode === 'top-token') {
      const compared = await compareAnswers(planned, session, closing.signal);
      scores = compared.scores;
      state.finish(compared.sample);
      yield state.voteOf(0);
    } else yield* runWaves(planned, session, state, closing);
    promptTokens = session.promptTokens;
  } catch (error) {
    if (!closing.why() && !(isFull(error) && state.samples.size > 0)) {
      if (state.closed.length === 0) throw error;
      failure = { error };
    }
  }
  const { samples } = state;
  const complete = samples.size === planned.asked.samples || state.settled;
  return {
    samples: failure ? state.closed : [...samples.values()],
    cut: state.cut,
    interrupted: failure ? 'failed' : complete ? undefined : (closing.why() ?? 'overflow'),
    scores,
    promptTokens,
    failure,
  };
}

async function* runWaves(
  planned: Planned,
  session: Session,
  state: Running,
  closing: Closing,
): AsyncGenerator<AskEvent, void, void> {
  let next = 0;
  for (const count of planned.plan.waves) {
    if (closing.why() || state.settled) return;
    const wave = Array.from({ length: count }, () => next++);
    yield* runWave(session, wave, state, closing.signal);
    // Not sooner: cells that become free while others decode change where theirs are, and so the last bits of their results.
    for (const sample of state.samples.values()) if (!state.mayAskAgain(sample)) session.release(sample.index);
    if (!closing.signal.aborted) yield* askAgain(session, wave, state, closing.signal);
  }
}

/** When the vote is settled or closed, what has happened by then still counts and the rest is cancelled. */
async function* runWave(
  session: Session,
  wave: readonly number[],
  state: Running,
  closing: AbortSignal,
): AsyncGenerator<AskEvent, void, void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  closing.addEventListener('abort', end, { once: true });
  if (closing.aborted) end();
  try {
    for await (const event of session.complete(wave, { signal: ending.signal })) {
      if (event.type === 'prompt') yield event;
      else if (event.type === 'text') {
        state.write(event.sample, event.text);
        yield { ...event, verified: false };
      } else {
        const sample = state.read(event);
        if (state.settled) end();
        yield state.voteOf(sample.index);
      }
    }
  } finally {
    closing.removeEventListener('abort', end);
  }
}

/**
 * Asks the chains that named no answer for one token more, on what they have written: `The answer is:`, then the answers on
 * offer are compared. One after the other, in order and with nothing else in the batch, so that the same question gives the
 * same result again. Stops when the vote is settled.
 */
async function* askAgain(
  session: Session,
  wave: readonly number[],
  state: Running,
  signal: AbortSignal,
): AsyncGenerator<AskEvent, void, void> {
  for (const index of wave) {
    const sample = state.samples.get(index);
    if (!sample || !state.mayAskAgain(sample)) continue;
    if (state.settled) return;
    const choices = await session.choose({ sample: index }, signal);
    session.release(index);
    state.finish(choices ? readAgain(state.readerOf(index), sample, choices) : sample);
    yield state.voteOf(index);
  }
}

/** What has come of the samples so far. */
class Running {
  readonly samples = new Map<number, Sample>();
  /** Texts of samples that were begun. */
  readonly #texts = new Map<number, string>();
  /** Finished without an answer, and may still be asked again: not yet abstentions. */
  readonly #open = new Set<number>();
  readonly #counting: Counting;

  constructor(private readonly planned: Planned) {
    this.#counting = countingOf(planned);
  }

  write(index: number, text: string): void {
    this.#texts.set(index, (this.#texts.get(index) ?? '') + text);
  }

  /** Takes a sample that has ended. */
  read(completion: Parameters<typeof readSample>[1]): Sample {
    const index = completion.sample;
    const sample = readSample(this.readerOf(index), completion, this.planned.seeds[index]!);
    this.samples.set(index, sample);
    if (this.planned.reask && sample.answer === null) this.#open.add(index);
    return sample;
  }

  /** Takes a sample that will not be asked again. */
  finish(sample: Sample): void {
    this.samples.set(sample.index, sample);
    this.#open.delete(sample.index);
  }

  readerOf(index: number) {
    return readerOf(this.planned.asked, this.planned.variants.find(({ samples }) => samples.includes(index))!);
  }

  mayAskAgain({ index }: Sample): boolean {
    return this.#open.has(index);
  }

  /** Those that will not be asked again. */
  get closed(): Sample[] {
    return [...this.samples.values()].filter(({ index }) => !this.#open.has(index));
  }

  /** Whether the vote is closed by its rule. */
  get settled(): boolean {
    if (!counts(this.#counting) || this.planned.asked.mode === 'ranked') return false;
    return closedBy(this.#counting, this.closed).stop;
  }

  /** Texts of the samples that were begun and have not finished. */
  get cut() {
    return [...this.#texts]
      .filter(([index]) => !this.samples.has(index))
      .map(([index, text]) => ({ index, seed: this.planned.seeds[index]!, text }));
  }

  voteOf(index: number): AskEvent {
    const { answer, list, forced, finish } = this.samples.get(index)!;
    return {
      type: 'vote',
      sample: index,
      answer: answer ?? list?.[0] ?? null,
      forced,
      finish,
      tally: tallyOf(this.#counting, [...this.samples.values()]),
    };
  }
}

/** How the samples of a plan are counted. */
export function countingOf({ asked }: Pick<Planned, 'asked'>): Counting {
  return { ...asked, labels: classesOf(asked).labels };
}

function isFull(error: unknown): boolean {
  return error instanceof MeditronError && error.code === 'ERR_CONTEXT_FULL';
}
