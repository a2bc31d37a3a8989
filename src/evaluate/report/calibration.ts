import type { Calibration } from '../../ask/calibration.js';
import { sum } from '../../vote/count/arithmetic.js';
import { coverageOf, neededVotes } from '../../vote/count/sets.js';
import { interval, percent } from './words.js';

/** What sets of a calibration come to, one line for each kind of question and some coverages. */
export function calibrationInWords({ groups, terms }: Calibration): string {
  return groups
    .map(({ kind, options, calibrated, measured }) => {
      const what = kind === 'boolean' ? 'Yes, no or maybe' : `${options} options`;
      const lines = [0.8, 0.9, 0.95].map(coverage => {
        const needed = neededVotes(calibrated, coverage);
        const { questions, held, interval: bounds, size, single, empty } = coverageOf(measured, needed);
        const rule = needed === 0 ? 'all answers' : `answers with ${needed} of ${terms.samples} votes or more`;
        return `  for ${percent(coverage)}: ${rule}; held ${held} of ${questions}, ${percent(held / questions)} (${interval(bounds)}); mean size ${size.toFixed(2)}, one answer ${single}, none ${empty}`;
      });
      return [
        `${what}: calibrated on ${sum(calibrated)} questions, measured on ${sum(measured.right)} others`,
        ...lines,
      ].join('\n');
    })
    .join('\n');
}
