import { basename } from 'node:path';
import { jsonHash } from '../../check/seal.js';
import { sampleSeeds } from '../../random/seeds.js';
import { planWaves } from '../../vote/count/stopping.js';
import type { Evidence } from '../types.js';
import { type Difference, firstPart } from './difference.js';
import { hashOfFiles, tokenHash } from './hashes.js';

/** Where a record contradicts itself, before anything runs: what follows from its own fields. Pure. */
export function contradiction(record: Evidence): Difference | undefined {
  for (const [path, expected, got] of derived(record)) {
    const part = firstPart(expected, got, path);
    if (part) return { where: 'record', ...part };
  }
  return undefined;
}

/** What follows from other fields, each from fields that have been looked at before it. */
function* derived(record: Evidence): Generator<readonly [path: string, expected: unknown, got: unknown]> {
  const { asked, model, plan, prompts, seeds, samples, result } = record;
  yield ['questionSha256', jsonHash(record.question), record.questionSha256];
  yield ['askedSha256', jsonHash(asked), record.askedSha256];
  yield ['model.file', basename(model.path.replaceAll('\\', '/')), model.file];
  yield ['model.sha256', model.files && hashOfFiles(model.files), model.sha256];
  yield ['plan.samples', asked.samples, plan.samples];
  yield ['plan.waves', planWaves(asked.samples, asked.width ?? asked.samples), plan.waves];
  yield ['plan.maxTokens', asked.maxTokens, plan.maxTokens];
  yield ['seeds', sampleSeeds(asked.seed, asked.samples, asked.item), seeds];
  for (const [i, { tokens, sha256 }] of prompts.entries())
    yield [`prompts[${i}].sha256`, tokens && tokenHash(tokens), sha256];
  const indices = samples.map(({ index }) => index);
  yield [
    'samples.length (result.votes.notRun of plan.samples are missing)',
    plan.samples - (result.votes.notRun ?? 0),
    samples.length,
  ];
  yield ['samples', [...new Set(indices)].sort((a, b) => a - b), indices];
  for (const [i, { index, seed, tokens, tokenCount }] of samples.entries()) {
    yield [`samples[${i}].seed`, seeds[index], seed];
    if (prompts.every(prompt => prompt.tokens !== null)) yield [`samples[${i}].tokenCount`, tokens.length, tokenCount];
  }
}
