import type { Choice, Completion } from '../answerer/answerer.js';
import { type FormatName, type Mode, type Protocol, type Task, thinks } from '../prompt/format/format.js';
import { traitsOf } from '../prompt/format/formats.js';
import type { Question } from '../prompt/question/question.js';
import { type Order, originalLetter } from '../prompt/question/shuffle.js';
import { textOf } from '../prompt/segment.js';
import type { Segment } from '../types.js';
import { sum } from '../vote/count/arithmetic.js';
import type { AnswerClasses } from '../vote/read/classes.js';
import { type AnswerForm, extract, type ReadingRules } from '../vote/read/extract.js';
import { parseRankedList } from '../vote/read/list.js';
import { beginsThinking, splitThinking } from '../vote/read/thinking.js';
import type { Asked } from './asked.js';
import { classesOf } from './classes.js';
import type { Variant } from './prompts.js';
import type { AnswerSample } from './types.js';

/** How the texts of one prompt are read. */
export interface Reader {
  readonly mode: Mode;
  readonly protocol: Protocol;
  readonly format: FormatName;
  readonly task: Task | undefined;
  readonly shots: number | undefined;
  /** As the model saw it, its options in `order`. */
  readonly question: Question;
  /** The answers on offer. */
  readonly labels: readonly string[];
  /** Texts that end an answer. */
  readonly stops: readonly string[];
  readonly order: Order | null;
  /** Which of the original letters are one answer. */
  readonly classes: AnswerClasses;
  readonly rules: ReadingRules;
  /** Whether the prompt ends within the model's thinking. */
  readonly begunThinking: boolean;
}

/** A finished sample and what it counts for: its answer; under `authors-code` a text without one counts as itself. */
export interface Sample extends AnswerSample {
  readonly vote: string | undefined;
}

type Reading = Pick<Sample, 'answer' | 'vote' | 'rule' | 'conflict' | 'list' | 'said' | 'thinking'>;

export function readerOf(asked: Asked, { prompt, order }: Variant): Reader {
  const { mode, protocol, reading: rules } = asked;
  const { shots } = asked.prompt;
  const { format, task, question, labels, stops, segments } = prompt;
  const classes = classesOf(asked);
  const begunThinking = endsInThinking(segments);
  const read = { mode, protocol, rules, begunThinking, format, task, shots, question, labels, stops: stops.texts };
  return { ...read, order, classes };
}

/** Whether a prompt ends within the model's thinking. Text from outside begins none, whatever it spells. */
export function endsInThinking(segments: readonly Segment[]): boolean {
  const outside = segments.findLastIndex(({ template }) => !template);
  return beginsThinking(textOf(segments.slice(outside + 1)));
}

/** Reads a sample that has ended. */
export function readSample(reader: Reader, completion: Completion, seed: number): Sample {
  const { sample: index, text, finish, tokens, tokenCount, logprob } = completion;
  return {
    index,
    seed,
    text,
    ...readText(reader, completion),
    forced: false,
    finish,
    tokens,
    tokenCount,
    logprob,
    order: reader.order,
    reask: null,
  };
}

/** What a text says; a letter is mapped back to the original order of the options, and to the first of equal ones. */
export function readText(reader: Reader, { text, finish }: Pick<Completion, 'text' | 'finish'>): Reading {
  const { mode, protocol, question, labels, order, classes, rules, begunThinking } = reader;
  // The authors' script does not know of thinking.
  const { said, thinking } =
    rules === 1 || protocol === 'authors-code'
      ? { said: text, thinking: undefined }
      : splitThinking(text, begunThinking);
  const thought = thinking === undefined ? {} : { said: said.trim(), thinking };
  if (mode === 'ranked') {
    const list = parseRankedList(said, { cut: finish === 'length' }).items;
    return {
      answer: null,
      vote: undefined,
      rule: list.length > 0 ? 'list' : 'none',
      conflict: false,
      list,
      ...thought,
    };
  }
  if (mode === 'free' || question.kind === 'open' || question.kind === 'chat') {
    return { answer: null, vote: undefined, rule: 'none', conflict: false, ...thought };
  }
  const form: AnswerForm =
    question.kind === 'choice' ? { kind: 'mcq', letters: labels, optionTexts: question.options } : { kind: 'boolean' };
  const { answer, vote, rule, conflict } = extract(protocol, text, form, {
    stops: rules === 1 ? ['###', ...reader.stops] : reader.stops,
    blankLineEnds: traitsOf(reader.format).blankLineEnds,
    begunThinking,
    rules,
    // The authors' self-consistency always reads a chain of thought, and every run on MMLU-Medical does.
    cot: thinks(mode) || reader.task === 'mmlu_medical',
    shots: reader.format === 'few-shot' && mode !== 'sc-cot' && reader.shots !== 0,
  });
  // The authors' parser takes letters that the question does not have.
  const offered = answer !== undefined && labels.includes(answer);
  const original = offered ? classes.of(order ? originalLetter(answer, order) : answer) : answer;
  return { answer: original ?? null, vote: vote === answer ? original : vote, rule, conflict, ...thought };
}

/** A sample that named no answer, after it was asked again: the most probable answer, and the log-probability of each. */
export function readAgain({ labels, order, classes }: Reader, sample: Sample, choices: readonly Choice[]): Sample {
  const original = (label: string) => (order === null ? label : originalLetter(label, order));
  const reask = Object.fromEntries(labels.map((label, i) => [original(label), choices[i]!.logprob]));
  const answer = answerTo(reask, classes);
  return { ...sample, answer, vote: answer, rule: 'reask', forced: true, reask };
}

/** The answer whose letters are together the most probable. */
export function answerTo(logprobs: Readonly<Record<string, number>>, { members }: AnswerClasses): string {
  return mostProbable(members, same => sum(same.map(label => Math.exp(logprobs[label] ?? -Infinity))))[0]!;
}

/** The first of those with the highest value. */
export function mostProbable<T>(items: readonly T[], value: (item: T) => number): T {
  return items.reduce((best, item) => (value(item) > value(best) ? item : best));
}
