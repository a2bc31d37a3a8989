import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { optionError } from '../check/errors.js';
import { integer, number } from '../check/options.js';
import { packageFolder } from '../check/project.js';
import type { SamplingOptions } from '../engine/jobs/sampling.js';
import type { EngineOptions, LoadOptions } from '../engine/model.js';

/** What every command that loads a model takes. */
export interface ModelFlags {
  readonly model: string;
  readonly gpuLayers?: LoadOptions['gpuLayers'];
  readonly load?: LoadOptions['loadMode'];
}

export interface EngineFlags {
  readonly threads?: number;
  readonly ctx?: number;
  readonly batch?: number;
  readonly kvType?: EngineOptions['kvType'];
  readonly flashAttention?: EngineOptions['flashAttention'];
  readonly lora?: readonly { readonly path: string; readonly scale: number }[];
}

export interface SamplingFlags {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repeatPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
}

export function addModelFlags(command: Command): Command {
  return command
    .addOption(modelOption())
    .option('--gpu-layers <n|auto>', 'layers to put on the GPU; 0 is the CPU alone (default: auto)', layers)
    .addOption(
      new Option(
        '--load <mode>',
        'how weights come into memory: read (fastest kernels), mmap (may exceed memory)',
      ).choices(['auto', 'read', 'mmap']),
    );
}

/** The model that ships with the project, used where none is named. */
export function defaultModel(): string {
  return join(packageFolder(), 'models', 'meditron-mini.gguf');
}

/** Which model: of every command that needs one. */
export function modelOption(): Option {
  return new Option('-m, --model <file>', 'GGUF file; of a split model the first part').default(
    defaultModel(),
    'the one in models/',
  );
}

export function addEngineFlags(command: Command): Command {
  return command
    .option(
      '--threads <n>',
      'compute threads; never more than the cores there are (default: all)',
      whole('threads', 1, 4096),
    )
    .option(
      '--ctx <n>',
      'tokens in the context, of all samples together (default: as many as are needed)',
      whole('ctx', 1, 1 << 24),
    )
    .option('--batch <n>', 'prompt tokens evaluated in one step', whole('batch', 1, 8192))
    .addOption(
      new Option('--kv-type <type>', 'type of the key-value cache (default: f16; q8_0 halves it)').choices([
        'f16',
        'q8_0',
        'f32',
      ]),
    )
    .addOption(new Option('--flash-attention <when>', 'default: auto').choices(['auto', 'on', 'off']))
    .option('--lora <file[=scale]>', 'LoRA adapter and its strength; may be repeated', adapter);
}

export function addSamplingFlags(command: Command): Command {
  return command
    .option('-t, --temperature <t>', '0 always takes the most probable token', decimal('temperature', 0, 100))
    .option('--top-k <k>', 'keep the k most probable tokens; 0 keeps all (default: 0)', whole('top-k', 0, 0x7fffffff))
    .option(
      '--top-p <p>',
      'keep the tokens that make up this probability (default: 1, all)',
      decimal('top-p', Number.MIN_VALUE, 1),
    )
    .option('--min-p <p>', 'keep tokens this probable, relative to the best (default: 0, all)', decimal('min-p', 0, 1))
    .option(
      '--repeat-penalty <x>',
      'divides the logits of tokens already generated (default: 1)',
      decimal('repeat-penalty', 0.01, 100),
    )
    .option(
      '--frequency-penalty <x>',
      'subtracted for each time a token was generated (default: 0)',
      decimal('frequency-penalty', -100, 100),
    )
    .option(
      '--presence-penalty <x>',
      'subtracted once a token was generated (default: 0)',
      decimal('presence-penalty', -100, 100),
    );
}

/** The sampling options among a command's flags. */
export function samplingOf(flags: SamplingFlags, temperature: number): SamplingOptions {
  const { topK, topP, minP, repeatPenalty, frequencyPenalty, presencePenalty } = flags;
  return {
    temperature: flags.temperature ?? temperature,
    topK,
    topP,
    minP,
    repeatPenalty,
    frequencyPenalty,
    presencePenalty,
  };
}

/** The engine options among a command's flags. */
export function engineOf(flags: EngineFlags): EngineOptions {
  const { threads, batch, kvType, flashAttention, lora } = flags;
  return { threads, contextSize: flags.ctx, batchSize: batch, kvType, flashAttention, loras: lora };
}

/** Parser of a whole number; `NaN`, `1e99`, `0x10` and an empty text are refused. */
export function whole(name: string, min: number, max: number): (text: string) => number {
  return text => integer(`--${name}`, asNumber(text), min, max);
}

/** Parser of a number. */
export function decimal(name: string, min: number, max: number): (text: string) => number {
  return text => number(`--${name}`, asNumber(text), min, max);
}

/** Parser of an option that may be repeated. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Messages of the library name its options; the user typed flags. */
export function inFlags(message: string): string {
  const told = message.replaceAll('Open the engine with a larger', 'Give a larger');
  return told.replace(/`(?:samplers\[\d+\]\.)?([a-zA-Z]+)`/g, (whole, option) => {
    const flag = flagOf[option];
    return flag ? `\`${flag}\`` : whole;
  });
}

const flagOf: Readonly<Record<string, string | undefined>> = {
  temperature: '--temperature',
  topK: '--top-k',
  topP: '--top-p',
  minP: '--min-p',
  repeatPenalty: '--repeat-penalty',
  frequencyPenalty: '--frequency-penalty',
  presencePenalty: '--presence-penalty',
  grammar: '--grammar',
  seed: '--seed',
  stop: '--stop',
  maxTokens: '--max-tokens',
  maxSequences: '--samples',
  contextSize: '--ctx',
  batchSize: '--batch',
  threads: '--threads',
  kvType: '--kv-type',
  flashAttention: '--flash-attention',
  ignoreEnd: '--ignore-end',
  gpuLayers: '--gpu-layers',
  loadMode: '--load',
  format: '--format',
  samples: '--samples',
  minAgreement: '--min-agreement',
  width: '--width',
  debias: '--debias',
  shuffle: '--shuffle',
};

function asNumber(text: string): unknown {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function layers(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const value = asNumber(text);
  if (typeof value !== 'number') throw optionError('--gpu-layers', 'a number of layers or auto', text);
  return integer('--gpu-layers', value, 0, 10_000);
}

function adapter(text: string, before: EngineFlags['lora'] = []): EngineFlags['lora'] {
  const at = text.lastIndexOf('=');
  const scale = at < 0 ? undefined : asNumber(text.slice(at + 1));
  if (typeof scale !== 'number') return [...before, { path: text, scale: 1 }];
  return [...before, { path: text.slice(0, at), scale: number('--lora', scale, -100, 100) }];
}
