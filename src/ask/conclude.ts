import type { Scope } from '../clinical/scope.js';
import { abstainLabelOf } from '../prompt/question/abstain.js';
import type { AbstainReason, Interruption } from '../vote/count/decision.js';
import { type MergedRanking, mergeRankings } from '../vote/count/ranking.js';
import { explain, summarize, type VoteReport } from '../vote/count/summary.js';
import type { Ballot } from '../vote/count/tally.js';
import { ciscVote, probabilityVote, type WeightedVote } from '../vote/count/weighted.js';
import type { Asked } from './asked.js';
import { ballotsOf, type Counting, closedBy, counts, tallyOf } from './count.js';
import type { Sample } from './read.js';
import { answerSet } from './sets.js';
import type { Answer, AnswerSample, CutSample, Rationale } from './types.js';

export type Conclusion = Pick<
  Answer,
  | 'answer'
  | 'decision'
  | 'reason'
  | 'summary'
  | 'votes'
  | 'vote'
  | 'weighted'
  | 'set'
  | 'samples'
  | 'cut'
  | 'ranking'
  | 'rationale'
  | 'dissent'
>;

/** What has come of an asking. */
export interface Outcome {
  /** Those that finished, in any order. */
  readonly samples: readonly Sample[];
  /** Texts of those that were begun and cut. */
  readonly cut: readonly CutSample[];
  /** What ended the asking before its own rule did. */
  readonly interrupted: Interruption | undefined;
}

/** What decides how samples are judged. */
export interface Judging
  extends Counting,
    Pick<Asked, 'minAgreement' | 'weighting' | 'prompt'>,
    Partial<Pick<Asked, 'calibration' | 'coverage'>> {
  /** Whether the model was not made for such a question. */
  readonly outside: boolean;
  /** What an agreement must not be shown without. */
  readonly caveat?: string;
}

/** How the scope of a model enters the judgement. */
export function judgedBy(scope: Scope | undefined): Pick<Judging, 'outside' | 'caveat'> {
  return { outside: scope?.inside === false, ...(scope?.inside && { caveat: scope.warning }) };
}

/** What the samples come to. Pure. */
export function conclude(judging: Judging, { samples, cut, interrupted }: Outcome): Conclusion {
  const { mode, samples: planned, minAgreement, weighting, outside, caveat, labels, question, prompt } = judging;
  const { stoppedBy, counted } = closedBy(judging, samples);
  // `beta` and `esc` close the vote at a sample: later ones that had finished already do not count.
  const inOrder = stoppedBy === 'beta' || stoppedBy === 'esc';
  const indices = new Set(inOrder ? counted.map(ballot => ballot.index) : samples.map(({ index }) => index));
  const finished = samples.filter(({ index }) => indices.has(index)).sort((a, b) => a.index - b.index);
  const late = samples.filter(({ index }) => !indices.has(index));
  const ranking = mode === 'ranked' ? rankingOf(finished, planned) : null;
  const shown = finished.map(sample => shownSample(sample, ranking));
  const common = {
    samples: shown,
    cut: [...cut, ...late.map(({ index, seed, text }) => ({ index, seed, text }))].sort((a, b) => a.index - b.index),
    ranking,
  };
  if (!counts(judging)) {
    return {
      answer: null,
      decision: null,
      reason: null,
      summary: `${finished.length} of ${planned} samples, shown as they are: there is nothing to count`,
      votes: tallyOf(judging, finished),
      vote: null,
      weighted: null,
      rationale: null,
      dissent: null,
      ...common,
    };
  }
  const ballots = ranking === null ? ballotsOf(finished) : firstPlaces(shown);
  const set = setOf(judging, finished);
  const report = summarize(ballots, planned, {
    ...(set && { set: set.answers }),
    minVotes: minAgreement,
    stoppedBy: ranking === null ? stoppedBy : 'none',
    interrupted,
    ...(ranking === null && { answers: labels.length }),
  });
  const weighted = weightedOf(weighting, shown);
  // Under authors-code a text that nobody could read may win: that is no answer.
  const plurality = shown.some(({ answer }) => answer === report.winner) ? report.winner! : null;
  const first = weighted ? (weighted.answer ?? null) : ranking ? (ranking.items[0]?.name ?? null) : plurality;
  const abstains = first !== null && first === abstainLabelOf(question, prompt.abstainOption);
  const answer = abstains ? null : first;
  const judged = outside
    ? without(report, 'out_of_scope')
    : abstains
      ? cannotTell(report)
      : judge(report, answer, plurality, caveat);
  return {
    answer,
    decision: judged.decision,
    reason: judged.reason ?? null,
    summary: judged.why === undefined ? report.text : `${report.text}. ${judged.why}`,
    votes: ranking === null ? tallyOf(judging, finished) : rankedCounts(shown, planned),
    vote: report,
    weighted: weighted && { method: weighting, totals: weighted.totals },
    ...(judging.calibration && { set }),
    rationale: rationaleOf(shown, first),
    dissent: rationaleOf(shown, runnerUp(report, first)),
    ...common,
  };
}

