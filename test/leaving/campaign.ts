/** Leaves many times: `npm run campaign:exits -- --count 600 --seed 1`. Prints what ended otherwise than it says; exit code 1 then. */
import { parseArgs } from 'node:util';
import { departures, leave } from './run.js';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
let wrong = 0;
let slowest = 0;
for (const departure of departures(Number(values.count), Number(values.seed))) {
  const start = performance.now();
  const { expected, got, output } = await leave(departure);
  slowest = Math.max(slowest, performance.now() - start);
  if (got === expected) continue;
  wrong++;
  console.log(`${JSON.stringify(departure)} ended ${got}, expected ${expected}\n${output}`);
}
console.log(
  `${values.count} processes, ${wrong} ended otherwise than they say; the slowest took ${Math.round(slowest)} ms`,
);
process.exitCode = wrong > 0 ? 1 : 0;
