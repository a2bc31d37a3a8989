import { expect, test } from 'vitest';
import { activities, departures, leave, ways } from './run.js';

// Every way in-process and isolated, in the middle of something else each time. `npm run campaign -- exit --count 600` tries more.
test.each(departures(2 * ways.length, 1))('$way while it does $activity for $after ms, isolated $isolate', kept);

const sudden = activities.flatMap(activity =>
  ['exit', 'uncaught-error'].map((way, i) => ({ way, activity, after: 3, isolate: i === 1 })),
);
test.each([...sudden, ...sudden.map(departure => ({ ...departure, isolate: !departure.isolate }))])(
  '$way while it does $activity, isolated $isolate',
  kept,
);

async function kept(departure: Parameters<typeof leave>[0]): Promise<void> {
  const { expected, how, left, stderr } = await leave(departure);
  expect({ how, left }, stderr).toEqual({ how: expected, left: [] });
}
