import { CommanderError } from 'commander';
import { createProgram } from './program.js';
import { exitCodeOf, report } from './terminal/exit.js';
import { outputLost, outputWritten, watchOutput } from './terminal/output.js';

watchOutput();
let failure: unknown;
try {
  await createProgram().parseAsync();
} catch (error) {
  failure = error;
}
await outputWritten();
if (outputLost.aborted) failure = outputLost.reason;
if (failure !== undefined) {
  process.exitCode = exitCodeOf(failure);
  if (!isHelp(failure)) report(failure, process.argv.includes('--json'));
}
process.stdin.destroy(); // a pipe that nobody writes to would keep the process alive

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help');
}
