import type { Protocol } from '../../prompt/format/format.js';
import type { Reading } from '../score/rescore.js';
import type { ResultRow } from '../storage/rows.js';
import type { StoredRun } from '../storage/stored.js';
import type { MoreMetrics } from './figures.js';
import type { Fact, Rate } from './types.js';

/** What identifies a run's figures besides the model: how it was asked, read and laid out, and what that cost. */
export function factsOf(run: StoredRun, rows: readonly ResultRow[], reading: Reading, more: MoreMetrics): Fact[] {
  const sampled = run.mode === 'sc-cot' || run.mode === 'free';
  const prompts = rows.flatMap(row => row.promptTokens ?? []).sort((a, b) => a - b);
  const parallel = [...new Set(rows.map(row => row.parallel))].sort((a, b) => a - b);
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
    ...(sampled && run.mode === 'sc-cot' ? [fact('stopping rule', (reading.stop ?? run.stop).rule)] : []),
    ...(prompts.length > 0
      ? [fact('prompt tokens', `median ${prompts[prompts.length >> 1]}, longest ${prompts.at(-1)}`)]
      : []),
    fact('in flight', `${parallel.join(' and ')} question${parallel.join() === '1' ? '' : 's'} at once`),
    fact('wall time', `${(more.totalMs / 1000).toFixed(1)} s for ${rows.length} questions`),
    ...rated('early stops', more.earlyStops),
    ...rated('samples asked again', more.forcedSamples),
    ...rated('samples cut at the token limit', more.cut),
  ];
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

/** What was said of many questions, once; numbers differ from one to the next. */
export function commonWarnings(rows: readonly ResultRow[]): string[] {
  const seen = new Map<string, { text: string; count: number }>();
  for (const row of rows) {
    for (const text of row.warnings ?? []) {
      const key = text.replace(/\d+/g, '#');
      const entry = seen.get(key);
      if (entry) entry.count++;
      else seen.set(key, { text, count: 1 });
    }
  }
  return [...seen.values()]
    .slice(0, 8)
    .map(({ text, count }) => (count === 1 ? text : `${text} (${count} questions alike)`));
}
