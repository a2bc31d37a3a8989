import { type Opinion, type PanelVerdict, panelVerdict } from '../../panel/rule.js';
import type { Outcome } from '../score/outcome.js';

/** What the models of a panel came to over the same questions. */
export interface MemberOutcomes {
  readonly family: string;
  readonly outcomes: readonly Outcome[];
}

/** A question as the panel answers it. */
export interface PanelOutcome extends Outcome {
  readonly verdict: PanelVerdict;
}

/** The panel's answers to the questions that all of its models were asked. How sure one is, is the part of the families heard that give it. Pure. */
export function panelOutcomes(members: readonly MemberOutcomes[]): PanelOutcome[] {
  const byId = members.map(({ outcomes }) => new Map(outcomes.map(outcome => [outcome.id, outcome])));
  return members[0]!.outcomes.flatMap(({ id }) => {
    const own = byId.flatMap(outcomes => outcomes.get(id) ?? []);
    return own.length === members.length ? [panelOutcome(members, own)] : [];
  });
}

function panelOutcome(members: readonly MemberOutcomes[], own: readonly Outcome[]): PanelOutcome {
  const verdict = panelVerdict(own.map((outcome, i) => opinionOf(members[i]!.family, outcome)));
  const { answer, families, heard, agreeing, decided, decision } = verdict;
  const { id, gold, subject, cluster } = own[0]!;
  const sum = (value: (outcome: Outcome) => number) => own.reduce((total, outcome) => total + value(outcome), 0);
  const tokens = sum(({ samples }) => samples.reduce((total, sample) => total + (sample.tokens ?? 0), 0));
  const voices = families.filter(({ standing }) => standing !== 'unheard');
  const answers = [...new Set(families.flatMap(family => family.answer ?? []))];
  const error = own.find(outcome => outcome.error !== undefined)?.error;
  return {
    verdict,
    id,
    ...(gold !== undefined && { gold }),
    ...(subject !== undefined && { subject }),
    ...(cluster !== undefined && { cluster }),
    votes: answers.map(name => ({ answer: name, count: families.filter(family => family.answer === name).length })),
    ...(answer !== null && { answer, confidence: agreeing / heard }),
    decision,
    tie: answer === null && decided > 0,
    ...(gold !== undefined && { correct: answer === gold }),
    ms: sum(({ ms = 0 }) => ms),
    promptTokens: sum(({ promptTokens = 0 }) => promptTokens),
    ...(heard === 0 && error !== undefined && { error }),
    // One voice a family; all that its models wrote stands with the first.
    samples: voices.map((voice, i) => ({
      ...(voice.answer !== null && { answer: voice.answer }),
      tokens: i === 0 ? tokens : 0,
    })),
  };
}

/** A model asked once decides if it gives an answer, as `ask` has it; one that votes, if its vote agrees. */
function opinionOf(family: string, { answer, decision, outside, error }: Outcome): Opinion {
  const decides = decision === undefined ? !outside : decision === 'agree';
  return { family, heard: error === undefined, answer: decides ? (answer ?? null) : null };
}
