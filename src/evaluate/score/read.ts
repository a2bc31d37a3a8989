import { conclude } from '../../ask/conclude.js';
import { type Ask, checkAsk, type Weighting } from '../../ask/options.js';
import type { Prepared, Variant } from '../../ask/prepare.js';
import { readSample } from '../../ask/reading.js';
import { type Finished, Samples } from '../../ask/samples.js';
import { MeditronError } from '../../check/errors.js';
import type { Protocol } from '../../prompt/format/format.js';
import { labelsOf } from '../../prompt/question/question.js';
import type { StopRule } from '../../vote/count/stopping.js';
import { questionOfRow, type ResultRow, type ResultSample } from '../storage/rows.js';
import type { StoredRun } from '../storage/types.js';

/** How stored samples are read and counted; what is left out is as they were sampled. */
export interface Reading {
  readonly protocol?: Protocol | undefined;
  /** Replayed on the samples in their order. */
  readonly stop?: StopRule | undefined;
  /** Only the first so many samples of each question. */
  readonly samples?: number | undefined;
  readonly weighting?: Weighting | undefined;
}

/** One question and all that became of it, as it was read. */
export interface ReadRow {
  readonly id: string;
  readonly question: string;
  readonly options?: readonly string[];
  readonly context?: readonly string[];
  /** A letter, or yes, no, maybe; absent for open questions. */
  readonly gold?: string;
  readonly subject?: string;
  readonly cluster?: string;
  readonly mode: string;
  readonly protocol: string;
  readonly samples: readonly ReadSample[];
  /** Most votes first. Empty in top-token mode. */
  readonly votes: readonly { readonly answer: string; readonly count: number }[];
  /** Absent if the model gave none. */
  readonly answer?: string;
  /** `agree`, `split` or `abstain`. */
  readonly decision?: string;
  /** Why it is not `agree`. */
  readonly reason?: string;
  readonly tie?: boolean;
  /** True if the answer was read from a second phase that forces one. */
  readonly forced?: boolean;
  /** Absent if there is no right answer to compare with. */
  readonly correct?: boolean;
  /** Probabilities of the options in top-token mode. */
  readonly scores?: readonly { readonly answer: string; readonly probability: number }[];
  /** Wall time, milliseconds. */
  readonly ms?: number;
  readonly promptTokens?: number;
  /** Why the question could not be asked: the prompt does not fit, for instance. */
  readonly error?: string;
}

export interface ReadSample {
  readonly text: string;
  /** Absent if none could be read from the text. */
  readonly answer?: string;
  readonly tokens?: number;
  /** Sum over the sample's tokens, nats. */
  readonly logprob?: number;
  readonly finish?: string;
}

/**
 * One stored question, read and counted anew by the functions that `ask()` uses: nothing is sampled. A rule is replayed on
 * the samples in index order. Pure.
 *
 * @throws MeditronError `ERR_OPTION` for more samples than there are, or a protocol that needs what was not stored
 */
export function readRow(row: ResultRow, run: StoredRun, reading: Reading = {}): ReadRow {
  const question = questionOfRow(row);
  const protocol = reading.protocol ?? run.protocol;
  const planned = plannedFor(row, reading);
  const head = reportHead(row, run, protocol);
  if (row.error) return { ...head, samples: [], votes: [], error: row.error.message };

  const ask = checkAsk(question, {
    mode: run.mode,
    protocol,
    ...(planned > 1 && { samples: planned }),
    ...(planned === 1 && run.mode === 'sc-cot' && { samples: 1 }),
    stop: reading.stop ?? (run.stop as StopRule),
    ...(run.mode === 'sc-cot' && { weighting: reading.weighting ?? run.weighting }),
  });
  const prepared = preparedFor(row, run, ask);
  const given = row.samples.filter(sample => sample.index < planned).sort((a, b) => a.index - b.index);
  const finished = given.map(sample => finishedSample(sample, prepared));
  const samples = replayed(finished, prepared, reading.stop !== undefined);
  const conclusion = conclude(prepared, { samples, interrupted: interruptionOf(row) });

  const scores = row.scores && scoresOf(row);
  const answer =
    scores && protocol === 'strict' ? mostProbable(scores) : topTokenAnswer(conclusion.answer, row, run, ask);
  const { vote } = conclusion;
  const voting = planned > 1 && vote !== null;
  const winners = conclusion.samples.filter(sample => sample.answer === answer);
  return {
    ...head,
    samples: conclusion.samples.map(({ text, answer: said, tokenCount, logprob, finish }) => ({
      text,
      ...(said !== null && { answer: said }),
      tokens: tokenCount,
      logprob,
      finish,
    })),
    votes: row.scores || vote === null ? [] : vote.votes.map(({ answer: name, count }) => ({ answer: name, count })),
    ...(answer !== undefined && { answer }),
    ...(voting && { decision: conclusion.decision! }),
    ...(voting && conclusion.reason && { reason: conclusion.reason }),
    ...(voting && { tie: vote.tie }),
    ...(winners.length > 0 && winners.every(sample => sample.forced) && { forced: true }),
    ...(row.gold !== undefined && { correct: answer === row.gold }),
    ...(scores && { scores }),
  };
}

