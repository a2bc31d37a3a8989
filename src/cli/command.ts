import { CommanderError } from 'commander';
import { createProgram } from './program.js';
import { exitCodeOf, report } from './terminal/exit.js';
import { outputLost, outputWritten, watchOutput } from './terminal/output.js';

/** Runs the command that was typed; how it ended is the process's exit code. */
export async function run(): Promise<void> {
  watchOutput();
  let failure: unknown;
  try {
    const program = await createProgram(process.argv[2]);
    await program.parseAsync();
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
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help');
}
