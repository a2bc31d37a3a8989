import type { FileHash } from '../../models/identity.js';
import { type Interruption, interruptionIn } from '../../vote/count/decision.js';
import { type Conclusion, conclude, type Judging } from '../conclude.js';
import type { Reader, Sample } from '../read.js';
import { mostProbable, readText } from '../read.js';
import type { AnswerSample, Evidence } from '../types.js';
import { type Difference, firstPart, firstToken, tolerance } from './difference.js';
import { resultOf } from './evidence.js';

/** What is in a record and not compared: when, where, how long and beside what else it was made. */
export const notCompared = ['created', 'model.path', 'model.files[].path', 'cost', 'engine.fresh'] as const;

/** What a record's samples are read and judged by; it follows from its question and options. */
export interface Terms {
  readonly judging: Judging;
  readonly readerOf: (index: number) => Reader;
}

/** What closed a vote from outside, if anything did: its samples are compared, and those that are missing are not. */
export function interruptionOf({ result }: Evidence): Interruption | undefined {
  return interruptionIn(result.stoppedBy);
}

/** The first difference between a record and the evidence of the same question asked again. Pure. */
export function firstDifference(record: Evidence, now: Evidence, terms: Terms): Difference | undefined {
  return (
    promptDifference(record, now) ??
    samplesDifference(record, now, terms) ??
    scoreDifference(record, now) ??
    resultDifference(record, now, terms) ??
    restDifference(record, now)
  );
}

/** Whether a record was made with these files. */
export function modelDifference({ model: { files } }: Evidence, now: readonly FileHash[]): Difference | undefined {
  const [expected, got] = [files ?? [], now].map(list => list.map(({ sha256 }) => sha256).join(' ')) as [
    string,
    string,
  ];
  if (expected !== got) return { where: 'model', expected, got };
  const sizes = (list: readonly FileHash[]) => list.map(({ sizeBytes }) => ({ sizeBytes }));
  return fieldDifference(sizes(now), sizes(files ?? []), 'model.files');
}

function promptDifference(record: Evidence, now: Evidence): Difference | undefined {
  for (const [i, prompt] of record.prompts.entries()) {
    const at = firstToken(prompt.tokens ?? [], now.prompts[i]?.tokens ?? []);
    if (at) return { where: 'prompt', prompt: i, ...at };
  }
  return fieldDifference(now.prompts, record.prompts, 'prompts');
}

function samplesDifference(record: Evidence, now: Evidence, { readerOf }: Terms): Difference | undefined {
  for (const [i, sample] of record.samples.entries()) {
    const other = now.samples.find(({ index }) => index === sample.index);
    const at = firstToken(sample.tokens, other?.tokens ?? []);
    if (at || !other)
      return { where: 'sample', sample: sample.index, ...(at ?? { token: 0, expected: null, got: null }) };
    const expected = unasked(record, sample, other) ? { ...other, ...before(readerOf(sample.index), other) } : other;
    if (sample.answer !== expected.answer)
      return { where: 'answer', sample: sample.index, expected: sample.answer, got: expected.answer };
    const difference = fieldDifference(expected, sample, `samples[${i}]`);
    if (difference) return difference;
  }
  if (interruptionOf(record)) return undefined;
  return fieldDifference(now.samples.length, record.samples.length, 'samples.length (by result.stoppedBy)');
}

/** Whether the time was up before this chain could be asked again. */
function unasked(record: Evidence, sample: AnswerSample, now: AnswerSample): boolean {
  return now.forced && !sample.forced && (interruptionOf(record) !== undefined || record.asked.deadline !== null);
}

function before(reader: Reader, sample: AnswerSample): Partial<AnswerSample> {
  const { vote: _, ...reading } = readText(reader, sample);
  return { ...reading, forced: false, reask: null };
}

function scoreDifference({ result: { scores: then } }: Evidence, { result: { scores: now } }: Evidence) {
  for (const [answer, { logprob }] of Object.entries(then ?? {})) {
    const got = now?.[answer]?.logprob ?? Number.NaN;
    if (!(Math.abs(logprob - got) <= tolerance)) return { where: 'score', answer, expected: logprob, got } as const;
  }
  return undefined;
}

/** The result is derived from the recorded samples; where all ran, it must also be that of the samples now. */
function resultDifference(record: Evidence, now: Evidence, terms: Terms): Difference | undefined {
  const { result } = record;
  const part =
    firstPart(resultOf(concluded(record, terms), now.result.scores, interruptionOf(record)), result, '') ??
    (cutShort(record, now) ? undefined : firstPart(now.result, result, ''));
  return part && { where: 'vote', path: part.path, expected: part.got, got: part.expected };
}

/** What the samples of a record come to, read and counted again. */
export function concluded(record: Evidence, { judging, readerOf }: Terms): Conclusion {
  const samples = record.samples.map(sample => votingSample(sample, readerOf(sample.index)));
  return conclude(judging, { samples, cut: [], interrupted: interruptionOf(record) });
}

function cutShort(record: Evidence, now: Evidence): boolean {
  if (interruptionOf(record)) return true;
  return record.samples.some(sample => {
    const other = now.samples.find(({ index }) => index === sample.index);
    return other !== undefined && unasked(record, sample, other);
  });
}

/** A recorded sample as it was counted, by its own text and scores. */
function votingSample(sample: AnswerSample, reader: Reader): Sample {
  if (sample.rule === 'score') return { ...sample, vote: sample.answer ?? undefined };
  if (sample.forced && sample.reask) {
    const { reask } = sample;
    const answer = mostProbable(Object.keys(reask), label => reask[label]!);
    return { ...sample, answer, vote: answer };
  }
  if (reader.mode === 'top-token' && reader.protocol !== 'authors-code')
    return { ...sample, vote: sample.answer ?? undefined };
  return { ...sample, ...readText(reader, sample) };
}

/** All that is left: what the question was asked with, and of which model. */
function restDifference(record: Evidence, now: Evidence): Difference | undefined {
  const { name, architecture, quantization, sizeBytes } = now.model;
  const { deadline, stop } = record.asked;
  const asked = { ...now.asked, deadline, ...(interruptionOf(record) && { stop }) };
  return (
    fieldDifference({ ...record.model, name, architecture, quantization, sizeBytes }, record.model, 'model') ??
    fieldDifference(now.format, record.format, 'format') ??
    fieldDifference(now.question, record.question, 'question') ??
    fieldDifference(asked, record.asked, 'asked') ??
    fieldDifference({ ...now.plan, waves: record.plan.waves }, record.plan, 'plan') ??
    fieldDifference(now.seeds, record.seeds, 'seeds')
  );
}

function fieldDifference(expected: unknown, got: unknown, path: string): Difference | undefined {
  const part = firstPart(expected, got, path);
  return part && { where: 'record', ...part };
}