function plannedFor(row: ResultRow, { samples }: Reading): number {
  if (samples === undefined || row.planned === 1) return row.planned;
  if (samples <= row.planned) return samples;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected \`samples\` to be at most ${row.planned}, as were drawn, got ${samples}`,
  );
}

function reportHead(row: ResultRow, run: StoredRun, protocol: Protocol) {
  const { item, question, options, context, gold, subject, cluster, ms, promptTokens } = row;
  return {
    id: item,
    question,
    ...(options && { options }),
    ...(context && { context }),
    ...(gold !== undefined && { gold }),
    ...(subject !== undefined && { subject }),
    ...(cluster !== undefined && { cluster }),
    mode: run.mode,
    protocol,
    ms,
    ...(promptTokens !== undefined && { promptTokens }),
  };
}

/** As much of what `ask()` prepares as reading and counting look at. */
function preparedFor(row: ResultRow, run: StoredRun, ask: Ask): Prepared {
  const question = questionOfRow(row);
  const labels = labelsOf(question);
  const prompt = { question, labels, stops: { tokens: [], texts: run.stops }, task: run.task, format: run.format };
  const variant = { order: null, prompt, tokens: new Int32Array(0), samples: [] } as unknown as Variant;
  const seeds: number[] = [];
  for (const { index, seed } of row.samples) seeds[index] = seed;
  const shots = run.shots === 0 ? { shots: 0 } : {};
  const outside = row.outside ?? false;
  return { ask: { ...ask, prompt: shots }, question, variants: [variant], seeds, outside } as unknown as Prepared;
}

function finishedSample(sample: ResultSample, prepared: Prepared): Finished {
  const { index, text, finish, tokens, logprob, order, reask } = sample;
  const variant = { ...prepared.variants[0]!, order: order ?? null };
  const end = {
    type: 'end',
    sample: index,
    finish,
    text,
    tokens: new Int32Array(tokens),
    textTokens: tokens,
    logprobs: Float32Array.of(logprob),
    stop: undefined,
  } as const;
  const reading =
    prepared.ask.mode === 'top-token' ? topTokenReading(sample, prepared, variant) : readSample(prepared, variant, end);
  const again = prepared.ask.reask && reading.answer === undefined ? reask : undefined;
  const forced = again && { answer: mostProbable(entriesOf(again)), logprobs: again };
  return { index, variant, end, reading, ...(forced && { forced }) } as Finished;
}

/** Under `strict` the scores decide, and the text is the answer they chose; under `paper` the text must be one of the answers. */
function topTokenReading({ text, finish }: ResultSample, prepared: Prepared, variant: Variant) {
  if (prepared.ask.protocol === 'authors-code') return readSample(prepared, variant, { text, finish });
  const answer = variant.prompt.labels.find(label => label === text.trim());
  return { answer, vote: answer, rule: answer === undefined ? 'none' : 'line', conflict: false } as const;
}

function topTokenAnswer(answer: string | null, row: ResultRow, run: StoredRun, ask: Ask): string | undefined {
  if (ask.mode === 'top-token' && run.protocol === 'strict' && ask.protocol !== 'strict') {
    const message = `Mode top-token under strict compares the answers and generates none: ${ask.protocol} has nothing to read in ${row.item}`;
    throw new MeditronError('ERR_OPTION', message);
  }
  return answer ?? undefined;
}

/** The samples, or as many of the first as the rule would have run. */
function replayed(finished: readonly Finished[], prepared: Prepared, replay: boolean): Samples {
  const samples = new Samples(prepared);
  for (const sample of finished) {
    samples.finished.set(sample.index, sample);
    if (replay && samples.stop) break;
  }
  return samples;
}

function interruptionOf({ stoppedBy }: ResultRow) {
  return stoppedBy === 'overflow' || stoppedBy === 'deadline' || stoppedBy === 'aborted' ? stoppedBy : undefined;
}

function scoresOf(row: ResultRow): { answer: string; probability: number }[] {
  return Object.entries(row.scores!).map(([answer, { probability }]) => ({ answer, probability }));
}

function entriesOf(logprobs: Readonly<Record<string, number>>) {
  return Object.entries(logprobs).map(([answer, probability]) => ({ answer, probability }));
}

/** The first of the most probable, as `ask()` chooses. */
function mostProbable(entries: readonly { readonly answer: string; readonly probability: number }[]): string {
  return entries.reduce((best, entry) => (entry.probability > best.probability ? entry : best)).answer;
}
