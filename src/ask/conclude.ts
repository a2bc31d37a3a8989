import type { AbstainReason } from '../vote/count/decision.js';
import { type MergedRanking, mergeRankings } from '../vote/count/ranking.js';
import { explain, summarize, type VoteReport } from '../vote/count/summary.js';
import type { Ballot } from '../vote/count/tally.js';
import { ciscVote, probabilityVote, type WeightedVote } from '../vote/count/weighted.js';
import type { Answer, AnswerSample, Rationale } from './answer.js';
import { hasVote } from './options.js';
import type { Prepared } from './prepare.js';
import { answerOf, countsOf, type Finished, type Samples } from './samples.js';
import type { Outcome } from './sampling.js';

export type Conclusion = Pick<
  Answer,
  | 'answer'
  | 'decision'
  | 'reason'
  | 'summary'
  | 'votes'
  | 'vote'
  | 'weighted'
  | 'samples'
  | 'cut'
  | 'ranking'
  | 'rationale'
  | 'dissent'
>;

/** What the samples come to. Pure. */
export function conclude(prepared: Prepared, { samples, interrupted }: Outcome): Conclusion {
  const { ask, question, seeds } = prepared;
  const counted = countedOf(samples);
  const finished = [...samples.finished.values()]
    .filter(({ index }) => counted.has(index))
    .sort((a, b) => a.index - b.index);
  const ranking = ask.mode === 'ranked' ? rankingOf(finished, ask.samples) : null;
  const shown = finished.map(sample => shownSample(sample, seeds, ranking));
  const cut = [...samples.texts]
    .filter(([index]) => !counted.has(index))
    .sort(([a], [b]) => a - b)
    .map(([index, text]) => ({ index, seed: seeds[index]!, text }));
  const common = { samples: shown, cut, ranking };
  if (!hasVote(ask.mode, question)) {
    const votes = countsOf(prepared, finished);
    const summary = `${finished.length} of ${ask.samples} samples, shown as they are: there is nothing to count`;
    return {
      answer: null,
      decision: null,
      reason: null,
      summary,
      votes,
      vote: null,
      weighted: null,
      rationale: null,
      dissent: null,
      ...common,
    };
  }
  const ballots = ranking === null ? samples.ballots.filter(({ index }) => counted.has(index)) : firstPlaces(shown);
  const report = summarize(ballots, ask.samples, {
    minVotes: ask.minAgreement,
    stoppedBy: ranking === null ? samples.decision.stoppedBy : 'none',
    interrupted,
    ...(ranking === null && { answers: prepared.variants[0]!.prompt.labels.length }),
  });
  const weighted = weightedOf(prepared, shown);
  const counts = ranking === null ? countsOf(prepared, finished) : rankedCounts(shown, ask.samples);
  // Under authors-code a text that nobody could read may win: that is no answer.
  const plurality = shown.some(({ answer }) => answer === report.winner) ? report.winner! : null;
  const answer = weighted ? (weighted.answer ?? null) : ranking ? (ranking.items[0]?.name ?? null) : plurality;
  const judged = prepared.outside ? outOfScope(report) : judge(report, ballots, answer, plurality);
  return {
    answer,
    decision: judged.decision,
    reason: judged.reason ?? null,
    summary: judged.why === undefined ? report.text : `${report.text}. ${judged.why}`,
    votes: counts,
    vote: report,
    weighted: weighted && { method: ask.weighting, totals: weighted.totals },
    rationale: rationaleOf(shown, answer),
    dissent: rationaleOf(shown, runnerUp(report, answer)),
    ...common,
  };
}

/** `beta` and `esc` close the vote at a sample: later ones that had finished already do not count. */
function countedOf(samples: Samples): ReadonlySet<number> {
  const { stoppedBy, counted } = samples.decision;
  const inOrder = stoppedBy === 'beta' || stoppedBy === 'esc';
  return new Set(inOrder ? counted.map(ballot => ballot.index) : samples.finished.keys());
}

function shownSample(sample: Finished, seeds: readonly number[], ranking: MergedRanking | null): AnswerSample {
  const { index, variant, end, reading, forced } = sample;
  const first = ranking?.items.find(item => item.mentions.some(m => m.index === index && m.rank === 1))?.name;
  return {
    index,
    seed: seeds[index]!,
    text: end.text,
    answer: ranking ? (first ?? null) : (answerOf(sample) ?? null),
    rule: forced ? 'reask' : reading.rule,
    conflict: reading.conflict,
    forced: forced !== undefined,
    finish: end.finish,
    tokens: Array.from(end.tokens),
    tokenCount: end.tokens.length,
    logprob: Array.from(end.logprobs ?? []).reduce((sum, x) => sum + x, 0),
    order: variant.order,
    reask: forced?.logprobs ?? null,
    ...(reading.list && { list: reading.list }),
  };
}

function rankingOf(finished: readonly Finished[], planned: number): MergedRanking {
  return mergeRankings(
    finished.map(({ index, reading }) => ({ index, items: reading.list ?? [] })),
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
  ballots: readonly Ballot[],
  answer: string | null,
  plurality: string | null,
): Judged {
  const { decision, reason } = report;
  if (answer === null && decision !== 'abstain') {
    return { decision: 'abstain', reason: 'no_answer', why: 'Texts without an answer have the most votes.' };
  }
  if (decision !== 'abstain' && answer !== plurality) {
    return { decision: 'split', reason: 'low_agreement', why: `By count alone the answer would be ${plurality}.` };
  }
  const spoken = ballots.filter(({ answer: given, forced }) => given !== undefined && !forced).length;
  if (decision === 'agree' && spoken < Math.ceil(ballots.length / 2)) {
    const why =
      spoken === 0
        ? 'No chain named an answer until it was asked again.'
        : 'Fewer than half of the chains named an answer before they were asked again.';
    return { decision: 'abstain', reason: spoken === 0 ? 'no_answer' : 'too_few', why };
  }
  return { decision, reason, why: reason && explain(report) };
}

function outOfScope(report: VoteReport): Judged {
  const judged = { decision: 'abstain', reason: 'out_of_scope' } as const;
  return { ...judged, why: explain({ ...report, ...judged }) };
}

function weightedOf({ ask }: Prepared, samples: readonly AnswerSample[]): WeightedVote | null {
  if (ask.weighting === 'none') return null;
  const voting = samples.filter(({ answer, tokenCount }) => answer !== null && tokenCount > 0);
  const mean = ({ logprob, tokenCount }: AnswerSample) => logprob / tokenCount;
  if (ask.weighting === 'probability') return probabilityVote(voting.map(s => ({ answer: s.answer!, value: mean(s) })));
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
  return best ? { answer, sample: best.index, text: best.text } : null;
}
