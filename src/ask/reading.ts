import type { SampleEnd } from '../engine/jobs/generation.js';
import { thinks } from '../prompt/format/format.js';
import { originalLetter } from '../prompt/question/shuffle.js';
import { type AnswerForm, type ExtractRule, extract } from '../vote/read/extract.js';
import { parseRankedList } from '../vote/read/list.js';
import type { Prepared, Variant } from './prepare.js';

/** What a generated text says. */
export interface Reading {
  readonly answer: string | undefined;
  /** What is counted; under `authors-code` a text without an answer counts as itself. */
  readonly vote: string | undefined;
  readonly rule: ExtractRule | 'list' | 'score';
  readonly conflict: boolean;
  readonly list?: readonly string[];
}

/** Reads the answer of one sample, and maps a letter back to the original order of the options. */
export function readSample(
  { ask, question }: Prepared,
  { prompt, order }: Variant,
  end: Pick<SampleEnd, 'text' | 'finish'>,
): Reading {
  if (ask.mode === 'ranked') {
    const list = parseRankedList(end.text, { cut: end.finish === 'length' }).items;
    return { answer: undefined, vote: undefined, rule: list.length > 0 ? 'list' : 'none', conflict: false, list };
  }
  const shown = prompt.question;
  if (ask.mode === 'free' || question.kind === 'open' || question.kind === 'chat') {
    return { answer: undefined, vote: undefined, rule: 'none', conflict: false };
  }
  const form: AnswerForm =
    shown.kind === 'choice' ? { kind: 'mcq', letters: prompt.labels, optionTexts: shown.options } : { kind: 'boolean' };
  const found = extract(ask.protocol, end.text, form, {
    stops: ['###', ...prompt.stops.texts],
    // The authors' self-consistency always reads a chain of thought, and every run on MMLU-Medical does.
    cot: thinks(ask.mode) || prompt.task === 'mmlu_medical',
    shots: prompt.format === 'few-shot' && ask.mode !== 'sc-cot' && ask.prompt.shots !== 0,
  });
  const given = found.answer;
  // The authors' parser takes letters that the question does not have.
  if (given === undefined || !prompt.labels.includes(given) || order === null) return found;
  const answer = originalLetter(given, order);
  return { ...found, answer, vote: found.vote === given ? answer : found.vote };
}
