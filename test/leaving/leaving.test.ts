import { expect, test } from 'vitest';
import { activities, departures, leave, ways } from './run.js';

// Every way twice, in the middle of something else each time. `npm run campaign -- exit --count 600` tries more.
test.each(departures(2 * ways.length, 1, false))('$way while it does $activity for $after ms', async departure => {
  const { expected, how, left, stderr } = await leave(departure);
  expect({ how, left }, stderr).toEqual({ how: expected, left: [] });
});

test.each(activities)('exit and an uncaught error while it does %s', async activity => {
  for (const way of ['exit', 'uncaught-error']) {
    const { expected, how, left, stderr } = await leave({ way, activity, after: 3, isolate: false });
    expect({ how, left }, `${way}: ${stderr}`).toEqual({ how: expected, left: [] });
  }
});
