import { wilson } from '../../vote/count/uncertainty.js';
import type { RunReport } from './types.js';
import { interval, percent } from './words.js';

export const abstentionTitle = '"I cannot tell"';

/** The columns of {@link abstentionRows}. */
export const abstentionColumns = [
  'run',
  'answered',
  'right of answered',
  'right of all',
  '"I cannot tell"',
  'unanswerable: "I cannot tell"',
  'unanswerable: answered',
  'unanswerable: agreed on an answer',
] as const;

/** What each run did where it might have abstained: with the option and without it side by side. Empty where nothing was asked about that. */
export function abstentionRows(runs: readonly RunReport[]): string[][] {
  return runs.flatMap(({ name, run, abstention }) => {
    if (!abstention) return [];
    const { offered, answerable: a, unanswerable: u } = abstention;
    const chosen = (count: number, of: number) => (offered ? share(count, of) : 'not offered');
    return [
      [
        name,
        share(a.answered, a.questions),
        share(a.correct, a.answered),
        share(a.correct, a.questions),
        chosen(a.cannotTell, a.questions),
        chosen(u.cannotTell, u.questions),
        share(u.answered, u.questions),
        run.mode === 'sc-cot' && run.samples > 1 ? share(u.agreed, u.questions) : '–',
      ],
    ];
  });
}

/** `31 of 40, 77.5 % (62.5–87.7 %)`, a 95 % Wilson interval. */
function share(count: number, of: number): string {
  return of === 0 ? '–' : `${count} of ${of}, ${percent(count / of)} (${interval(wilson(count, of))})`;
}
