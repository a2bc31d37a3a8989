import type { Choice, Session } from '../answerer/answerer.js';
import { MeditronError } from '../check/errors.js';
import { rotation } from '../prompt/question/shuffle.js';
import { sum } from '../vote/count/arithmetic.js';
import { averageOverOrders, calibrated, withoutPrior } from '../vote/count/debias.js';
import { softmax } from '../vote/count/weighted.js';
import { classesOf } from './classes.js';
import type { Planned } from './plan.js';
import { mostProbable, readerOf, readSample, type Sample } from './read.js';
import type { AnswerScore } from './types.js';

export interface Compared {
  /** Null if the answerer tells no probabilities. */
  readonly scores: Readonly<Record<string, AnswerScore>> | null;
  readonly sample: Sample;
}

/**
 * Mode `top-token`: the answer without a chain of thought. `strict`: the most probable of the answers on offer, each compared
 * exactly after one evaluation of the prompt. `paper`: the most probable text of the whole vocabulary, if it is one of the
 * answers. `authors-code`: the first greedy token, read by their parser. Scores are reported under all of them.
 */
export async function compareAnswers(planned: Planned, session: Session, signal: AbortSignal): Promise<Compared> {
  const { prompt } = planned.variants[0]!;
  const classes = classesOf(planned.asked);
  const choices = await session.choose({ prompt: 0 }, signal);
  const shares = choices && (await sharesOf(planned, choices, session, signal));
  const scores =
    choices &&
    Object.fromEntries(
      classes.labels.map((label, i) => {
        const places = classes.members[i]!.map(member => prompt.labels.indexOf(member));
        const { logprob, tokens } = choices[places[0]!]!;
        const together =
          places.length === 1 ? logprob : Math.log(sum(places.map(at => Math.exp(choices[at]!.logprob))));
        return [label, { logprob: together, probability: sum(places.map(at => shares![at]!)), tokens }];
      }),
    );
  if (planned.asked.protocol !== 'strict') {
    return { scores: scores ?? null, sample: await generated(planned, choices, session, signal) };
  }
  if (!choices) throw untold('Mode top-token under strict compares probabilities');
  const answer = mostProbable(classes.labels, label => scores![label]!.probability);
  return { scores: scores!, sample: chosen(planned, choices, answer) };
}

/** Probabilities of the answers among each other, in the original order. */
async function sharesOf(
  { asked: { debias }, variants, probes }: Planned,
  choices: readonly Choice[],
  session: Session,
  signal: AbortSignal,
): Promise<number[]> {
  const logprobs = choices.map(({ logprob }) => logprob);
  if (debias === 'none') return softmax(logprobs);
  if (typeof debias === 'object') return softmax(withoutPrior(normalized(logprobs), debias.prior));
  const rows: number[][] = [];
  for (const i of probes.keys()) {
    const probed = await session.choose({ prompt: variants.length + i }, signal);
    if (!probed) throw untold('`debias` compares probabilities');
    rows.push(probed.map(({ logprob }) => logprob));
  }
  if (debias === 'contextual') return calibrated(logprobs, rows[0]!);
  const places = rotation(logprobs.length, 0);
  // What stands behind the options that change places stays where it is.
  const orders = [places, ...probes.map(({ order }) => [...order!, ...places.slice(order!.length)])];
  return averageOverOrders([logprobs, ...rows].map(normalized), orders);
}

function normalized(logprobs: readonly number[]): number[] {
  return softmax(logprobs).map(Math.log);
}

function chosen({ variants: [variant], seeds }: Planned, choices: readonly Choice[], answer: string): Sample {
  const { labels, continuations } = variant!.prompt;
  const best = labels.indexOf(answer);
  const { tokens, logprob } = choices[best]!;
  return {
    index: 0,
    seed: seeds[0]!,
    text: continuations[best]!.trim(),
    answer,
    vote: answer,
    rule: 'score',
    conflict: false,
    forced: false,
    finish: 'length',
    tokens,
    tokenCount: tokens.length,
    logprob,
    order: null,
    reask: null,
  };
}

async function generated(
  { asked, variants: [variant], seeds, fit }: Planned,
  choices: readonly Choice[] | undefined,
  session: Session,
  signal: AbortSignal,
): Promise<Sample> {
  const { labels, continuations } = variant!.prompt;
  const authors = asked.protocol === 'authors-code';
  // Where tokens are not told, a text has at most as many as characters.
  const longest = Math.max(...continuations.map((text, i) => choices?.[i]?.tokens.length || text.trim().length));
  for await (const event of session.complete([0], { signal, maxTokens: authors ? fit.maxTokens : longest })) {
    if (event.type !== 'end') continue;
    const sample = readSample(readerOf(asked, variant!), event, seeds[0]!);
    if (authors) return sample;
    const answer = labels[continuations.findIndex(continuation => continuation.trim() === event.text.trim())];
    return { ...sample, answer: answer ?? null, vote: answer, rule: answer ? 'line' : 'none', conflict: false };
  }
  signal.throwIfAborted();
  throw new Error('unreachable: a completion without an end');
}

function untold(what: string): MeditronError {
  return new MeditronError('ERR_OPTION', `${what}, and this server tells none; use cot or sc-cot, or protocol paper`);
}
