import type { Asked, Shown } from '../shared.js';

type Votes = Readonly<Record<string, number>>;

/** What the vote comes to. Where there is nothing to rely on, that comes first: a name on top would be read as the answer. */
export function headline({ answer, decision, samples }: Shown, options: Asked['options']): string {
  if (decision === null) return 'The texts, as they are';
  const text = options.find(({ label }) => label === answer)?.text;
  const named = text ? `${answer}. ${text}` : answer;
  if (decision === 'abstain') return 'No answer to rely on';
  if (decision === 'split') return named === null ? 'No agreement' : `No agreement; ahead is ${named}`;
  return samples.length === 1 ? `${named}, asked once` : `Agreement on ${named}`;
}

/** Counts, never a percentage: of five samples no percentage can be told. */
export function countInWords(given: number, samples: number): string {
  return given === 0 ? 'no vote' : `${given} of ${samples} vote${samples === 1 ? '' : 's'}`;
}

/** Said to a screen reader whenever a vote has come in. */
export function answered(votes: Votes, samples: number): string {
  const named = Object.entries(votes).filter(([name, count]) => count > 0 && name !== 'unparsed' && name !== 'notRun');
  const said = named.map(([name, count]) => `${count} for ${name}`).join(', ');
  const total = named.reduce((sum, [, count]) => sum + count, votes.unparsed ?? 0);
  return `${total} of ${samples} have finished${said === '' ? '' : `: ${said}`}`;
}

export function othersInWords({ unparsed = 0, notRun = 0 }: Votes): string {
  const parts = [
    unparsed > 0 && `${unparsed} named no answer`,
    notRun > 0 && `${notRun} did not run to the end and ${notRun === 1 ? 'is' : 'are'} not counted`,
  ].filter(part => part !== false);
  return parts.join('; ');
}

/** The options with the most votes. */
export function leaders(votes: Votes, options: Asked['options']): string[] {
  const most = Math.max(1, ...options.map(({ label }) => votes[label] ?? 0));
  return options.map(({ label }) => label).filter(label => votes[label] === most);
}
