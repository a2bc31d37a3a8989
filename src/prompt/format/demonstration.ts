import { MeditronError } from '../../check/errors.js';
import { array, integer } from '../../check/options.js';
import { permutation } from '../../random/numpy.js';
import type { BooleanQuestion, ChoiceQuestion, OpenQuestion } from '../question/question.js';

/** A worked example for few-shot prompts. */
export interface Demonstration {
  /** The question of the example, of the same kind as the one that is asked. */
  readonly question: ChoiceQuestion | BooleanQuestion | OpenQuestion;
  /** What stands after `The answer is: `: a letter, yes/no/maybe, or words. */
  readonly answer: string;
  /** The reasoning that leads there; needed for a chain of thought. */
  readonly explanation?: string;
}

/** The seeds with which the authors draw demonstrations, one run each; the paper averages the three (epfLLM/meditron evaluation/inference.py). */
export const authorsSeeds = [1234, 432, 32] as const;

/**
 * The places of k demonstrations in a training split, as `train.shuffle(seed).select(range(k))` of Hugging Face datasets
 * picks them: with {@link authorsSeeds} these are the authors' own demonstrations. The same k serve every question of a run.
 */
export function demonstrationIndices(rows: number, k: number, seed: number): readonly number[] {
  integer('shots', k, 0, rows);
  integer('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  return Array.from(permutation(rows, seed).subarray(0, k));
}

/** k worked examples of a pool, drawn by seed. A question without a known answer cannot be drawn. */
export function chooseDemonstrations(
  pool: readonly Demonstration['question'][],
  k: number,
  seed: number,
): readonly Demonstration[] {
  array('pool', pool, 0, Number.MAX_SAFE_INTEGER);
  return demonstrationIndices(pool.length, k, seed).map(i => {
    const question = pool[i]!;
    if (question.answer !== undefined) return { question, answer: question.answer };
    throw new MeditronError('ERR_INPUT', `Expected demonstrations with a known answer, got none in number ${i}`);
  });
}
