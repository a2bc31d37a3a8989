import type { Question } from '../prompt/question/question.js';
import { coverageOf, neededVotes } from '../vote/count/sets.js';
import type { Interval } from '../vote/count/uncertainty.js';
import { type Calibration, groupFor } from './calibration.js';

/** The answers that cannot be excluded, so that such sets hold the right one as often as was asked for. */
export interface AnswerSet {
  /** Those that have enough votes, in the order of the options. Several: undecided between them. None: no answer has enough. */
  readonly answers: readonly string[];
  /** How often sets shall hold the right answer, 0 to 1. */
  readonly coverage: number;
  /** Votes an answer needs to be in the set; 0: every answer is. */
  readonly needed: number;
  /** What such sets did on other questions of those they were calibrated on. */
  readonly measured: {
    /** How many questions. */
    readonly questions: number;
    /** Those whose set held the right answer. */
    readonly held: number;
    /** 95 % interval of the share of questions whose set holds it, by Clopper and Pearson. */
    readonly interval: Interval;
    /** Mean number of answers in a set. */
    readonly size: number;
  };
  /** The set in words, with what was measured. */
  readonly text: string;
}

/** The set of a full vote. `votes` are those of each answer on offer, the option to abstain left out. */
export function answerSet(
  calibration: Calibration,
  coverage: number,
  question: Question,
  votes: ReadonlyMap<string, number>,
): AnswerSet {
  const group = groupFor(calibration, question)!;
  const needed = neededVotes(group.calibrated, coverage);
  const answers = [...votes].filter(([, count]) => count >= needed).map(([answer]) => answer);
  const { questions, held, interval, size } = coverageOf(group.measured, needed);
  const measured = { questions, held, interval, size };
  const set = { answers, coverage, needed, measured };
  return { ...set, text: `${named(set, votes.size)}: ${promised(set, calibration.questions.name)}` };
}

type Told = Omit<AnswerSet, 'text'>;

function named({ answers, needed }: Told, offered: number): string {
  if (answers.length === 0) return `No answer has the ${needed} ${needed === 1 ? 'vote' : 'votes'} it needs`;
  if (answers.length === offered) return `Any answer, ${listed(answers)}: the votes exclude none`;
  return answers.length === 1 ? `${answers[0]} alone` : listed(answers);
}

function promised({ coverage, needed, measured: { questions, held, interval } }: Told, name: string): string {
  const share = (value: number) => `${Math.round(1000 * value) / 10} %`;
  const asked = `${share(coverage)} ${needed === 0 ? 'were asked for, and no smaller sets can be promised' : 'were asked for'}`;
  if (questions === 0) return `on how many questions such sets held the right answer was not measured; ${asked}`;
  const [low, high] = [share(interval.low), share(interval.high)];
  return `on questions like those of ${name} such sets held the right answer ${share(held / questions)} of the time (${held} of ${questions} questions, 95 % interval ${low} to ${high}); ${asked}`;
}

function listed(answers: readonly string[]): string {
  return answers.length < 2 ? answers.join() : `${answers.slice(0, -1).join(', ')} or ${answers.at(-1)}`;
}
