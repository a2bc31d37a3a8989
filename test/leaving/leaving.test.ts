import { expect, test } from 'vitest';
import { activities, departures, leave, ways } from './run.js';

// Every way twice, in the middle of something else each time. `npm run campaign:exits -- --count 600` tries more.
test.each(departures(2 * ways.length, 1))('$way while it does $activity for $after ms', async departure => {
  const { expected, got, output } = await leave(departure);
  expect(got, output).toBe(expected);
});

test.each(activities)('exit and an uncaught error while it does %s', async activity => {
  for (const way of ['exit', 'uncaught-error']) {
    const { expected, got, output } = await leave({ way, activity, after: 3 });
    expect(got, `${way}: ${output}`).toBe(expected);
  }
});
