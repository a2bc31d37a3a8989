import { basename } from 'node:path';
import { sampleSeeds } from '../../random/seeds.js';
import { planWaves } from '../../vote/count/stopping.js';
import type { Evidence } from '../types.js';
import { type Difference, firstPart } from './difference.js';
import { hashOfFiles, jsonHash, tokenHash } from './hashes.js';

/** Where a record contradicts itself, before anything runs: what follows from its own fields. Pure. */
export function contradiction(record: Evidence): Difference | undefined {
  const { asked, model, plan, prompts, seeds, samples, result } = record;
  const ran = plan.samples - (result.votes.notRun ?? 0);
  const derived: readonly (readonly [path: string, expected: unknown, got: unknown])[] = [
    ['questionSha256', jsonHash(record.question), record.questionSha256],
    ['askedSha256', jsonHash(asked), record.askedSha256],
    ['model.file', basename(model.path.replaceAll('\\', '/')), model.file],
    ['model.sha256', model.files && hashOfFiles(model.files), model.sha256],
    ['plan.samples', asked.samples, plan.samples],
    ['plan.waves', planWaves(asked.samples, Math.max(1, asked.width ?? 1)), plan.waves],
    ['plan.maxTokens', asked.maxTokens, plan.maxTokens],
    ['seeds', sampleSeeds(asked.seed, asked.samples, asked.item), seeds],
    ...prompts.map(({ tokens, sha256 }, i) => [`prompts[${i}].sha256`, tokens && tokenHash(tokens), sha256] as const),
    ['samples', ran, samples.length],
    ['samples', samples.map(({ index }) => index).toSorted((a, b) => a - b), samples.map(({ index }) => index)],
    ['samples', new Set(samples.map(({ index }) => index)).size, samples.length],
    ...samples.flatMap(({ index, seed, tokens, tokenCount }, i) => [
      [`samples[${i}].seed`, seeds[index], seed] as const,
      ...(tokens.length > 0 ? [[`samples[${i}].tokenCount`, tokens.length, tokenCount] as const] : []),
    ]),
  ];
  for (const [path, expected, got] of derived) {
    const part = firstPart(expected, got, path);
    if (part) return { where: 'record', ...part };
  }
  return undefined;
}
