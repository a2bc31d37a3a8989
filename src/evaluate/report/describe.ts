import type { Protocol } from '../../prompt/format/format.js';
import type { Rate } from '../score/measure.js';
import type { Outcome } from '../score/outcome.js';
import type { PoolMetrics } from '../score/pool.js';
import type { Reading } from '../score/read.js';
import type { Fact, StoredRun } from '../storage/types.js';

/** How a run went, besides its outcomes. */
export interface Course {
  readonly outcomes: readonly Outcome[];
  readonly pool: PoolMetrics;
  /** Questions in flight at once; several numbers where a server was asked in several goes. */
  readonly parallel: readonly number[];
  /** Questions that the CPU alone computed, because the engine that was planned was down. */
  readonly standIn: Rate;
}

/** What identifies a run's figures besides the model: how it was asked, read and laid out, and what that cost. */
export function describeRun(run: StoredRun, reading: Reading, { outcomes, pool, parallel, standIn }: Course): Fact[] {
  const sampled = run.mode === 'sc-cot' || run.mode === 'free';
  const prompts = outcomes.flatMap(({ promptTokens }) => promptTokens ?? []).sort((a, b) => a - b);
  const decoding = sampled
    ? `${run.samples} at temperature ${run.temperature}, top-p ${run.topP}, top-k ${run.topK || 'off'}`
    : run.mode === 'top-token'
      ? 'one token'
      : `greedy${run.temperature > 0 ? ` (temperature ${run.temperature})` : ''}`;
  const fact = (name: string, value: string | number) => ({ name, value: String(value) });
  return [
    fact('format', `${run.format}${run.shots > 0 ? `, ${run.shots} demonstrations` : ', zero-shot'}`),
    ...(run.demonstrations ? [fact('demonstrations', run.demonstrations.note)] : []),
    fact('asked under', `protocol ${run.protocol}, instruction of ${run.task}`),
    fact('scorer', scorerOf(run.mode, reading.protocol ?? run.protocol)),
    fact('decoding', `${decoding}${run.frequencyPenalty > 0 ? `, frequency penalty ${run.frequencyPenalty}` : ''}`),
    fact('seed', run.seed),
    ...(run.mode === 'sc-cot' ? votingFacts(run, reading) : []),
    ...(prompts.length > 0
      ? [fact('prompt tokens', `median ${prompts[prompts.length >> 1]}, longest ${prompts.at(-1)}`)]
      : []),
    fact('in flight', `${parallel.join(' and ')} question${parallel.join() === '1' ? '' : 's'} at once`),
    fact('repeats', repeats(run, parallel, standIn)),
    ...rated('computed on the CPU alone, the engine being down', standIn),
    fact('wall time', `${(pool.totalMs / 1000).toFixed(1)} s for ${outcomes.length} questions`),
    ...rated('early stops', pool.earlyStops),
    ...rated('samples asked again', pool.forcedSamples),
    ...rated('samples cut at the token limit', pool.cut),
  ];
}

function votingFacts(run: StoredRun, { stop, weighting = run.weighting }: Reading): Fact[] {
  const facts = [{ name: 'stopping rule', value: (stop ?? run.stop).rule }];
  return weighting === 'none' ? facts : [...facts, { name: 'weights of the samples', value: weighting }];
}

/** How far the same command on the same machine gives the same rows. */
function repeats({ layout }: StoredRun, parallel: readonly number[], standIn: Rate): string {
  if (layout === null) return 'not known: the server decides';
  if (standIn.count > 0) return 'up to floating point: the CPU alone computed part of it';
  if (layout.parallel === 1 && parallel.join() === '1') return 'exactly, resumed or not: one question at a time';
  return 'up to floating point: which questions share a batch depends on which ends first';
}

function rated(name: string, { count, of }: Rate): Fact[] {
  return count > 0 ? [{ name, value: `${count} of ${of}` }] : [];
}

function scorerOf(mode: string, protocol: Protocol): string {
  if (mode === 'free') return 'none: answers are stored, not scored';
  const parser = protocol === 'authors-code' ? "the authors' parser" : 'strict parser';
  if (mode !== 'top-token') return mode === 'sc-cot' ? `majority of chains, ${parser}` : `one chain, ${parser}`;
  if (protocol === 'strict') return 'most probable of the answers on offer';
  return protocol === 'paper' ? 'most probable text, if it is an answer' : `first greedy token, ${parser}`;
}

/** Counts warnings of many questions that differ in their numbers alone, and shows each kind once. */
export class Warnings {
  readonly #seen = new Map<string, { readonly text: string; count: number }>();

  add(warnings: readonly string[]): void {
    for (const text of warnings) {
      const key = text.replace(/\d+/g, '#');
      const entry = this.#seen.get(key);
      if (entry) entry.count++;
      else if (this.#seen.size < mostKinds) this.#seen.set(key, { text, count: 1 });
      else this.#others++;
    }
  }

  get lines(): string[] {
    const lines = [...this.#seen.values()].map(({ text, count }) =>
      count === 1 ? text : `${text} (${count} questions alike)`,
    );
    return this.#others === 0 ? lines : [...lines, `${this.#others} other warnings; they are in the results`];
  }

  #others = 0;
}

const mostKinds = 8;