/** Null where not all samples ran, because sets are calibrated on full votes, and for a question that is not like those they were calibrated on. */
function setOf(
  { calibration, coverage, question, prompt, labels, samples, outside }: Judging,
  finished: readonly Sample[],
) {
  if (!calibration || coverage === undefined || outside || finished.length < samples) return null;
  const abstaining = abstainLabelOf(question, prompt.abstainOption);
  const count = (label: string) => finished.filter(({ answer }) => answer === label).length;
  const votes = labels.filter(label => label !== abstaining).map(label => [label, count(label)] as const);
  return answerSet(calibration, coverage, question, new Map(votes));
}

function shownSample({ vote: _, ...sample }: Sample, ranking: MergedRanking | null): AnswerSample {
  if (ranking === null) return sample;
  const { index } = sample;
  const first = ranking.items.find(item => item.mentions.some(m => m.index === index && m.rank === 1))?.name;
  return { ...sample, answer: first ?? null };
}

function rankingOf(finished: readonly Sample[], planned: number): MergedRanking {
  return mergeRankings(
    finished.map(({ index, list }) => ({ index, items: list ?? [] })),
    { planned },
  );
}

function firstPlaces(samples: readonly AnswerSample[]): Ballot[] {
  return samples.map(({ index, answer }) => ({ index, answer: answer ?? undefined }));
}

function rankedCounts(samples: readonly AnswerSample[], planned: number): Answer['votes'] {
  const counts: Record<string, number> = {};
  for (const { answer } of samples) if (answer !== null) counts[answer] = (counts[answer] ?? 0) + 1;
  return { ...counts, unparsed: samples.filter(s => s.answer === null).length, notRun: planned - samples.length };
}

interface Judged {
  readonly decision: VoteReport['decision'];
  readonly reason: AbstainReason | undefined;
  readonly why: string | undefined;
}

/** The decision of the vote, unless it rests on something that the count does not show. */
function judge(
  report: VoteReport,
  answer: string | null,
  plurality: string | null,
  caveat: string | undefined,
): Judged {
  const { decision, reason } = report;
  if (answer === null && decision !== 'abstain') {
    return { decision: 'abstain', reason: 'no_answer', why: 'Texts without an answer have the most votes.' };
  }
  if (decision !== 'abstain' && answer !== plurality) {
    return { decision: 'split', reason: 'low_agreement', why: `By count alone the answer would be ${plurality}.` };
  }
  return { decision, reason, why: reason ? explain(report) : caveat };
}

/** To abstain was chosen most often: no answer, however few chose it. Level with another answer, or with samples missing, that is said. */
function cannotTell(report: VoteReport): Judged {
  const { decision, reason } = report;
  const counted = decision === 'agree' || reason === 'low_agreement';
  return counted ? without(report, 'cannot_tell') : { decision, reason, why: explain(report) };
}

function without(report: VoteReport, reason: AbstainReason): Judged {
  const judged = { decision: 'abstain', reason } as const;
  return { ...judged, why: explain({ ...report, ...judged }) };
}

function weightedOf(weighting: Asked['weighting'], samples: readonly AnswerSample[]): WeightedVote | null {
  if (weighting === 'none') return null;
  const voting = samples.filter(({ answer, tokenCount }) => answer !== null && tokenCount > 0);
  const mean = ({ logprob, tokenCount }: AnswerSample) => logprob / tokenCount;
  if (weighting === 'probability') return probabilityVote(voting.map(s => ({ answer: s.answer!, value: mean(s) })));
  return ciscVote(voting.map(s => ({ answer: s.answer!, value: Math.exp(mean(s)) })));
}

function runnerUp(report: VoteReport, answer: string | null): string | null {
  return report.votes.find(({ answer: other }) => other !== answer)?.answer ?? null;
}

/** The most probable text among the samples of an answer; those that named it unasked first. */
function rationaleOf(samples: readonly AnswerSample[], answer: string | null): Rationale | null {
  if (answer === null) return null;
  const mean = ({ logprob, tokenCount }: AnswerSample) => (tokenCount > 0 ? logprob / tokenCount : -Infinity);
  const [best] = samples
    .filter(sample => sample.answer === answer)
    .sort((a, b) => Number(a.forced) - Number(b.forced) || mean(b) - mean(a) || a.index - b.index);
  if (!best) return null;
  const { index: sample, text, said = text, thinking } = best;
  return { answer, sample, text: said, ...(thinking !== undefined && { thinking }) };
}
