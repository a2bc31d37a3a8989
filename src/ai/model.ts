import { randomBytes } from 'node:crypto';
import { MeditronError } from '../check/errors.js';
import { checkKeys, integer, object, string } from '../check/options.js';
import type { Engine } from '../engine/engine.js';
import type { EngineOptions, Model } from '../engine/model.js';
import { type LoadOptions, loadModel } from '../host/load.js';
import { modelName } from '../models/names.js';
import type { FormatName } from '../prompt/format/format.js';
import { formatNameOf } from '../prompt/format/formats.js';
import { type Call, callOf, type Part } from './call.js';
import { generated } from './generate.js';
import type { CallOptions, CallResult, ResponseMetadata, StreamPart, StreamResult } from './types.js';
import { countable, voted } from './vote.js';

/** How a model is loaded, and how it answers. Everything of `loadModel`, and: */
export interface MeditronOptions extends LoadOptions {
  /** How its engine is made. Default: four sequences, or as many as samples are counted. */
  readonly engine?: EngineOptions | undefined;
  /** The prompt format. Default: the one known for the model. */
  readonly format?: FormatName | undefined;
  /**
   * How many chains of thought answer a question with given answers (a last message that lists options, or asks for yes, no or maybe). Their votes
   * come in `providerMetadata.meditron`. Default 1: one answer, nothing counted. A call may say otherwise in
   * `providerOptions.meditron.selfConsistency`.
   */
  readonly selfConsistency?: number | undefined;
}

/** A language model of the AI SDK (`LanguageModelV4`) that runs in this program: no server, nothing leaves the machine. */
export interface MeditronModel extends AsyncDisposable {
  /** Of the AI SDK's interface. */
  readonly specificationVersion: 'v4';
  /** `meditron`. */
  readonly provider: string;
  /** The file's name without `.gguf`. */
  readonly modelId: string;
  /** None: files are not read. */
  readonly supportedUrls: Record<string, RegExp[]>;
  /** Answers at once; called by the AI SDK. */
  doGenerate(options: CallOptions): Promise<CallResult>;
  /** Answers as it is written; called by the AI SDK. */
  doStream(options: CallOptions): Promise<StreamResult>;
  /** Ends what runs and frees the model. Idempotent. */
  close(): Promise<void>;
}

/**
 * A model for the AI SDK: `generateText({ model: meditron({ path }), prompt })`. The file is loaded at the first call, once. Close the model.
 *
 * @throws MeditronError `ERR_OPTION`; calls throw what `loadModel`, `Model.createEngine`, `Engine.generate` and `ask` throw
 */
export function meditron(options: MeditronOptions): MeditronModel {
  return new LocalModel(options);
}

class LocalModel implements MeditronModel {
  readonly specificationVersion = 'v4';
  readonly provider = 'meditron';
  readonly modelId: string;
  readonly supportedUrls = {};
  readonly #load: LoadOptions;
  readonly #engineOptions: EngineOptions;
  readonly #defaults: { readonly format: FormatName | undefined; readonly selfConsistency: number };
  #loaded: Promise<Loaded> | undefined;
  #closed = false;

  constructor(options: MeditronOptions) {
    const {
      engine = {},
      format,
      selfConsistency = 1,
      ...load
    } = object('options', options) as unknown as MeditronOptions;
    string('path', load.path);
    const samples = integer('selfConsistency', selfConsistency, 1, 256);
    this.modelId = modelName(load.path);
    this.#load = load;
    this.#engineOptions = { maxSequences: Math.max(4, samples), ...(object('engine', engine) as EngineOptions) };
    this.#defaults = { format: format === undefined ? undefined : formatNameOf(format), selfConsistency: samples };
  }

  async doGenerate(options: CallOptions): Promise<CallResult> {
    const { call, parts } = await this.#begin(options, options.abortSignal);
    const result = { content: '', response: this.#response() };
    for await (const part of parts) {
      if (part.type === 'text') result.content += part.text;
      else {
        const { type: _, warnings, ...end } = part;
        const { content, response } = result;
        return {
          content: [{ type: 'text', text: content }],
          response,
          warnings: [...call.warnings, ...warnings],
          ...end,
        };
      }
    }
    throw new Error('A generation ended without an end'); // it throws, or ends
  }

  async doStream(options: CallOptions): Promise<StreamResult> {
    const left = new AbortController();
    const signals = options.abortSignal ? [left.signal, options.abortSignal] : [left.signal];
    const { call, parts } = await this.#begin(options, AbortSignal.any(signals));
    const events = streamParts(call, parts, this.#response());
    return {
      stream: new ReadableStream<StreamPart>({
        async pull(controller) {
          const { done, value } = await events.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel(reason) {
          left.abort(reason);
          await events.return();
        },
      }),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const loaded = await this.#loaded?.catch(() => undefined);
    await loaded?.engine.close();
    await loaded?.model.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(
    options: CallOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly call: Call; readonly parts: AsyncGenerator<Part, void, void> }> {
    const ours = this.#settings(options);
    const call = callOf(options, signal, ours.format);
    const question = ours.selfConsistency > 1 ? countable(call) : undefined;
    signal?.throwIfAborted();
    const { model, engine } = await this.#open();
    signal?.throwIfAborted();
    const parts = question ? voted(engine, question, call, ours.selfConsistency) : await generated(model, engine, call);
    return { call, parts };
  }

  #settings({ providerOptions }: CallOptions) {
    const given = object('providerOptions.meditron', providerOptions?.meditron ?? {});
    checkKeys('providerOptions.meditron', given, ['format', 'selfConsistency']);
    const { format = this.#defaults.format, selfConsistency = this.#defaults.selfConsistency } = given;
    return {
      format: format === undefined ? undefined : formatNameOf(format as string),
      selfConsistency: integer('selfConsistency', selfConsistency, 1, 256),
    };
  }

  #open(): Promise<Loaded> {
    if (this.#closed) throw new MeditronError('ERR_CLOSED', 'The model is closed');
    this.#loaded ??= this.#loadNow().catch(error => {
      this.#loaded = undefined; // the next call tries again
      throw error;
    });
    return this.#loaded;
  }

  async #loadNow(): Promise<Loaded> {
    const model = await loadModel(this.#load);
    try {
      return { model, engine: await model.createEngine(this.#engineOptions) };
    } catch (error) {
      await model.close();
      throw error;
    }
  }

  #response(): ResponseMetadata {
    return { id: `meditron-${randomBytes(12).toString('hex')}`, timestamp: new Date(), modelId: this.modelId };
  }
}

interface Loaded {
  readonly model: Model;
  readonly engine: Engine;
}

/** What fails behind the first part is told in the stream. */
async function* streamParts(
  call: Call,
  parts: AsyncGenerator<Part, void, void>,
  response: ResponseMetadata,
): AsyncGenerator<StreamPart, void, void> {
  yield { type: 'stream-start', warnings: [...call.warnings] };
  yield { type: 'response-metadata', ...response };
  const id = '0';
  let begun = false;
  try {
    for await (const part of parts) {
      if (!begun) yield { type: 'text-start', id };
      begun = true;
      if (part.type === 'text') yield { type: 'text-delta', id, delta: part.text };
      else {
        yield { type: 'text-end', id };
        const { warnings: _, ...end } = part;
        yield { ...end, type: 'finish' };
      }
    }
  } catch (error) {
    yield { type: 'error', error };
  }
}
