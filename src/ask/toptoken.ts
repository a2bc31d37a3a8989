import type { Held } from '../engine/held.js';
import type { Score } from '../engine/jobs/scoring.js';
import type { Prompt } from '../prompt/prompt.js';
import type { ChoiceQuestion, Question } from '../prompt/question/question.js';
import { type Order, rotation } from '../prompt/question/shuffle.js';
import { averageOverOrders, calibrated, withoutPrior } from '../vote/count/debias.js';
import { softmax } from '../vote/count/weighted.js';
import type { AnswerScore } from './answer.js';
import { type Prepared, promptFor, type Variant } from './prepare.js';
import { readSample } from './reading.js';
import type { Finished } from './samples.js';
import type { AskEngine } from './surface.js';

export interface TopToken {
  readonly scores: Readonly<Record<string, AnswerScore>>;
  readonly finished: Finished;
}

/**
 * The answer without a chain of thought. `strict`: the most probable of the answers on offer, each scored exactly from one
 * evaluation of the prompt. `paper`: the most probable text of the whole vocabulary, if it is one of the answers.
 * `authors-code`: the first greedy token, read by their parser. Scores are reported under all of them.
 */
export async function topToken(engine: AskEngine, prepared: Prepared, signal: AbortSignal): Promise<TopToken> {
  const { ask } = prepared;
  const variant = prepared.variants[0]!;
  const { prompt, tokens } = variant;
  // One evaluation serves the scores and the greedy token.
  const strict = ask.protocol === 'strict';
  const held = !strict && tokens.length > 1 ? await engine.prefix(tokens.slice(0, -1), { signal }) : undefined;
  try {
    const start = held ? { from: held, prompt: tokens.slice(-1) } : { prompt: tokens };
    const raw = await engine.score({ ...start, continuations: prompt.continuations, signal });
    const shares = await debiased(engine, prepared, raw, signal);
    const scores = Object.fromEntries(
      prompt.labels.map((label, i) => [
        label,
        { logprob: raw[i]!.logprob, probability: shares[i]!, tokens: Array.from(raw[i]!.tokens) },
      ]),
    );
    const finished = strict
      ? chosen(variant, raw, shares)
      : await greedy(engine, prepared, variant, raw, start, signal);
    return { scores, finished };
  } finally {
    held?.release();
  }
}

/** Probabilities of the answers among each other, in the original order. */
async function debiased(
  engine: AskEngine,
  prepared: Prepared,
  raw: readonly Score[],
  signal: AbortSignal,
): Promise<number[]> {
  const { ask, question } = prepared;
  const logprobs = raw.map(score => score.logprob);
  const { debias } = ask;
  if (debias === 'none') return softmax(logprobs);
  if (typeof debias === 'object') return softmax(withoutPrior(normalized(logprobs), debias.prior));
  if (debias === 'contextual') {
    const free = await scoresFor(engine, prepared, contentFree(question), null, signal);
    return calibrated(logprobs, free);
  }
  const orders: Order[] = logprobs.map((_, by) => rotation(logprobs.length, by));
  const rows = [normalized(logprobs)];
  for (const order of orders.slice(1))
    rows.push(normalized(await scoresFor(engine, prepared, question, order, signal)));
  return averageOverOrders(rows, orders);
}

/** The log-probability at each place of an order. */
async function scoresFor(
  engine: AskEngine,
  { ask, chosen }: Prepared,
  question: Question,
  order: Order | null,
  signal: AbortSignal,
): Promise<number[]> {
  const prompt: Prompt = promptFor(chosen.format, question, ask, order, chosen.choice);
  const tokens = await engine.model.tokenize(prompt.segments, { bos: ask.bos });
  const scores = await engine.score({ prompt: tokens, continuations: prompt.continuations, signal });
  return scores.map(score => score.logprob);
}

/** The question with nothing to decide in it (Zhao et al. 2021, arXiv 2102.09690: the input "N/A"). */
function contentFree(question: Question): Question {
  const nothing = 'N/A';
  if (question.kind === 'choice') {
    return { kind: 'choice', question: nothing, options: question.options.map(() => nothing) } satisfies ChoiceQuestion;
  }
  return { kind: 'boolean', question: nothing, context: [nothing] };
}

function normalized(logprobs: readonly number[]): number[] {
  return softmax(logprobs).map(Math.log);
}

function chosen(variant: Variant, raw: readonly Score[], shares: readonly number[]): Finished {
  const best = shares.reduce((a, b, i) => (b > shares[a]! ? i : a), 0);
  const answer = variant.prompt.labels[best]!;
  const { tokens, logprobs } = raw[best]!;
  const text = variant.prompt.continuations[best]!.trim();
  const end = {
    type: 'end',
    sample: 0,
    finish: 'length',
    text,
    tokens,
    textTokens: tokens.length,
    logprobs,
    stop: undefined,
  } as const;
  return { index: 0, variant, end, reading: { answer, vote: answer, rule: 'score', conflict: false } };
}

async function greedy(
  engine: AskEngine,
  prepared: Prepared,
  variant: Variant,
  raw: readonly Score[],
  start: { readonly from?: Held; readonly prompt: Int32Array },
  signal: AbortSignal,
): Promise<Finished> {
  const { ask } = prepared;
  const { prompt } = variant;
  const authors = ask.protocol === 'authors-code';
  const longest = Math.max(...raw.map(score => score.tokens.length));
  // The authors allow as many tokens as the gold answer has, one, and 8 more with demonstrations.
  const maxTokens = authors ? (prompt.format === 'few-shot' && ask.prompt.shots !== 0 ? 9 : 1) : longest;
  const { frequencyPenalty } = ask;
  const job = {
    ...start,
    samplers: [{ temperature: 0, frequencyPenalty }],
    maxTokens,
    stop: prompt.stops.texts,
    logprobs: true,
    signal,
  };
  for await (const event of engine.generate(job)) {
    if (event.type !== 'end') continue;
    const { held: _, ...end } = event;
    if (authors) return { index: 0, variant, end, reading: readSample(prepared, variant, end) };
    const at = prompt.continuations.findIndex(continuation => continuation.trim() === end.text.trim());
    const answer = prompt.labels[at];
    return {
      index: 0,
      variant,
      end,
      reading: { answer, vote: answer, rule: answer === undefined ? 'none' : 'line', conflict: false },
    };
  }
  throw new Error('unreachable: a generation without an end');
}
