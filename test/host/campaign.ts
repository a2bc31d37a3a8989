import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { uniform } from '../../src/random/splitmix.js';
import { App } from '../campaigns/app.js';
import { type Campaign, quantile, rounded, Tally } from '../campaigns/campaign.js';

const mini = fileURLToPath(new URL('../../models/meditron-mini.gguf', import.meta.url));

const moments = [
  'load',
  'tokenize',
  'prompt',
  'decode',
  'score',
  'prefix',
  'lease',
  'idle',
  'close',
  'restart',
] as const;
const signals = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGKILL', 'SIGILL', 'SIGFPE', 'SIGSTOP'] as const;

/** A moment to kill the process of an engine at. */
export interface Killing {
  readonly index: number;
  readonly model: string;
  readonly sha256: string;
  readonly signal: (typeof signals)[number];
  readonly in: (typeof moments)[number];
  /** Milliseconds from the beginning of the work. */
  readonly after: number;
  /** Of two engines, in turn. */
  readonly jobs: number;
  readonly samples: number;
  /** Samples are held meanwhile. */
  readonly held: boolean;
}

interface Killed {
  readonly wrong: readonly string[];
  /** From the signal to each error. */
  readonly milliseconds: readonly number[];
  readonly deaths: number;
  readonly phases: readonly string[];
}

/**
 * Kills or stops the process of an engine at a random moment. What ran there fails with a typed error that says how it died; the next
 * requests, also from a prefix that was evaluated before, give what an untouched engine gives, to the last bit; held samples are gone;
 * no process and no temporary file is left. Figures are milliseconds from the signal to the error.
 */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const folder = mkdtempSync(join(tmpdir(), 'meditron-kill-'));
  const app = new App<Killing, Killed>(new URL('killing.js', import.meta.url), { env: { TMPDIR: folder } });
  const model = options.model ?? mini;
  const sha256 = createHash('sha256').update(readFileSync(model)).digest('hex');
  const errors = { killed: [] as number[], stopped: [] as number[] };
  const seen: Record<string, number> = {};
  try {
    for (const index of tally.indices) {
      const begun = performance.now();
      const killing = draw(options.seed, index, model, sha256);
      const words = JSON.stringify({ ...killing, model: undefined, sha256: undefined });
      const reply = await app.ask(killing);
      if (reply.end === 'died') tally.fault('hostDeaths', index, `${words} ${reply.how}`);
      if (reply.end === 'hung') tally.fault('hangs', index, words);
      if (reply.end === 'failed') {
        tally.fault(reply.code === 'UNTYPED' ? 'untyped' : 'broken', index, `${words} ${reply.code} ${reply.message}`);
      }
      if (reply.end === 'answered') {
        const { wrong, milliseconds, phases } = reply.answer;
        for (const each of wrong) tally.fault('broken', index, `${words} ${each}`);
        errors[killing.signal === 'SIGSTOP' ? 'stopped' : 'killed'].push(...milliseconds);
        for (const phase of phases) seen[phase] = (seen[phase] ?? 0) + 1;
      }
      const files = readdirSync(folder);
      if (files.length > 0) tally.fault('broken', index, `${words} left ${files.join(', ')} in TMPDIR`);
      tally.done(performance.now() - begun);
    }
  } finally {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const spread = (values: readonly number[]) => ({
    errors: values.length,
    p50: rounded(quantile(values, 0.5)),
    p99: rounded(quantile(values, 0.99)),
    max: rounded(quantile(values, 1)),
  });
  return tally.outcome({ phases: seen, killed: spread(errors.killed), stopped: spread(errors.stopped) });
};

function draw(seed: number, index: number, model: string, sha256: string): Killing {
  const random = uniform((Math.imul(seed, 0x9e37_79b1) + index) >>> 0);
  // A process that was stopped is waited for: every seventh trial would take most of the time.
  const signal = random() < 0.06 ? 'SIGSTOP' : signals[Math.floor(random() * 6)]!;
  return {
    index,
    model,
    sha256,
    signal,
    in: moments[index % moments.length]!,
    after: Math.round(random() ** 2 * 250),
    jobs: 1 + Math.floor(random() * 4),
    samples: 1 + Math.floor(random() * 4),
    // In a trial of leases all sequences are taken.
    held: index % moments.length !== moments.indexOf('lease') && random() < 0.5,
  };
}
