import { TextDecoder } from 'node:util';
import type { NativeBranch } from '../../native/addon.js';
import type { Finish, TokenLogprob } from '../../types.js';
import type { DirectHeld } from '../direct/held.js';
import type { Held } from '../held.js';
import { Job, type Start } from './job.js';
import type { Work } from './options.js';
import { nativeSampler } from './sampling.js';
import { StopFinder } from './stop.js';

/** Prompts are being evaluated. */
export interface PromptEvent {
  /** Prompts are being evaluated. */
  readonly type: 'prompt';
  /** Prompt tokens evaluated so far. */
  readonly done: number;
  /** Prompt tokens in all. */
  readonly total: number;
}

/** A sample has gone on. */
export interface TextEvent {
  /** A sample has gone on. */
  readonly type: 'text';
  /** Index of the sample. */
  readonly sample: number;
  /** What was added to its text: complete characters only, never part of a stop string. */
  readonly text: string;
  /** With `topLogprobs`: the tokens that lie wholly within the sample's text now and did not before. */
  readonly tokens?: readonly TextToken[] | undefined;
}

/** A sampled token, and the most probable ones in its place. */
export interface TextToken extends TokenLogprob {
  /** The most probable first. */
  readonly top: readonly TokenLogprob[];
}

/** What `Engine.generate` yields. */
export type GenerateEvent = PromptEvent | TextEvent | SampleEnd;

/** A sample has ended: why, and with what. */
export interface SampleEnd {
  /** A sample has ended. */
  readonly type: 'end';
  /** Index of the sample, as in `samplers`. */
  readonly sample: number;
  /** How it ended. */
  readonly finish: Finish;
  /** All text of the sample. */
  readonly text: string;
  /** Every sampled token, an end token and those of a stop string included. */
  readonly tokens: Int32Array;
  /** How many of them lie wholly within `text`. */
  readonly textTokens: number;
  /** Natural logarithms, one a token, if they were asked for. */
  readonly logprobs: Float32Array | undefined;
  /** With `topLogprobs`: the most probable tokens in place of each, the most probable first. */
  readonly top?: readonly (readonly TokenLogprob[])[] | undefined;
  /** With `promptLogprobs`: the tokens of the prompt. */
  readonly prompt?: PromptLogprobs | undefined;
  /** The stop string that was found. */
  readonly stop: string | undefined;
  /** The sample's sequence, if `hold` was set. */
  readonly held: Held | undefined;
}

/** What the model makes of the tokens of a prompt. */
export interface PromptLogprobs {
  /** All of them. */
  readonly tokens: Int32Array;
  /** Natural logarithms, of all but the first: `logprobs[i]` is of `tokens[i + 1]`. */
  readonly logprobs: Float32Array;
  /** With `topLogprobs`: the most probable tokens in place of each, as `logprobs`. */
  readonly top: readonly (readonly TokenLogprob[])[] | undefined;
}

interface Sample {
  readonly decoder: TextDecoder;
  readonly stops: StopFinder;
  readonly tokens: number[];
  readonly logprobs: number[];
  readonly top: (readonly TokenLogprob[])[];
  /** Bytes of `text`. */
  shown: number;
  /** Tokens that text events have told of. */
  told: number;
  /** Bytes sampled after each token. */
  readonly byteEnds: number[];
  bytes: number;
  text: string;
  stop: string | undefined;
  /** The last token is one of the job's own stop tokens. */
  endToken: boolean;
  ended: boolean;
}

/** A job that samples: bytes go in, text and ends come out. */
export class Generation extends Job {
  readonly #samples: Sample[];
  readonly #queue: GenerateEvent[] = [];
  readonly #promptTokens: Int32Array;
  /** Of the prompt's tokens that are scored, once they are. */
  readonly #promptLogprobs: number[] = [];
  readonly #promptTop: (readonly TokenLogprob[])[] = [];
  #ended = 0;
  #left = false;

