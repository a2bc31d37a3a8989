import { Command, Option } from 'commander';
import { publishedFacts } from '../../ask/choice.js';
import { MeditronError } from '../../check/errors.js';
import { type Kind, whole } from '../../check/kinds.js';
import { engineOptions } from '../../check/machine.js';
import { samplingNumbers } from '../../check/sampling.js';
import { samplesNeed } from '../../engine/capacity/need.js';
import type { Engine } from '../../engine/engine.js';
import { type BosRule, checkGenerate, type GenerateOptions } from '../../engine/jobs/options.js';
import type { SamplingOptions } from '../../engine/jobs/sampling.js';
import type { Model } from '../../engine/model.js';
import type { EngineSettings } from '../../engine/settings.js';
import { beyondTraining } from '../../models/trained.js';
import { addFlags, addModelFlags, bosOption, flag, optionsOf } from '../flags.js';
import { readText, type TextFlags, textFrom } from '../input.js';
import { load, type ModelFlags } from '../load.js';
import { generate, type Outcome } from '../samples.js';
import { displayFor } from '../terminal/display.js';
import { interrupts } from '../terminal/interrupt.js';
import { printJson, say } from '../terminal/output.js';
import { silent } from '../terminal/streams.js';
import { warn } from '../terminal/warning.js';
import { sayTimings, tenth, timingsOption } from '../timings.js';

interface RunFlags extends ModelFlags, TextFlags {
  readonly samples: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly stop?: readonly string[];
  readonly grammar?: string;
  readonly logprobs?: boolean;
  readonly bos: BosRule;
  readonly special?: boolean;
  readonly ignoreEnd?: boolean;
  readonly json?: boolean;
  readonly timings?: boolean;
}

/** A flag that is repeated; its texts are checked with the rest. */
const stopTexts: Kind<readonly string[]> = { check: (_, value) => value as string[], read: typed => [typed] };

export function run(): Command {
  const command = new Command('run')
    .description('Continues a text as it stands, without any prompt format: raw completion, streamed.')
    .addOption(
      new Option('-p, --prompt <text>', 'the text to continue (default: standard input); may be empty').conflicts(
        'file',
      ),
    )
    .option('-f, --file <file>', 'read the text from a file; one line break at its end is dropped')
    .addOption(
      flag('-n, --samples <n>', 'how many continuations; the prompt is evaluated once for all', whole(1, 256)).default(
        1,
      ),
    )
    .addOption(flag('--seed <n>', 'same seed, same samples', whole(0, Number.MAX_SAFE_INTEGER)).default(0))
    .addOption(flag('--max-tokens <n>', 'most tokens a sample may have', whole(1, 0x7fffffff)).default(256))
    .addOption(flag('--stop <text>', 'end a sample at this text, which is left out; may be repeated', stopTexts))
    .option('--grammar <file>', 'a GBNF grammar that the text must follow')
    .option('--logprobs', 'with --json: the log-probability of every token')
    .addOption(bosOption())
    .option('--special', 'let the prompt spell special tokens, as <s>; otherwise they are ordinary text')
    .option('--ignore-end', 'go on past end tokens; for measurements')
    .option('--json', 'print one JSON object when all is done')
    .addOption(timingsOption())
    .addHelpText('after', help);
  addFlags(command, samplingNumbers);
  addModelFlags(command);
  addFlags(command, engineOptions);
  return command.action(complete);
}

const help = `
The temperature is 0 for one sample and 0.8 for several, unless given. Several samples are shown live on a terminal, and as
lines that begin with [1], [2], … elsewhere. Ctrl-C prints what there is and ends with code 130. With --json errors are one line
{"error":{"code","message"}} on stderr, and samples that were interrupted have "finish":"cancelled" and "tokens":null.

Examples:
  meditron run -p "Once upon a time" --max-tokens 100
  meditron run -m model.gguf -p "Aspirin is" --samples 5 --seed 7 --json
  cat notes.txt | meditron run --temperature 0.7 --stop "###"`;

async function complete(flags: RunFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const start = performance.now();
  const text = await textFrom(flags, '-p TEXT', signal);
  const options = await optionsFrom(flags, signal);
  const { samplers } = checkGenerate({ ...options, prompt: text }); // before a model is loaded for nothing

  await using loaded = await load(flags, signal);
  const { outcome, promptTokens, settings, warnings, contextMs } = await loaded.attempt(
    model => generateOn(model, text, options, flags, signal),
    signal,
  );
  const timings = { loadMs: tenth(loaded.loadMs + contextMs), ...outcome.timings };
  if (flags.json) {
    printJson({
      model: flags.model,
      samples: outcome.samples.map((sample, index) => ({ ...sample, seed: samplers[index]!.seed })),
      promptTokens,
      sampledTokens: timings.sampledTokens,
      timings: { ...timings, totalMs: tenth(performance.now() - start) },
      seed: flags.seed,
      temperature: samplers[0]!.temperature,
      threads: settings.threads,
      contextSize: settings.contextSize,
      warnings: [...loaded.warnings, ...warnings],
    });
  } else if (process.stderr.isTTY) {
    say('');
    say(summaryOf(outcome, promptTokens));
  }
  if (flags.timings && !flags.json) sayTimings(timings);
  if (outcome.interrupted) throw outcome.interrupted;
}

