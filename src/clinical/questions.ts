import { MeditronError } from '../check/errors.js';
import { Random } from '../random/xoshiro.js';
import { cha2ds2vasc } from './cha2ds2vasc.js';
import { curb65 } from './curb65.js';
import { glasgow } from './glasgow.js';
import { hasbled } from './hasbled.js';
import { qsofa } from './qsofa.js';
import { type ClinicalQuestion, drawQuestion, type Split, splitOf } from './question.js';
import type { Score, ScoreName } from './score.js';
import { wells } from './wells.js';

export interface QuestionSet {
  /** 0 to 2^53 - 1. The same seed gives the same questions on every machine; a shorter set begins a longer one. */
  readonly seed: number;
  readonly count: number;
  /** The scores to ask about, in turn; all six by default. */
  readonly scores?: readonly ScoreName[];
  /** `held-out` by default: none of these was in the training of the shipped model. */
  readonly split?: Split;
}

/** The scores that questions can be asked about, by name. */
export const scores: Readonly<Record<ScoreName, Score>> = {
  'cha2ds2-vasc': cha2ds2vasc,
  'curb-65': curb65,
  gcs: glasgow,
  'has-bled': hasbled,
  qsofa,
  'wells-dvt': wells,
};

export const scoreNames = Object.keys(scores) as readonly ScoreName[];

/**
 * Writes `count` questions, all different, the scores taking turns. Lazy, so a long set can be written as it is made.
 * @throws MeditronError `ERR_INPUT` if a score has no new question left to ask
 */
export function* clinicalQuestions(set: QuestionSet): Generator<ClinicalQuestion, void> {
  const random = new Random(set.seed);
  const names = set.scores ?? scoreNames;
  const split = set.split ?? 'held-out';
  const seen = new Set<string>();
  for (let i = 0; i < set.count; i++) {
    const score = scores[names[i % names.length]!];
    const question = drawNew(score, random, question => !seen.has(question.id) && splitOf(question.id) === split);
    seen.add(question.id);
    yield question;
  }
}

/** Draws until a question is accepted. Half of all draws fall in the other split, so 1,000 misses mean exhaustion. */
function drawNew(score: Score, random: Random, accept: (question: ClinicalQuestion) => boolean): ClinicalQuestion {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const question = drawQuestion(score, random);
    if (accept(question)) return question;
  }
  throw new MeditronError('ERR_INPUT', `There are no more new ${score.name} questions; ask for a smaller count`);
}
