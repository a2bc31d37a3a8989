import { CommanderError } from 'commander';
import { exitCodes, MeditronError } from '../../check/errors.js';
import { inFlags } from '../flags.js';
import { Interrupted } from './interrupted.js';
import { say, sayJson } from './output.js';

/** The documented exit code of an error; 1 for one that is not ours. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof MeditronError) return exitCodes[error.code];
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}

/**
 * Says on stderr what went wrong: one sentence for people; with `--json` one line `{"error":{"code","message"}}`. A fault of
 * ours comes with its stack. Nothing is said when the reader of the output has gone.
 */
export function report(error: unknown, json: boolean): void {
  if (exitCodeOf(error) === 0) return;
  const { code, message } = described(error);
  if (json) sayJson({ error: { code, message } });
  else say(`meditron: ${message}`);
}

/** The exit codes as `meditron --help` shows them. */
export const exitCodeHelp = `Exit codes:
  0    done
  1    a fault in meditron itself; for replay: not the same
  2    the command line is wrong: unknown option, value out of range, malformed grammar
  3    an input file cannot be used, or an output could not be written
  4    the model or adapter cannot be used, or no prompt format is known for it
  5    what was asked for does not fit in the context or in memory
  6    the engine failed or its process died, or a server that was asked failed
  7    the native addon is missing or could not be built
  130  interrupted (Ctrl-C); what there was has been printed
  143  terminated (SIGTERM); what there was has been printed`;

function described(error: unknown): { code: string; message: string } {
  if (error instanceof MeditronError) return { code: error.code, message: inFlags(error.message) };
  if (error instanceof CommanderError) {
    const message = error.message
      .replace(/^error: /, '')
      .replace(/\.+$/, '')
      .replace(/\n\((Did .*\?)\)$/, '. $1');
    const sentence = message.charAt(0).toUpperCase() + message.slice(1);
    return {
      code: 'ERR_OPTION',
      message: `${sentence}${sentence.endsWith('?') ? '' : '.'} --help shows what there is`,
    };
  }
  return { code: 'ERR_FAULT', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
