import { MeditronError } from '../check/errors.js';
import type { Held } from '../engine/held.js';
import type { Score } from '../engine/jobs/scoring.js';
import { originalLetter } from '../prompt/question/shuffle.js';
import type { Finished, Samples } from './samples.js';
import type { AskEngine } from './surface.js';

/** A sample without an answer, and its sequence if that is still in the cache. */
export interface Open {
  readonly index: number;
  held: Held | undefined;
}

/**
 * Asks the chains that named no answer for one token more, on what they have written: `The answer is:`, then the answers on
 * offer are compared. One after the other, in order and with nothing else in the batch, so that the same question gives the
 * same result again. Stops when the vote is settled. Yields the indices of those asked.
 */
export async function* reaskAll(
  engine: AskEngine,
  open: readonly Open[],
  trunk: boolean,
  samples: Samples,
  signal: AbortSignal,
): AsyncGenerator<number, void, void> {
  for (const entry of [...open].sort((a, b) => a.index - b.index)) {
    if (samples.stop) return;
    const finished = samples.finished.get(entry.index)!;
    const others = open.filter(other => other.held !== undefined).length + (trunk ? 1 : 0);
    const scores = await scoresOf(engine, finished, entry, open, engine.settings.maxSequences - others, signal);
    entry.held?.release();
    entry.held = undefined;
    samples.open.delete(entry.index);
    if (scores) samples.finished.set(entry.index, { ...finished, forced: forcedBy(finished, scores) });
    yield entry.index;
  }
}

/** On the sample's own cache where there is room beside it; else on its tokens, evaluated anew. Undefined if neither fits. */
async function scoresOf(
  engine: AskEngine,
  { end, variant }: Finished,
  entry: Open,
  open: readonly Open[],
  sequences: number,
  signal: AbortSignal,
): Promise<Score[] | undefined> {
  const { suffix, continuations } = variant.prompt.reask!;
  const prompt = [{ text: suffix, template: true }];
  const count = variant.tokens.length + end.textTokens;
  if (entry.held && sequences > 0) {
    try {
      const from = entry.held.first(count);
      const scores: Score[] = [];
      for (let i = 0; i < continuations.length; i += sequences) {
        scores.push(
          ...(await engine.score({ from, prompt, continuations: continuations.slice(i, i + sequences), signal })),
        );
      }
      return scores;
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }
  for (const other of open) {
    other.held?.release();
    other.held = undefined;
  }
  const rest = await engine.model.tokenize(prompt, { bos: 'never', inside: true });
  const whole = Int32Array.from([...variant.tokens, ...end.tokens.subarray(0, end.textTokens), ...rest]);
  try {
    return await engine.score({ prompt: whole, continuations, signal });
  } catch (error) {
    if (isFull(error)) return undefined;
    throw error;
  }
}

function forcedBy({ variant }: Finished, scores: readonly Score[]): NonNullable<Finished['forced']> {
  const { labels } = variant.prompt;
  const shown = (label: string) => (variant.order === null ? label : originalLetter(label, variant.order));
  const best = scores.reduce((a, b, i) => (b.logprob > scores[a]!.logprob ? i : a), 0);
  return {
    answer: shown(labels[best]!),
    logprobs: Object.fromEntries(labels.map((label, i) => [shown(label), scores[i]!.logprob])),
  };
}

function isFull(error: unknown): boolean {
  return error instanceof MeditronError && error.code === 'ERR_CONTEXT_FULL';
}
