import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { packageVersion } from '../check/project.js';
import type { EngineSettings } from '../engine/settings.js';
import type { FileHash } from '../models/identity.js';
import type { AddonBuild } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import type { Question } from '../prompt/question/question.js';
import { textOf } from '../prompt/segment.js';
import type { AnswerSample } from './answer.js';
import type { Conclusion } from './conclude.js';
import { type StoredAsk, storedAsk } from './options.js';
import type { Plan, Prepared } from './prepare.js';
import type { AskEngine } from './surface.js';

export const evidenceSchema = 'meditron.evidence.v1';

/** What a prompt was, in the order it was sent. */
export interface PromptRecord {
  readonly order: readonly number[] | null;
  readonly tokens: readonly number[];
  /** Of the token ids, as 32-bit little-endian integers. */
  readonly sha256: string;
  /** Of its text as the model sees it, UTF-8. */
  readonly textSha256: string;
}

/** All that is needed to run an answer again, and to tell whether it comes out the same. Plain data. */
export interface Evidence {
  readonly schema: typeof evidenceSchema;
  readonly meditron: string;
  readonly created: string;
  readonly model: {
    readonly path: string;
    readonly file: string;
    readonly sizeBytes: number;
    /** Of every part; null if it was not asked for, or was not ready when the time was up. */
    readonly files: readonly FileHash[] | null;
    readonly sha256: string | null;
    readonly name: string | null;
    readonly architecture: string | null;
    readonly quantization: string;
    readonly loadMode: 'read' | 'mmap';
    readonly gpuLayers: number;
  };
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly node: string;
    readonly devices: readonly { readonly name: string; readonly description: string; readonly backend: string }[];
    /** The CPU kernels in use, as `libggml-cpu-haswell.so`. */
    readonly cpuVariant: string | null;
  };
  readonly llama: AddonBuild | null;
  /** Context, batch, threads, cache type, flash attention: all of it can change floating point results. */
  readonly engine: EngineSettings & {
    /** True if nothing had run on the engine before: only then is its cache laid out as in a replay. */
    readonly fresh: boolean;
  };
  readonly question: Question;
  readonly questionSha256: string;
  readonly format: {
    readonly name: string;
    readonly by: 'caller' | 'hash' | 'vocabulary' | 'name';
    readonly source: string;
  };
  /** The options with their defaults filled in; a replay asks with these. */
  readonly asked: StoredAsk;
  readonly plan: Plan;
  readonly seeds: readonly number[];
  readonly prompts: readonly PromptRecord[];
  readonly samples: readonly Pick<
    AnswerSample,
    'index' | 'seed' | 'text' | 'answer' | 'rule' | 'forced' | 'finish' | 'tokens' | 'logprob'
  >[];
  /** Prompt and sampled tokens of the engine meanwhile, those of cancelled samples and of other jobs included. */
  readonly cost: { readonly promptTokens: number; readonly sampledTokens: number; readonly milliseconds: number };
  readonly result: Pick<Conclusion, 'answer' | 'decision' | 'reason' | 'votes'> & {
    readonly stoppedBy: string;
    readonly tie: boolean;
    readonly scores: Readonly<Record<string, number>> | null;
  };
}

export interface Measured {
  readonly fresh: boolean;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  readonly milliseconds: number;
}

export function evidenceOf(
  engine: AskEngine,
  prepared: Prepared,
  conclusion: Conclusion,
  scores: Readonly<Record<string, { readonly logprob: number }>> | null,
  files: readonly FileHash[] | null,
  { fresh, promptTokens, sampledTokens, milliseconds }: Measured,
): Evidence {
  const { info } = engine.model;
  const { ask, question, chosen, plan, seeds, variants } = prepared;
  const addon = addonInUse();
  return {
    schema: evidenceSchema,
    meditron: packageVersion(),
    created: new Date().toISOString(),
    model: {
      path: info.path,
      file: basename(info.path),
      sizeBytes: info.sizeBytes,
      files,
      sha256: files?.length === 1 ? files[0]!.sha256 : files ? combined(files) : null,
      name: info.name,
      architecture: info.architecture,
      quantization: info.quantization.name,
      loadMode: info.loadMode,
      gpuLayers: info.gpuLayers,
    },
    machine: {
      platform: process.platform,
      arch: process.arch,
      node: process.version,
      devices: info.devices.map(({ name, description, backend }) => ({ name, description, backend })),
      cpuVariant: addon?.cpuVariant ?? null,
    },
    llama: addon?.build ?? null,
    engine: { ...engine.settings, fresh },
    question,
    questionSha256: sha256(JSON.stringify(question)),
    format: {
      name: chosen.format.name,
      by: chosen.choice?.by ?? 'caller',
      source: chosen.choice?.source ?? chosen.format.source,
    },
    asked: {
      ...storedAsk(ask),
      format: chosen.format.name,
      maxTokens: plan.maxTokens,
      width: plan.waves[0]!,
      prompt: {
        ...ask.prompt,
        ...(variants[0]!.prompt.task && question.kind !== 'chat' && { task: variants[0]!.prompt.task }),
        ...shotsOf(prepared),
      },
    },
    plan,
    seeds,
    prompts: variants.map(({ order, tokens, prompt }) => ({
      order,
      tokens: Array.from(tokens),
      sha256: tokenHash(tokens),
      textSha256: sha256(textOf(prompt.segments)),
    })),
    samples: conclusion.samples.map(({ index, seed, text, answer, rule, forced, finish, tokens, logprob }) => ({
      index,
      seed,
      text,
      answer,
      rule,
      forced,
      finish,
      tokens,
      logprob,
    })),
    cost: { promptTokens, sampledTokens, milliseconds },
    result: {
      answer: conclusion.answer,
      decision: conclusion.decision,
      reason: conclusion.reason,
      votes: conclusion.votes,
      stoppedBy: conclusion.vote?.stoppedBy ?? 'none',
      tie: conclusion.vote?.tie ?? false,
      scores: scores && Object.fromEntries(Object.entries(scores).map(([answer, { logprob }]) => [answer, logprob])),
    },
  };
}

/** SHA-256 of token ids as 32-bit little-endian integers. */
export function tokenHash(tokens: ArrayLike<number>): string {
  const bytes = Buffer.alloc(tokens.length * 4);
  for (let i = 0; i < tokens.length; i++) bytes.writeInt32LE(tokens[i]!, i * 4);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Of a model in several files: the hash of their hashes, one a line. */
function combined(files: readonly FileHash[]): string {
  return sha256(files.map(file => `${file.sha256}\n`).join(''));
}

/** How many examples a known model is shown is part of what a replay has to be told. */
function shotsOf({ ask, chosen: { format, choice } }: Prepared): { shots?: number } {
  return format.name === 'few-shot' && choice && ask.prompt.shots === undefined ? { shots: choice.shots } : {};
}

function addonInUse(): { build: AddonBuild; cpuVariant: string } | undefined {
  try {
    const { addon, cpuVariant } = loadAddon();
    return { build: { ...addon.build }, cpuVariant };
  } catch {
    return undefined; // an engine that is not ours
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
