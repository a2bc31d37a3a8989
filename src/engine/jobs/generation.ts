import { TextDecoder } from 'node:util';
import type { NativeBranch } from '../../native/addon.js';
import type { Finish } from '../../types.js';
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
  /** The stop string that was found. */
  readonly stop: string | undefined;
  /** The sample's sequence, if `hold` was set. */
  readonly held: Held | undefined;
}

interface Sample {
  readonly decoder: TextDecoder;
  readonly stops: StopFinder;
  readonly tokens: number[];
  readonly logprobs: number[];
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
  #ended = 0;
  #left = false;

  constructor(
    readonly work: Work,
    prompt: Int32Array,
    start: Start,
  ) {
    const cells = new Array<number>(work.samplers.length).fill(work.maxTokens);
    super(prompt, start, cells, work.hold);
    this.#samples = work.samplers.map(() => ({
      decoder: new TextDecoder(),
      stops: new StopFinder(work.stop),
      tokens: [],
      logprobs: [],
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
      forced: new Int32Array(0),
      logprobs: this.work.logprobs,
      ends: this.work.ends ? Int32Array.from(this.work.ends) : null,
      stops: this.work.stop,
      stopTokens: Int32Array.from(this.work.stopTokens),
      hold: this.work.hold,
      sampler: nativeSampler(sampling),
    }));
  }

  override sampled(index: number): number {
    return this.#samples[index]!.tokens.length;
  }

  override advance(left: number): void {
    super.advance(left);
    this.#push({ type: 'prompt', done: this.prompt.length - left, total: this.prompt.length });
  }

  override token(index: number, token: number, logprob: number, bytes: Uint8Array): 'stop' | 'end' | undefined {
    const sample = this.#samples[index]!;
    if (sample.ended) return undefined; // cancelled while the step was running
    sample.tokens.push(token);
    if (this.work.stopTokens.includes(token)) {
      sample.endToken = true;
      if (this.work.logprobs) sample.logprobs.push(logprob);
      return 'end';
    }
    sample.bytes += bytes.length;
    sample.byteEnds.push(sample.bytes);
    if (this.work.logprobs) sample.logprobs.push(logprob);
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

  #show(index: number, text: string): void {
    if (text === '') return;
    this.#samples[index]!.text += text;
    this.#push({ type: 'text', sample: index, text });
  }

  #push(event: GenerateEvent): void {
    this.#queue.push(event);
    this.wake();
  }
}

function textTokens(sample: Sample, finish: Finish): number {
  if (finish === 'end') return sample.tokens.length - 1;
  if (finish !== 'stop') return sample.tokens.length;
  const textBytes = Buffer.byteLength(sample.text);
  return sample.byteEnds.filter(end => end <= textBytes).length;
}
