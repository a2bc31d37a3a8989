import { fileURLToPath } from 'node:url';
import { uniform } from '../../src/random/splitmix.js';
import { App } from './app.js';
import { type Campaign, quantile, rounded, Tally } from './campaign.js';

const mini = fileURLToPath(new URL('../../models/meditron-mini.gguf', import.meta.url));

/** A moment to abort at. */
export interface Aborting {
  readonly model: string;
  readonly isolate: boolean;
  readonly in: 'prompt' | 'token' | 'prefix' | 'score';
  /** In the evaluation of a prompt: after this share of the time it takes. */
  readonly share: number;
  /** In sampling: when so much of the text has come. */
  readonly character: number;
  readonly samples: number;
}

interface Aborted {
  /** Milliseconds from the abort until the error, and until the whole engine could be leased. */
  readonly thrown: number;
  readonly free: number;
  /** The error was the signal's reason. */
  readonly reason: boolean;
  readonly error: string;
  /** The next greedy text is that of a fresh engine. */
  readonly same: boolean;
}

/**
 * Aborts at a random moment of a prompt or of sampling. The signal's reason is thrown, and the next greedy text is a fresh engine's. The
 * figures are milliseconds until the error and until the engine is free; `targetP99` is what is aimed at on a CPU.
 */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const app = new App<Aborting, Aborted>(new URL('aborting.js', import.meta.url));
  const times: { isolate: boolean; in: string; thrown: number; free: number }[] = [];
  try {
    for (const index of tally.indices) {
      const begun = performance.now();
      const aborting = draw(options.seed, index, options.model ?? mini, options.isolate);
      const words = JSON.stringify(aborting);
      const reply = await app.ask(aborting);
      if (reply.end === 'died') tally.fault('hostDeaths', index, `${words} ${reply.how}`);
      if (reply.end === 'hung') tally.fault('hangs', index, words);
      if (reply.end === 'failed') {
        tally.fault(reply.code === 'UNTYPED' ? 'untyped' : 'broken', index, `${words} ${reply.code} ${reply.message}`);
      }
      if (reply.end === 'answered') {
        const { thrown, free, reason, error, same } = reply.answer;
        times.push({ ...aborting, thrown, free });
        if (!reason) tally.fault('broken', index, `${words} threw ${error} instead of the signal's reason`);
        if (!same) tally.fault('broken', index, `${words} the next text is not that of a fresh engine`);
      }
      tally.done(performance.now() - begun);
    }
  } finally {
    await app.close();
  }
  const of = (isolate: boolean): Record<string, unknown> => {
    const these = times.filter(time => time.isolate === isolate);
    return these.length === 0
      ? {}
      : {
          tried: these.length,
          thrown: spread(these.map(each => each.thrown)),
          free: spread(these.map(each => each.free)),
        };
  };
  return tally.outcome({
    targetP99: 250,
    thrown: spread(times.map(each => each.thrown)),
    free: spread(times.map(each => each.free)),
    inProcess: of(false),
    isolated: of(true),
  });
};

function spread(values: readonly number[]): { p50: number; p99: number; max: number } {
  const at = (share: number): number => rounded(quantile(values, share));
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function draw(seed: number, index: number, model: string, isolate: boolean | undefined): Aborting {
  const random = uniform((Math.imul(seed, 0x9e37_79b1) + index) >>> 0);
  const places = ['prompt', 'prompt', 'token', 'token', 'prefix', 'score'] as const;
  return {
    model,
    isolate: isolate ?? index % 2 === 1,
    in: places[Math.floor(random() * places.length)]!,
    share: random(),
    character: 1 + Math.floor(random() ** 2 * 100),
    samples: 1 + Math.floor(random() * 4),
  };
}
