import { Feed } from '../../answerer/feed.js';
import { MeditronError } from '../../check/errors.js';
import type { Engine } from '../../engine/engine.js';
import type { GenerateEvent, SampleEnd, TextEvent } from '../../engine/jobs/generation.js';
import type { GenerateOptions } from '../../engine/jobs/options.js';

/** What happens to a choice: the samples of all prompts are counted through. */
export type ChoiceEvent =
  | { readonly type: 'begun' }
  | (Omit<TextEvent, 'sample'> & { readonly index: number })
  | (Omit<SampleEnd, 'sample'> & { readonly index: number });

export type SamplesOptions = Omit<GenerateOptions, 'prompt' | 'signal' | 'lease' | 'promptLogprobs'>;

/**
 * The samples of all prompts, in one batch as far as the engine has room; each prompt is evaluated once. Prompts come into the engine's line as others
 * end, so that nobody else stands behind all of them. The first event says that nothing was refused. Leaving ends all of them.
 */
export async function* samplesOf(
  engine: Engine,
  prompts: readonly Int32Array[],
  options: SamplesOptions,
  signal: AbortSignal,
): AsyncGenerator<ChoiceEvent, void, void> {
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const width = options.samplers?.length ?? 1;
  const places = new Places(Math.max(1, Math.floor(engine.settings.maxSequences / width)));
  const feed = new Feed(
    prompts.map((prompt, p) =>
      numbered(
        places.within(() => engine.generate({ ...options, prompt, signal: either })),
        p * width,
      ),
    ),
  );
  try {
    let begun = false;
    for (let event = await feed.next(); event !== undefined; event = await feed.next()) {
      if (!begun) yield { type: 'begun' };
      begun = true;
      if (event.type !== 'begun') yield event;
    }
  } catch (error) {
    throw signal.aborted ? clientLeft(error) : error;
  } finally {
    await feed.close(() => left.abort(new MeditronError('ERR_ABORTED', 'The request is over')));
  }
}

export function clientLeft(cause: unknown): MeditronError {
  return new MeditronError('ERR_ABORTED', 'The client has left', { cause });
}

async function* numbered(
  events: AsyncGenerator<GenerateEvent>,
  first: number,
): AsyncGenerator<ChoiceEvent, void, void> {
  for await (const event of events) {
    if (event.type === 'prompt') {
      yield { type: 'begun' };
      continue;
    }
    if (event.type === 'end' && event.finish === 'cancelled') continue; // what cancelled it is thrown next
    const { sample, ...rest } = event;
    yield { ...rest, index: first + sample };
  }
}

/** So many at once, in the order they came. */
class Places {
  readonly #waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async *within<T>(begin: () => AsyncGenerator<T>): AsyncGenerator<T, void, void> {
    if (this.free > 0) this.free--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      yield* begin();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}
