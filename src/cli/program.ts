import { Command } from 'commander';
import { packageVersion } from '../check/project.js';
import { ask } from './commands/ask.js';
import { chat } from './commands/chat.js';
import { demo } from './commands/demo.js';
import { devices } from './commands/devices.js';
import { evaluation } from './commands/eval.js';
import { inspect } from './commands/inspect.js';
import { prompt } from './commands/prompt.js';
import { replay } from './commands/replay.js';
import { run } from './commands/run.js';
import { tokenize } from './commands/tokenize.js';
import { exitCodeHelp } from './terminal/exit.js';
import { print, say } from './terminal/output.js';

/** Every command, in the order of the help. A new one is a file like the others and a line here. */
const commands: readonly (() => Command)[] = [
  ask,
  prompt,
  replay,
  evaluation,
  run,
  chat,
  inspect,
  tokenize,
  devices,
  demo,
];

/** The command line as commander parses it. Usage errors are thrown, never printed from here. */
export function createProgram(): Command {
  const program = new Command('meditron')
    .description('Runs the MEDITRON medical language models on this machine, offline.')
    .version(packageVersion(), '-V, --version')
    .addHelpText('after', `\n${exitCodeHelp}\n\nExample:\n  meditron run -p "Once upon a time" --samples 3`);
  for (const create of commands) program.addCommand(create());
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeOut: print, writeErr: text => say(text.trimEnd()), outputError: () => {} })
      .showSuggestionAfterError();
    command.configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 110) });
  }
  return program;
}
