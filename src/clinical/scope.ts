import { demonstration, isDemonstration } from '../models/known.js';
import { abstainOptionText } from '../prompt/question/abstain.js';
import type { ChoiceQuestion, Question } from '../prompt/question/question.js';
import { Random } from '../random/xoshiro.js';
import { scores } from './questions.js';
import type { Score, ScoreName } from './score.js';

/** What has to be said of all that the demonstration model answers. */
export interface Scope {
  /** False: the model was not made for the question, and what it says to it means nothing. */
  readonly inside: boolean;
  /** Which model it is, what it can do, and whether that is what was asked. Belongs beside its every answer. */
  readonly warning: string;
}

/**
 * Whether a question, with all options that it is asked with, is for the demonstration model, if one of these names (metadata or file) is
 * the demonstration model's, whatever format it is asked in; undefined for every other model. No question (a conversation's beginning) is outside.
 */
export function scopeOf(names: readonly (string | null)[], question: Question | undefined): Scope | undefined {
  if (!isDemonstration(names)) return undefined;
  const is = `This is ${demonstration}, a demonstration: it adds up ${scoreTitles} and knows nothing else`;
  if (question !== undefined && asksForScore(question) !== undefined)
    return { inside: true, warning: `${is}. Where its samples agree they can be wrong together` };
  return { inside: false, warning: `${is}. What it says to this means nothing; ask another model` };
}

/**
 * The score that a question asks for, if it is one that the generator can write: a patient in the generator's words, the
 * question for the score, and four of the score's totals to choose from (two may be the same). Behind them "I cannot tell" may
 * stand; then three totals are enough, because the model was trained on such questions without their right total. Naming a score is not
 * enough. Line breaks, repeated spaces and `CHA₂DS₂-VASc` in print do not matter.
 */
export function asksForScore(question: Question): ScoreName | undefined {
  if (question.kind !== 'choice' || (question.context?.length ?? 0) > 0) return undefined;
  const text = question.question
    .trim()
    .split(/\s+/)
    .join(' ')
    .replace(/[₀-₉]/g, digit => String(digit.charCodeAt(0) - 0x2080));
  const score = Object.values(scores).find(({ ask }) => text.endsWith(`. ${ask}`));
  if (!score || !offersTotals(question, score)) return undefined;
  return canTell(score, text.slice(0, -`. ${score.ask}`.length)) ? score.name : undefined;
}

/** `CHA2DS2-VASc, CURB-65, ... and Wells for DVT`, from the sentences that ask for them. */
const scoreTitles = Object.values(scores)
  .map(({ ask }) => ask.replace(/^What is the patient's (.*)\?$/, '$1').replace(' score', ''))
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' and ');

function offersTotals({ options }: ChoiceQuestion, { range: [min, max] }: Score): boolean {
  const mayAbstain = options.at(-1) === abstainOptionText;
  const totals = (mayAbstain ? options.slice(0, -1) : options).map(option => option.trim());
  return (
    (totals.length === 4 || (mayAbstain && totals.length === 3)) &&
    totals.every(total => /^(?:0|-?[1-9]\d?)$/.test(total) && +total >= min && +total <= max)
  );
}

/** Whether the generator can write this vignette: its opening, and findings each of which may follow each before it. */
function canTell(score: Score, told: string): boolean {
  const { openings, findings, always, orders } = vocabularyOf(score);
  const colon = told.indexOf(': ');
  if (colon < 0 || !knows(openings, told.slice(0, colon))) return false;
  const said = told.slice(colon + 2).split(', ');
  if (said.length > longest || !said.every(finding => knows(findings, finding))) return false;
  const kinds = said.map(kindOf);
  return (
    [...always].every(kind => kinds.includes(kind)) &&
    kinds.every((after, i) => kinds.slice(0, i).every(before => orders.has(`${before}, ${after}`)))
  );
}

/** The words of a score's vignettes. Numbers are left out of the words, and known by their smallest and largest value. */
interface Vocabulary {
  readonly openings: Words;
  readonly findings: Words;
  /** What every vignette has. */
  readonly always: Set<string>;
  /** `a, b` for all that were told in this order. */
  readonly orders: Set<string>;
}

/** For every wording the range of each number in it. */
type Words = Map<string, { low: number; high: number }[]>;

const vocabularies = new Map<ScoreName, Vocabulary>();

function vocabularyOf(score: Score): Vocabulary {
  const known = vocabularies.get(score.name) ?? learnt(score);
  vocabularies.set(score.name, known);
  return known;
}

/** So many that nothing the generator writes is missing, as a test asserts; some tenths of a second, once a score. */
const draws = 20_000;
const longest = 30;

/** From what the generator writes, so that the two cannot differ. */
function learnt(score: Score): Vocabulary {
  const random = new Random(0);
  const openings: Words = new Map();
  const findings: Words = new Map();
  const orders = new Set<string>();
  let always: Set<string> | undefined;
  for (let i = 0; i < draws; i++) {
    const drawn = score.draw(random);
    learn(openings, drawn.opening);
    const kinds = drawn.findings.map(({ text }) => {
      learn(findings, text);
      return kindOf(text);
    });
    kinds.forEach((after, j) => {
      for (const before of kinds.slice(0, j)) orders.add(`${before}, ${after}`);
    });
    always = new Set(kinds.filter(kind => always?.has(kind) ?? true));
  }
  return { openings, findings, always: always!, orders };
}

function learn(words: Words, text: string): void {
  const ranges = words.get(kindOf(text));
  const numbers = numbersIn(text);
  if (!ranges) {
    words.set(
      kindOf(text),
      numbers.map(value => ({ low: value, high: value })),
    );
    return;
  }
  numbers.forEach((value, i) => {
    ranges[i]!.low = Math.min(ranges[i]!.low, value);
    ranges[i]!.high = Math.max(ranges[i]!.high, value);
  });
}

function knows(words: Words, text: string): boolean {
  const ranges = words.get(kindOf(text));
  const numbers = numbersIn(text);
  return ranges?.every(({ low, high }, i) => numbers[i]! >= low && numbers[i]! <= high) ?? false;
}

function kindOf(text: string): string {
  return text.replace(/\d+/g, '#');
}

function numbersIn(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
