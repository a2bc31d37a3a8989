import { createHash } from 'node:crypto';
import type { ChoiceQuestion } from '../prompt/question/question.js';
import type { Random } from '../random/xoshiro.js';
import { type Finding, type Score, type ScoreName, totalOf } from './score.js';

/** A four-option question about a clinical score, with its answer and the sum that leads there. One line of JSONL. */
export interface ClinicalQuestion {
  /** The score and 16 hexadecimal digits of the SHA-256 of the question: `qsofa-1f0c…`. The same text has the same id. */
  readonly id: string;
  readonly score: ScoreName;
  readonly question: string;
  readonly options: Readonly<Record<Letter, string>>;
  readonly answer: Letter;
  /** The chain of thought, without the full stop that the answer format adds (see {@link chainOf}). */
  readonly explanation: string;
}

export type Letter = 'A' | 'B' | 'C' | 'D';

/** The half of all questions that one belongs to, read off its id. The shipped model was trained on `train` only. */
export type Split = 'train' | 'held-out';

export const letters = ['A', 'B', 'C', 'D'] as const;

/** A question as it is asked: without what it must not show. */
export function askedOf({ question, options }: ClinicalQuestion): ChoiceQuestion {
  return { kind: 'choice', question, options: letters.map(letter => options[letter]) };
}

/** Draws a patient and asks for the score. */
export function drawQuestion(score: Score, random: Random): ClinicalQuestion {
  const { opening, findings } = score.draw(random);
  const question = `${opening}: ${findings.map(({ text }) => text).join(', ')}. ${score.ask}`;
  const gold = totalOf(findings);
  const choices = choicesFor(gold, score.range, random);
  return {
    id: idOf(score.name, question),
    score: score.name,
    question,
    options: { A: `${choices[0]}`, B: `${choices[1]}`, C: `${choices[2]}`, D: `${choices[3]}` },
    answer: letters[choices.indexOf(gold)]!,
    explanation: chainOf(findings, choices),
  };
}

/** `train` if the id's hash begins with 0 to 7, else `held-out`: whoever has a question knows its half. */
export function splitOf(id: string): Split {
  const digit = id.at(-16) ?? '';
  return digit >= '0' && digit <= '7' ? 'train' : 'held-out';
}

/**
 * The sum, finding by finding, then the options up to the one that equals it, each line as the prompt has it:
 * `Points: age 76 +2 = 2; female +1 = 3; no diabetes +0 = 3. Score 3.\nA. 1\nB. 3`. A small model learns to copy what
 * stands in the prompt token by token long before it learns to look something up in other words.
 */
function chainOf(findings: readonly Finding[], choices: readonly number[]): string {
  let total = 0;
  const sums = findings.map(({ text, points }) => {
    total += points;
    return `${text} ${points < 0 ? points : `+${points}`} = ${total}`;
  });
  const tried = choices.slice(0, choices.indexOf(total) + 1).map((choice, i) => `${letters[i]}. ${choice}`);
  return [`Points: ${sums.join('; ')}. Score ${total}.`, ...tried].join('\n');
}

/** The gold, a near miss and two other totals that the score can have, in random order. */
export function choicesFor(gold: number, [min, max]: readonly [number, number], random: Random): number[] {
  const near = random.pick([gold - 1, gold + 1].filter(total => total >= min && total <= max));
  const rest = Array.from({ length: max - min + 1 }, (_, i) => min + i).filter(
    total => total !== gold && total !== near,
  );
  return random.shuffled([gold, near, ...random.shuffled(rest).slice(0, 2)]);
}

function idOf(score: ScoreName, question: string): string {
  return `${score}-${createHash('sha256').update(question, 'utf8').digest('hex').slice(0, 16)}`;
}
