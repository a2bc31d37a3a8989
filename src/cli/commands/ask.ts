import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { Answer } from '../../ask/answer.js';
import { type AskOptions, type Debias, type Weighting, weightings } from '../../ask/options.js';
import { MeditronError } from '../../check/errors.js';
import {
  type FormatName,
  formatNames,
  type Mode,
  modes,
  type Protocol,
  protocols,
  type Task,
  tasks,
} from '../../prompt/format/format.js';
import { formatNameOf } from '../../prompt/format/formats.js';
import { type Shuffle, shuffles } from '../../prompt/question/shuffle.js';
import type { StopRuleName } from '../../vote/count/stopping.js';
import {
  addEngineFlags,
  addModelFlags,
  decimal,
  type EngineFlags,
  engineOf,
  type ModelFlags,
  whole,
} from '../flags.js';
import { load } from '../load.js';
import { questionFrom } from '../question.js';
import { answerScreen } from '../terminal/answer.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { warn } from '../terminal/warning.js';
import { askWatched } from '../watched.js';

/** What decides the prompt; shared with `meditron prompt`. */
export interface PromptFlags {
  readonly mode?: Mode;
  readonly protocol?: Protocol;
  readonly format?: FormatName;
  readonly task?: Task;
  readonly instruction?: string;
  readonly system?: string;
  readonly shots?: number;
  readonly items?: number;
  readonly bos?: AskOptions['bos'];
}

interface AskFlags extends ModelFlags, EngineFlags, PromptFlags {
  readonly samples?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly maxTokens?: number;
  readonly stopRule?: StopRuleName;
  readonly minAgreement?: number;
  readonly shuffle?: Shuffle;
  readonly weighting?: Weighting;
  readonly debias?: Debias & string;
  readonly reask?: boolean;
  readonly width?: number;
  readonly deadline?: number;
  readonly record?: string;
  readonly json?: boolean;
}

export function addPromptFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'how to ask (default: sc-cot; free for questions without options)').choices(modes),
    )
    .addOption(new Option('--protocol <name>', 'whose prompts, parser and count (default: strict)').choices(protocols))
    .option(
      '--format <name>',
      `prompt format: ${formatNames.join(', ')} (default: the one known for the model)`,
      formatNameOf,
    )
    .addOption(new Option('--task <name>', 'whose instruction (default: by the kind of question)').choices(tasks))
    .option('--instruction <text>', 'an instruction of your own; an empty one leaves it out')
    .option('--system <text>', 'the system turn, in formats that have one')
    .option('--shots <n>', 'examples of the few-shot format', whole('shots', 0, 5))
    .option('--items <n>', 'length of the lists of mode ranked (default: 5)', whole('items', 1, 20))
    .addOption(
      new Option('--bos <when>', 'put the token that begins a text first (default: auto)').choices([
        'auto',
        'always',
        'never',
      ]),
    );
}

export function ask(): Command {
  const command = new Command('ask')
    .description('Asks a medical question, several times over, and shows how far the answers agree.')
    .argument(
      '[question...]',
      'a file (JSON, or plain text with lettered options), - for standard input, or the question itself',
    )
    .option('-n, --samples <n>', 'chains of sc-cot, lists of ranked (default: 5)', whole('samples', 1, 256))
    .option('-t, --temperature <t>', 'default: 0.8; 0 for cot', decimal('temperature', 0, 100))
    .option(
      '--top-p <p>',
      'keep the tokens that make up this probability (default: 1, all)',
      decimal('top-p', Number.MIN_VALUE, 1),
    )
    .option('--top-k <k>', 'keep the k most probable tokens (default: 0, all)', whole('top-k', 0, 0x7fffffff))
    .option('--seed <n>', 'same seed, same samples (default: 0)', whole('seed', 0, Number.MAX_SAFE_INTEGER))
    .option(
      '--max-tokens <n>',
      'most tokens of a chain (default: 1024, or what fits)',
      whole('max-tokens', 1, 0x7fffffff),
    )
    .addOption(
      new Option(
        '--stop-rule <rule>',
        'when enough chains have been heard (default: exact; beta from 20 samples)',
      ).choices(['exact', 'beta', 'esc', 'none']),
    )
    .option('--min-agreement <m>', 'chains that must agree (default: four fifths)', whole('min-agreement', 1, 256))
    .addOption(
      new Option('--shuffle <how>', 'show each chain the options in another order (default: none)').choices(shuffles),
    )
    .addOption(new Option('--weighting <how>', 'let sure chains count for more (default: none)').choices(weightings))
    .addOption(
      new Option('--debias <how>', 'for top-token (default: none)').choices(['none', 'permutations', 'contextual']),
    )
    .option('--no-reask', 'do not ask a chain again that named no answer')
    .option('--width <n>', 'chains at once (default: 4 on a CPU, else all)', whole('width', 1, 256))
    .option('--deadline <s>', 'seconds after which the vote closes with what there is', decimal('deadline', 0.001, 1e6))
    .option('--record <file>', 'write the evidence, for `meditron replay`')
    .option('--json', 'print one JSON object when all is done')
    .addHelpText('after', help);
  addPromptFlags(command);
  addModelFlags(command);
  addEngineFlags(command);
  return command.action(askQuestion);
}

const help = `
top-token compares the options from one reading of the question; cot is one chain of thought; sc-cot is several, and a vote;
ranked asks for lists of diagnoses and merges them; free shows the text. Text is unverified until the vote closes. Ctrl-C shows
the vote so far and ends with code 130.

Examples:
  meditron ask -m meditron-7b.Q4_K_M.gguf question.json --record record.json
  meditron ask -m meditron-7b.Q4_K_M.gguf --mode ranked "A 54-year-old man has had chest pain and fever for two days."
  printf 'Which vitamin prevents scurvy?\\nA. Vitamin A\\nB. Vitamin C\\n' | meditron ask -m model.gguf --format raw --json`;

async function askQuestion(words: readonly string[], flags: AskFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const question = await questionFrom(words, signal);
  await using model = await load(flags, signal);
  const options = optionsOf(flags);
  const hash = flags.json === true || flags.record !== undefined;
  const answer = await askWatched(model, question, { ...options, hash }, engineOf(flags), {
    watching: flags.json !== true && process.stdout.isTTY,
    signal,
  });
  if (flags.record !== undefined) await save(flags.record, answer);
  if (flags.json) printJson(answer);
  else {
    for (const warning of answer.warnings) warn(warning);
    print(answerScreen(question, answer, process.stdout));
  }
  if (signal.aborted && answer.votes.notRun > 0) throw signal.reason;
}

/** The options of ask() among a command's flags. */
export function optionsOf(flags: Omit<AskFlags, keyof ModelFlags | keyof EngineFlags>): AskOptions {
  const { mode, protocol, format, task, instruction, system, shots, items, bos } = flags;
  const { samples, temperature, topP, topK, seed, maxTokens, minAgreement, shuffle, weighting, debias, width } = flags;
  return {
    ...{ mode, protocol, format, task, instruction, system, shots, items, bos },
    ...{ samples, temperature, topP, topK, seed, maxTokens, minAgreement, shuffle, weighting, debias, width },
    stop: flags.stopRule,
    reask: flags.reask === false ? false : undefined,
    deadline: flags.deadline === undefined ? undefined : flags.deadline * 1000,
  };
}

async function save(path: string, { evidence }: Answer): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(evidence, null, 1)}\n`, { mode: 0o600 }); // it holds what was asked
  } catch (cause) {
    throw new MeditronError('ERR_OUTPUT', `The record could not be written: ${(cause as Error).message}`, { cause });
  }
}