  constructor(
    readonly work: Work,
    prompt: Int32Array,
    start: Start,
  ) {
    // What is scored is given to the one sample that there is; its first token has nothing before it.
    const given = work.promptLogprobs ? prompt.length - 1 : 0;
    const cells = new Array<number>(work.samplers.length).fill(given + work.maxTokens);
    super(prompt.subarray(0, prompt.length - given), start, cells, work.hold);
    this.#promptTokens = prompt;
    this.#samples = work.samplers.map(() => ({
      decoder: new TextDecoder(),
      stops: new StopFinder(work.stop),
      tokens: [],
      logprobs: [],
      top: [],
      shown: 0,
      told: 0,
      byteEnds: [],
      bytes: 0,
      text: '',
      stop: undefined,
      endToken: false,
      ended: false,
    }));
  }

  override branches(): NativeBranch[] {
    return this.work.samplers.map(sampling => ({
      maxTokens: this.work.maxTokens,
      forced: this.#promptTokens.subarray(this.prompt.length),
      logprobs: this.work.logprobs,
      topLogprobs: this.work.topLogprobs ?? 0,
      ends: this.work.ends ? Int32Array.from(this.work.ends) : null,
      stops: this.work.stop,
      stopTokens: Int32Array.from(this.work.stopTokens),
      hold: this.work.hold,
      sampler: nativeSampler(sampling),
    }));
  }

  override get given(): number {
    return this.#promptTokens.length - this.prompt.length;
  }

  override scores(): boolean {
    return this.#promptLogprobs.length < this.given;
  }

  override sampled(index: number): number {
    return this.#promptLogprobs.length + this.#samples[index]!.tokens.length;
  }

  override advance(left: number): void {
    super.advance(left);
    this.#push({ type: 'prompt', done: this.prompt.length - left, total: this.prompt.length });
  }

  override token(
    index: number,
    token: number,
    logprob: number,
    bytes: Uint8Array,
    top: readonly TokenLogprob[],
  ): 'stop' | 'end' | undefined {
    const sample = this.#samples[index]!;
    if (sample.ended) return undefined; // cancelled while the step was running
    if (this.scores()) {
      this.#promptLogprobs.push(logprob);
      this.#promptTop.push(top);
      return undefined;
    }
    sample.tokens.push(token);
    if (this.work.logprobs) sample.logprobs.push(logprob);
    if (this.work.topLogprobs !== undefined) sample.top.push(top);
    if (this.work.stopTokens.includes(token)) {
      sample.endToken = true;
      return 'end';
    }
    sample.bytes += bytes.length;
    sample.byteEnds.push(sample.bytes);
    const found = sample.stops.push(sample.decoder.decode(bytes, { stream: true }));
    this.#show(index, found.text);
    sample.stop = found.stop;
    return found.stop === undefined ? undefined : 'stop';
  }

  override end(index: number, finish: Finish, held: DirectHeld | undefined): void {
    const sample = this.#samples[index]!;
    if (sample.ended || this.#left) {
      held?.release();
      return;
    }
    sample.ended = true;
    this.#ended++;
    if (finish !== 'stop') {
      const rest = sample.stops.push(sample.decoder.decode());
      this.#show(index, rest.text + (rest.stop === undefined ? sample.stops.flush() : ''));
    }
    this.#push({
      type: 'end',
      sample: index,
      finish,
      text: sample.text,
      tokens: Int32Array.from(sample.tokens),
      textTokens: textTokens(sample, finish),
      logprobs: this.work.logprobs ? Float32Array.from(sample.logprobs) : undefined,
      ...(this.work.topLogprobs !== undefined && { top: sample.top }),
      ...(this.work.promptLogprobs && { prompt: this.#prompt() }),
      stop: sample.stop,
      held,
    });
  }

  /** What there is of unfinished samples is handed out before the error is. */
  override fail(error: unknown): void {
    for (const index of this.#samples.keys()) this.end(index, 'cancelled', undefined);
    super.fail(error);
  }

  async *events(): AsyncGenerator<GenerateEvent, void, void> {
    try {
      for (;;) {
        const event = this.#queue.shift();
        if (event) {
          yield event;
          continue;
        }
        this.throwIfFailed();
        if (this.#ended === this.#samples.length) return;
        await this.news();
      }
    } finally {
      // The consumer stopped reading: release the sequences of `end` events it never saw.
      this.#left = true;
      for (const event of this.#queue) if (event.type === 'end') event.held?.release();
    }
  }

  #prompt(): PromptLogprobs {
    return {
      tokens: this.#promptTokens,
      logprobs: Float32Array.from(this.#promptLogprobs),
      top: this.work.topLogprobs === undefined ? undefined : this.#promptTop,
    };
  }

  #show(index: number, text: string): void {
    if (text === '') return;
    const sample = this.#samples[index]!;
    sample.text += text;
    sample.shown += Buffer.byteLength(text);
    const tokens = this.work.topLogprobs === undefined ? undefined : this.#told(sample);
    this.#push({ type: 'text', sample: index, text, ...(tokens && { tokens }) });
  }

  /** Tokens that lie within the text by now. */
  #told(sample: Sample): TextToken[] {
    const from = sample.told;
    while (sample.told < sample.byteEnds.length && sample.byteEnds[sample.told]! <= sample.shown) sample.told++;
    return Array.from({ length: sample.told - from }, (_, i) => ({
      token: sample.tokens[from + i]!,
      logprob: sample.logprobs[from + i]!,
      top: sample.top[from + i]!,
    }));
  }

  #push(event: GenerateEvent): void {
    this.#queue.push(event);
    this.wake();
  }
}

function textTokens(sample: Sample, finish: Finish): number {
  if (finish === 'end') return sample.tokens.length - 1;
  if (finish !== 'stop') return sample.tokens.length;
  return sample.byteEnds.filter(end => end <= sample.shown).length;
}
