import { type Campaign, Tally } from '../campaigns/campaign.js';
import { departures, leave } from './run.js';

/** Leaves the process in every way while it does something; it ends as it was told to, and nothing it started is left. */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const { count, only = 0, seed, isolate } = options;
  const all = departures(Math.max(count, only + 1), seed, isolate);
  for (const index of tally.indices) {
    const departure = all[index]!;
    const { expected, how, left, stdout, stderr, milliseconds } = await leave(departure);
    const words = `${JSON.stringify(departure)} ended ${how}, expected ${expected} ${stdout}${stderr}`.trim();
    if (how === 'hangs') tally.fault('hangs', index, words);
    // Killed by a signal that it was not to end by: that is a crash, whatever else was asked of it.
    else if (how !== expected) tally.fault(how.startsWith('by') ? 'hostDeaths' : 'broken', index, words);
    if (left.length > 0) tally.fault('broken', index, `${JSON.stringify(departure)} left behind: ${left.join(', ')}`);
    tally.done(milliseconds);
  }
  return tally.outcome();
};
