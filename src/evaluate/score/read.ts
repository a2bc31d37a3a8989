import { classesOf } from '../../ask/classes.js';
import { conclude, type Judging } from '../../ask/conclude.js';
import { closedBy } from '../../ask/count.js';
import { type Ask, checkAsk, type Weighting } from '../../ask/options.js';
import { answerTo, mostProbable, type Reader, readSample, type Sample } from '../../ask/read.js';
import { MeditronError } from '../../check/errors.js';
import type { Protocol } from '../../prompt/format/format.js';
import { answerText } from '../../prompt/format/formats.js';
import { abstainLabelOf, offered } from '../../prompt/question/abstain.js';
import { labelsOf } from '../../prompt/question/question.js';
import { reordered } from '../../prompt/question/shuffle.js';
import { interruptionIn } from '../../vote/count/decision.js';
import type { StopRule } from '../../vote/count/stopping.js';
import type { AnswerClasses } from '../../vote/read/classes.js';
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
  /** True if the model chose the option to abstain; there is no answer then. */
  readonly cannotTell?: true;
  /** True if the right option was taken out. */
  readonly unanswerable?: true;
  /** True if the model was not made for such a question. */
  readonly outside?: boolean;
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
    reading: run.reading ?? 1,
    abstainOption: run.abstainOption,
    ...(planned > 1 && { samples: planned }),
    ...(planned === 1 && run.mode === 'sc-cot' && { samples: 1 }),
    // A rule belongs to a number of samples: of fewer, all that were drawn count.
    stop: reading.stop ?? (planned === run.samples ? run.stop : { rule: 'none' }),
    ...(run.mode === 'sc-cot' && { weighting: reading.weighting ?? run.weighting }),
  });
  const classes = classesOf({ ...ask, question });
  const judging = { ...ask, question, labels: classes.labels, outside: row.outside ?? false };
  const given = row.samples.filter(sample => sample.index < planned).sort((a, b) => a.index - b.index);
  const finished = given.map(sample =>
    finishedSample(sample, readerFor(judging, run, sample), ask.reask, run.protocol),
  );
  const samples = reading.stop === undefined ? finished : replayed(finished, judging);
  const conclusion = conclude(judging, { samples, cut: [], interrupted: interruptionIn(row.stoppedBy ?? 'none') });

  const scores = row.scores && scoresOf(row, classes);
  const { vote, weighted } = conclusion;
  const best =
    scores && protocol === 'strict'
      ? mostProbable(scores, ({ probability }) => probability).answer
      : topTokenAnswer(conclusion.answer, row, run, ask);
  const abstaining = abstainLabelOf(question, run.abstainOption);
  const answer = best === abstaining ? undefined : best;
  const cannotTell = abstaining !== undefined && (best ?? weighted?.totals[0]?.answer ?? vote?.winner) === abstaining;
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
    ...(row.outside && { outside: true }),
    ...(winners.length > 0 && winners.every(sample => sample.forced) && { forced: true }),
    ...(head.gold !== undefined && { correct: answer === head.gold }),
    ...(cannotTell && { cannotTell }),
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
  const { item, question, options, context, subject, cluster, unanswerable, ms, promptTokens } = row;
  // Of equal options that are one answer the gold may be another letter than the one they count as.
  const gold = row.gold === undefined ? undefined : classesOf({ protocol, question: questionOfRow(row) }).of(row.gold);
  return {
    id: item,
    question,
    ...(options && { options }),
    ...(context && { context }),
    ...(gold !== undefined && { gold }),
    ...(subject !== undefined && { subject }),
    ...(cluster !== undefined && { cluster }),
    ...(unanswerable && { unanswerable }),
    mode: run.mode,
    protocol,
    ms,
    ...(promptTokens !== undefined && { promptTokens }),
  };
}

/** How a stored sample is read: it saw the options in an order of its own. */
function readerFor(judging: Judging & Ask, run: StoredRun, { order }: ResultSample): Reader {
  const { mode, protocol, question: given, prompt } = judging;
  const ordered = order && given.kind === 'choice' ? reordered(given, order) : given;
  const question = offered(ordered, prompt.abstainOption);
  return {
    mode,
    protocol,
    rules: run.reading ?? 1,
    begunThinking: run.begunThinking ?? false,
    format: run.format,
    task: run.task,
    shots: run.shots === 0 ? 0 : undefined,
    question,
    labels: labelsOf(question),
    stops: run.stops,
    order: order ?? null,
    classes: classesOf({ protocol, question: given, prompt }),
  };
}

/** `sent` is the protocol under which it was sampled. */
function finishedSample(stored: ResultSample, reader: Reader, again: boolean, sent: Protocol): Sample {
  const { index, seed, text, finish, tokens: tokenCount, logprob, reask } = stored;
  const read = readSample(reader, { sample: index, text, finish, tokens: [], tokenCount, logprob }, seed);
  const sample = reader.mode === 'top-token' ? topTokenSample(read, reader, sent) : read;
  if (!again || sample.answer !== null || !reask) return sample;
  const answer = answerTo(reask, reader.classes);
  return { ...sample, answer, vote: answer, rule: 'reask', forced: true, reask };
}

/** Under `strict` the scores decide, and the text is the answer they chose; under `paper` the text must be one of the answers. */
function topTokenSample(sample: Sample, reader: Reader, sent: Protocol): Sample {
  const { protocol, format, mode, task, question, labels, classes } = reader;
  if (protocol === 'authors-code') return sample;
  const input = { question, mode, protocol: sent, ...(task !== undefined && { task }) };
  const named = labels.find(label => [label, answerText(format, input, label)].includes(sample.text.trim()));
  const answer = named && classes.of(named);
  return {
    ...sample,
    answer: answer ?? null,
    vote: answer,
    rule: answer === undefined ? 'none' : 'line',
    conflict: false,
  };
}

function topTokenAnswer(answer: string | null, row: ResultRow, run: StoredRun, ask: Ask): string | undefined {
  if (ask.mode === 'top-token' && run.protocol === 'strict' && ask.protocol !== 'strict') {
    const message = `Mode top-token under strict compares the answers and generates none: ${ask.protocol} has nothing to read in ${row.item}`;
    throw new MeditronError('ERR_OPTION', message);
  }
  return answer ?? undefined;
}

/** As many of the first samples as the rule would have run. */
function replayed(finished: readonly Sample[], judging: Judging): readonly Sample[] {
  const end = finished.findIndex((_, i) => closedBy(judging, finished.slice(0, i + 1)).stop);
  return end < 0 ? finished : finished.slice(0, end + 1);
}

function scoresOf(row: ResultRow, { of }: AnswerClasses): { answer: string; probability: number }[] {
  const sums = new Map<string, number>();
  for (const [label, { probability }] of Object.entries(row.scores!))
    sums.set(of(label), (sums.get(of(label)) ?? 0) + probability);
  return [...sums].map(([answer, probability]) => ({ answer, probability }));
}
