import type { AskStreamEvent, Evidence, Question, Reading } from '../../../src/server/meditron/protocol.js';

type Event = Exclude<AskStreamEvent, { type: 'answer' } | { type: 'failed' }>;
type Plan = Extract<Event, { type: 'plan' }>['plan'];
type Settled = Extract<Event, { type: 'settled' }>;

/** One chain, as far as it has come. */
export interface Chain {
  readonly text: string;
  readonly state: 'waiting' | 'thinking' | 'ended' | 'cut';
  /** Null: it named none, or has not ended. */
  readonly answer: string | null;
  readonly forced: boolean;
}

/** How far an ask has come. Plain data, changed by {@link advance} alone. */
export interface Progress {
  readonly phase: 'sent' | 'waiting' | 'reading' | 'thinking' | 'closing';
  readonly model: string | null;
  readonly question: Question | null;
  readonly reading: Reading | null;
  readonly loaded: boolean;
  readonly plan: Plan | null;
  readonly prompt: { readonly done: number; readonly total: number } | null;
  readonly chains: readonly Chain[];
  readonly warnings: readonly string[];
  readonly settled: Settled | null;
  /** Of the chains that had ended when it failed. */
  readonly record: Evidence | null;
  /** Milliseconds since the page was opened: when it was sent, when the first words came, and when each chain ended. */
  readonly began: number;
  readonly firstWords: number | null;
  readonly ends: readonly number[];
}

export function begun(now: number): Progress {
  return {
    phase: 'sent',
    model: null,
    question: null,
    reading: null,
    loaded: true,
    plan: null,
    prompt: null,
    chains: [],
    warnings: [],
    settled: null,
    record: null,
    began: now,
    firstWords: null,
    ends: [],
  };
}

const fresh: Chain = { text: '', state: 'waiting', answer: null, forced: false };

/** The progress after an event. Pure. */
export function advance(before: Progress, event: Event, now: number): Progress {
  switch (event.type) {
    case 'asked': {
      const { model, question, reading, loaded } = event;
      return { ...before, phase: 'waiting', model, question, reading, loaded };
    }
    case 'plan': {
      const { plan, warnings } = event;
      return { ...before, phase: 'reading', plan, warnings, chains: Array.from({ length: plan.samples }, () => fresh) };
    }
    case 'prompt':
      return { ...before, prompt: { done: event.done, total: event.total } };
    case 'text': {
      const chains = changed(before.chains, event.sample, chain => ({
        ...chain,
        text: chain.text + event.text,
        state: chain.state === 'waiting' ? 'thinking' : chain.state,
      }));
      return { ...before, phase: 'thinking', chains, firstWords: before.firstWords ?? now };
    }
    case 'vote': {
      const { sample, answer, forced, finish } = event;
      const first = before.chains[sample]?.state !== 'ended';
      const chains = changed(before.chains, sample, chain => ({
        ...chain,
        state: finish === 'cancelled' ? 'cut' : 'ended',
        answer,
        forced,
      }));
      return { ...before, phase: 'thinking', chains, ends: first ? [...before.ends, now] : before.ends };
    }
    case 'settled': {
      const chains = before.chains.map(chain =>
        chain.state === 'ended' ? chain : { ...chain, state: 'cut' as const },
      );
      return { ...before, phase: 'closing', settled: event, chains };
    }
    case 'unfinished':
      return { ...before, record: event.evidence };
    default:
      return before; // an event that a newer server has more
  }
}

function changed(chains: readonly Chain[], i: number, change: (chain: Chain) => Chain): readonly Chain[] {
  return chains.map((chain, j) => (i === j ? change(chain) : chain));
}

/** How many chains gave each answer, the most first; equal ones as they came. */
export function counted(
  chains: readonly Pick<Chain, 'answer'>[],
): { readonly answer: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { answer } of chains) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].map(([answer, count]) => ({ answer, count })).sort((a, b) => b.count - a.count);
}

/** Chains that have ended. */
export function ended(progress: Progress): number {
  return progress.chains.filter(chain => chain.state === 'ended').length;
}

/** The chains that have to end before chain `i` begins, counted from 1: a wave waits for the one before. Null: none. */
export function waitsFor(plan: Plan, i: number): { readonly from: number; readonly to: number } | null {
  let before = 0;
  let start = 0;
  for (const size of plan.waves) {
    if (i < start + size) return start === 0 ? null : { from: before + 1, to: start };
    before = start;
    start += size;
  }
  return null;
}

/**
 * About how long until all planned chains have ended, in milliseconds, from what was measured in this ask: waves take as long as the chains that
 * have ended took. Null until a whole wave has ended.
 */
export function timeLeft({ plan, firstWords, ends }: Progress, now: number): number | null {
  const wave = Math.max(1, plan?.waves[0] ?? 1);
  if (!plan || firstWords === null || ends.length < wave || ends.length === plan.samples) return null;
  const perWave = (ends.at(-1)! - firstWords) / Math.ceil(ends.length / wave);
  const left = perWave * plan.waves.length - (now - firstWords);
  return left > 0 ? left : null;
}
