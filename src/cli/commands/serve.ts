import { Command } from 'commander';
import { engineOptions, loadOptions, processOptions } from '../../check/machine.js';
import { shippedModel } from '../../check/project.js';
import { pick } from '../../check/table.js';
import { meantModel } from '../../models/added.js';
import { serverOptions } from '../../server/options.js';
import { openBrowser } from '../browser.js';
import { addFlags, type Flags, optionsOf } from '../flags.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { warn } from '../terminal/warning.js';

interface ServeFlags extends Flags {
  readonly model?: readonly string[];
  readonly open?: boolean;
  readonly json?: boolean;
}

const contextOptions = pick(engineOptions, ['threads', 'contextSize', 'kvType', 'flashAttention', 'kernels']);

export function serve(): Command {
  const command = new Command('serve')
    .description(
      'Answers programs that speak OpenAI’s language, and serves the page, on this machine. Nothing is stored, and nothing of a prompt is printed.',
    )
    .option(
      '-m, --model <file>',
      'GGUF file, of a split model the first part, or the name of an added one; may be repeated, and the first answers where a request names none (default: the one in models/)',
      (file: string, before: readonly string[] = []) => [...before, meantModel(file)],
    )
    .option('--open', 'open the page in the browser')
    .option('--json', 'print the address as one JSON object')
    .addHelpText('after', help);
  addFlags(command, serverOptions);
  addFlags(command, loadOptions);
  addFlags(command, processOptions);
  addFlags(command, contextOptions);
  return command.action(answer);
}

const help = `
Models are loaded when they are first asked for. What is printed is the page's address with its key, which lets it read files of this machine:
it is for nobody else. Programs need the address without the key, and /v1 behind it. Ctrl-C ends the server.

  /v1/chat/completions, /v1/completions, /v1/models     as OpenAI's
  /v1/meditron/ask                                      a question, with its chains and its vote
  /openapi.json                                         all there is
  /health, /metrics                                     for who watches over it

Examples:
  meditron serve --open
  meditron serve --port 8080 -m meditron-7b.Q4_K_M.gguf -m meditron-70b.Q4_K_M.gguf
  meditron serve --host 0.0.0.0 --key "$(cat key)" -m meditron-7b.Q4_K_M.gguf`;

/** Answers until it is interrupted, which is how it is meant to end. */
async function answer({ model = [shippedModel()], ...flags }: ServeFlags): Promise<void> {
  using interrupt = interrupts();
  const { createServer } = await import('../../server/server.js'); // the help needs none of it
  const { inProcess } = optionsOf(processOptions, flags);
  await using server = await createServer({
    ...optionsOf(serverOptions, flags),
    models: model,
    load: optionsOf(loadOptions, flags),
    engine: optionsOf(contextOptions, flags),
    isolate: inProcess !== true,
  });
  if (flags.json) printJson({ url: server.url, page: server.pageUrl, port: server.port });
  else print(`Meditron answers at ${server.pageUrl}\n`);
  if (flags.open) {
    const problem = await openBrowser(server.openUrl());
    if (problem !== undefined) warn(`No browser could be opened (${problem}): open ${server.pageUrl} yourself`);
  }
  await aborted(interrupt.signal);
  throw interrupt.signal.reason;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