interface Generated {
  readonly outcome: Outcome;
  readonly promptTokens: number;
  readonly settings: EngineSettings;
  readonly warnings: readonly string[];
  /** Milliseconds until the engine was made. */
  readonly contextMs: number;
}

async function generateOn(
  model: Model,
  text: string,
  options: Options,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<Generated> {
  const prompt = await model.tokenize([{ text, template: flags.special ?? false }], {
    bos: flags.bos,
    maxTokens: model.info.contextLength ?? undefined,
    signal,
  });
  if (prompt.length === 0) {
    throw new MeditronError(
      'ERR_OPTION',
      'The prompt has no tokens, and this model begins texts with none: give a text, or --bos always',
    );
  }
  checkLength(model, prompt.length, flags.maxTokens);
  const need = samplesNeed(prompt.length, flags.samples, flags.maxTokens);
  const given = optionsOf(engineOptions, flags);
  const start = performance.now();
  await using engine = await model.createEngine({
    ...given,
    contextSize: given.contextSize ?? Math.min(need.cells, 1 << 24),
    maxSequences: flags.samples,
  });
  const contextMs = performance.now() - start;
  const facts = await publishedFacts(model);
  const warnings = [
    ...warningsOf(engine, options),
    ...beyondTraining(facts, 'The text', prompt.length, flags.maxTokens),
  ];
  if (!flags.json) for (const warning of warnings) warn(warning);

  const streams = flags.json ? silent : displayFor(flags.samples);
  let outcome: Outcome;
  try {
    outcome = await generate(engine, { ...options, prompt, signal }, streams);
  } finally {
    streams.close();
  }
  return { outcome, promptTokens: prompt.length, settings: engine.settings, warnings, contextMs };
}

type Options = Omit<GenerateOptions, 'prompt'> & { readonly samplers: readonly SamplingOptions[] };

async function optionsFrom(flags: RunFlags, signal: AbortSignal): Promise<Options> {
  if (flags.logprobs && !flags.json)
    throw new MeditronError('ERR_OPTION', 'Expected --json with --logprobs: there is no other place to show them');
  const grammar = flags.grammar === undefined ? undefined : await readText(flags.grammar, signal);
  const temperature = flags.samples > 1 ? 0.8 : 0;
  const sampler = { temperature, ...optionsOf(samplingNumbers, flags), grammar };
  return {
    samplers: Array.from({ length: flags.samples }, () => sampler),
    seed: flags.seed,
    maxTokens: flags.maxTokens,
    stop: flags.stop ?? [],
    logprobs: flags.logprobs ?? false,
    ignoreEnd: flags.ignoreEnd ?? false,
  };
}

/** Before a cache is made that could not be used. */
function checkLength(model: Model, promptTokens: number, maxTokens: number): void {
  const trained = model.info.contextLength;
  if (trained === null || promptTokens + maxTokens <= trained) return;
  throw new MeditronError(
    'ERR_CONTEXT_FULL',
    `The text has ${promptTokens} tokens and --max-tokens allows ${maxTokens} more, ${promptTokens + maxTokens} in all; this model was ` +
      `trained for ${trained}. Shorten the text or lower --max-tokens; nothing is cut silently.`,
  );
}

function warningsOf(engine: Engine, { samplers }: Options): string[] {
  const warnings = [...engine.settings.warnings];
  if (samplers.length > 1 && samplers[0]!.temperature === 0) warnings.push('At temperature 0 all samples are the same');
  return warnings;
}

function summaryOf(outcome: Outcome, promptTokens: number): string {
  const { samples, timings } = outcome;
  const { sampledTokens, generateMs, tokensPerSecond } = timings;
  const cut = samples.filter(sample => sample.finish === 'length').length;
  const speed = tokensPerSecond === null ? '' : ` in ${(generateMs / 1000).toFixed(1)} s (${tokensPerSecond} tokens/s)`;
  const note =
    cut === 0 ? '' : samples.length === 1 ? '; cut off at the token limit' : `; ${cut} cut off at the token limit`;
  return `${promptTokens} prompt tokens, ${sampledTokens} new ones${speed}${note}`;
}
