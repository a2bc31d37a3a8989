import { Command } from 'commander';
import { packageVersion } from '../check/project.js';
import { exitCodeHelp } from './terminal/exit.js';
import { print, say } from './terminal/output.js';

/** Every command, in the order of the help. A new one is a file like the others and a line here. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  ask: async () => (await import('./commands/ask.js')).ask(),
  prompt: async () => (await import('./commands/prompt.js')).prompt(),
  replay: async () => (await import('./commands/replay.js')).replay(),
  eval: async () => (await import('./commands/eval.js')).evaluation(),
  run: async () => (await import('./commands/run.js')).run(),
  chat: async () => (await import('./commands/chat.js')).chat(),
  inspect: async () => (await import('./commands/inspect.js')).inspect(),
  tokenize: async () => (await import('./commands/tokenize.js')).tokenize(),
  fit: async () => (await import('./commands/fit.js')).fit(),
  check: async () => (await import('./commands/check.js')).check(),
  models: async () => (await import('./commands/models.js')).models(),
  devices: async () => (await import('./commands/devices.js')).devices(),
  serve: async () => (await import('./commands/serve.js')).serve(),
  verify: async () => (await import('./commands/verify.js')).verify(),
  menu: async () => (await import('./commands/menu.js')).menu(),
  demo: async () => (await import('./commands/demo.js')).demo(),
};

/**
 * The command line as commander parses it. Usage errors are thrown, never printed from here.
 *
 * @param typed The command that was typed: the program of no other is read. Without one, or with a word that is none, of all.
 */
export async function createProgram(typed = ''): Promise<Command> {
  const program = new Command('meditron')
    .description('Runs the MEDITRON medical language models on this machine, offline.')
    .version(packageVersion(), '-V, --version')
    .addHelpText('after', `\n${exitCodeHelp}\n\nExample:\n  meditron run -p "Once upon a time" --samples 3`);
  for (const name of Object.hasOwn(commands, typed) ? [typed] : Object.keys(commands))
    program.addCommand(await commands[name]!());
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command
      .exitOverride()
      .configureOutput({ writeOut: print, writeErr: text => say(text.trimEnd()), outputError: () => {} })
      .showSuggestionAfterError();
    command.configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 110) });
  }
  return program;
}
