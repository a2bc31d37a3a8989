import { type Command, Option } from 'commander';
import { type Weighting, weightings } from '../ask/options.js';
import { oneOf } from '../check/options.js';
import { type EvaluatedMode, evaluatedModes } from '../evaluate/run/runs.js';
import { authorSeeds } from '../evaluate/tasks/demonstrations.js';
import { type TaskName, taskNames } from '../evaluate/tasks/task.js';
import { type FormatName, formatNames, type Protocol, protocols } from '../prompt/format/format.js';
import { formatNameOf } from '../prompt/format/formats.js';
import type { StopRuleName } from '../vote/count/stopping.js';
import { decimal, type EngineFlags, type ModelFlags, whole } from './flags.js';

/** What `meditron eval` takes: what to measure, where to keep it, and what to read again. */
export interface EvalFlags extends ModelFlags, EngineFlags {
  readonly task?: TaskName;
  readonly file?: string;
  readonly data: string;
  readonly mode?: readonly EvaluatedMode[];
  readonly protocol?: Protocol;
  readonly samples?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly maxTokens?: number;
  readonly stopRule?: StopRuleName;
  readonly weighting?: Weighting;
  readonly format?: FormatName;
  readonly shots?: number;
  readonly demoSeed?: readonly number[];
  readonly demos?: string;
  readonly limit?: number;
  readonly parallel?: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly rescore?: string;
  readonly compare?: string;
  readonly endpoint?: string;
  readonly endpointModel?: string;
  readonly apiKeyEnv?: string;
  readonly timeout: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly html?: string;
}

/** The benchmarks that are found under --data. */
export const benchmarks: readonly TaskName[] = taskNames.filter(name => name !== 'file');

export function addEvalFlags(command: Command): Command {
  return command
    .argument('[folder]', 'with --compare: the second folder')
    .addOption(new Option('--task <name>', 'benchmark, read from published files under --data').choices(benchmarks))
    .option('--file <file>', 'questions of your own: one JSON object a line, {"question", "options", "answer"}')
    .option('--data <dir>', 'where the published files are', 'data')
    .option('--mode <modes>', `one or more of ${evaluatedModes.join(', ')}, with commas (default: sc-cot)`, modesOf)
    .addOption(new Option('--protocol <name>', 'whose prompts, parser and count (default: strict)').choices(protocols))
    .option('-n, --samples <n>', 'chains of sc-cot (default: 5; 10 under authors-code)', whole('samples', 1, 256))
    .option(
      '-t, --temperature <t>',
      'of sc-cot (default: 0.8); a single chain is greedy',
      decimal('temperature', 0, 100),
    )
    .option(
      '--top-p <p>',
      'keep the tokens that make up this probability (default: 1, all)',
      decimal('top-p', Number.MIN_VALUE, 1),
    )
    .option('--top-k <k>', 'keep the k most probable tokens (default: 0, all)', whole('top-k', 0, 0x7fffffff))
    .option('--limit <n>', 'only the first n questions', whole('limit', 1, 1e9))
    .option(
      '--seed <n>',
      'every sample has its own, made of this, the question and its number (default: 0)',
      whole('seed', 0, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--max-tokens <n>',
      'most tokens of a chain (default: 1024, or what fits)',
      whole('max-tokens', 1, 0x7fffffff),
    )
    .option(
      '--format <name>',
      `prompt format: ${formatNames.join(', ')} (default: the one known for the model)`,
      formatNameOf,
    )
    .option(
      '--shots <k>',
      'demonstrations from the training part (default: what suits the model); 0 for none',
      whole('shots', 0, 32),
    )
    .option(
      '--demo-seed <s...>',
      `draws them, a run for each; "authors" for ${authorSeeds.join(' ')} (default: 1234)`,
      demoSeeds,
    )
    .option('--demos <file>', 'draw them from this file instead')
    .addOption(
      new Option('--stop-rule <rule>', 'close votes early (default: none; every rule can be replayed later)').choices([
        'none',
        'exact',
        'beta',
        'esc',
      ]),
    )
    .addOption(new Option('--weighting <how>', 'let sure chains count for more (default: none)').choices(weightings))
    .option(
      '--parallel <n>',
      'questions in flight at once (default: what fills a batch and fits in memory)',
      whole('parallel', 1, 256),
    )
    .option('--out <dir>', 'folder for results.jsonl, report.html and report.json')
    .option('--resume', 'go on with the results in --out')
    .option(
      '--rescore <dir>',
      'read and count stored samples anew, under --protocol, --stop-rule, --samples or --weighting',
    )
    .option('--compare <dir>', 'compare the results of two folders, question by question')
    .option('--endpoint <url>', 'evaluate an OpenAI-compatible server instead, as http://127.0.0.1:8080/v1')
    .option('--endpoint-model <name>', 'the model there (default: its only one)')
    .option('--api-key-env <name>', 'environment variable that holds the key')
    .option('--concurrency <n>', 'requests to the endpoint at once (default: 16)', whole('concurrency', 1, 1024))
    .option('--timeout <seconds>', 'of one request to the endpoint', whole('timeout', 1, 86_400), 600)
    .option('--json', 'print the metrics as one JSON object')
    .option('--html <file>', 'write the report there too');
}

function modesOf(text: string): EvaluatedMode[] {
  return text.split(',').map(mode => oneOf('--mode', mode.trim(), evaluatedModes));
}

function demoSeeds(text: string, before: readonly number[] | undefined): readonly number[] {
  if (text === 'authors') return [...(before ?? []), ...authorSeeds];
  return [...(before ?? []), whole('demo-seed', 0, 2 ** 32 - 1)(text)];
}
