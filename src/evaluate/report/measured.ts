import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { checked } from '../../check/schema.js';
import type { Measurement } from '../../panel/types.js';
import { modes, protocols } from '../../prompt/format/format.js';
import { readEvaluation } from '../storage/evaluation.js';
import { resultsName } from '../storage/lines.js';
import { reportJson, reportOf } from './report.js';

const run = v.object({
  name: v.string(),
  mode: v.picklist(modes),
  protocol: v.picklist(protocols),
  samples: v.number(),
  metrics: v.object({
    accuracy: v.exactOptional(
      v.object({
        n: v.number(),
        correct: v.number(),
        wilson: v.object({ low: v.number(), high: v.number() }),
      }),
    ),
  }),
  facts: v.record(v.string(), v.string()),
});
const report = v.object({ title: v.string(), created: v.string(), runs: v.array(run) });

/** How the model's files are named in the facts of a report. */
const hashFact = 'model SHA-256';

/**
 * The accuracies that an evaluation has found, of models whose file is known: from a folder of `eval` (of a panel, from those of its models), or a `report.json`.
 *
 * @throws MeditronError `ERR_INPUT` if there is no evaluation, it is damaged, or it holds no accuracy of a model file
 */
export async function measurementsIn(path: string): Promise<Measurement[]> {
  const found: Measurement[] = [];
  for (const each of await reportsAt(path)) {
    const { title, created, runs } = checked(report, each, path);
    for (const { name, mode, protocol, samples, metrics, facts } of runs) {
      const hashes = facts[hashFact];
      const { accuracy } = metrics;
      if (hashes === undefined || !accuracy) continue;
      const { n, correct, wilson } = accuracy;
      const how = { run: name, mode, protocol, samples };
      found.push({ sha256: hashes.split(' '), title, created, ...how, n, correct, low: wilson.low, high: wilson.high });
    }
  }
  if (found.length > 0) return found;
  throw new MeditronError(
    'ERR_INPUT',
    `${path} holds no accuracy of a model file: give a folder that \`meditron eval --out\` wrote`,
  );
}

async function reportsAt(path: string): Promise<unknown[]> {
  if (!(await isFolder(path))) {
    if (basename(path) === resultsName) return reportsAt(dirname(path));
    return [jsonAt(path, await readFile(path, 'utf8').catch(cause => unreadable(path, cause)))];
  }
  const inside = await readdir(path);
  if (inside.includes(resultsName)) return [reportJson(await reportOf(await readEvaluation(path)))];
  const folders = inside.sort().map(name => join(path, name));
  const reports: unknown[] = [];
  for (const folder of folders) {
    if ((await isFolder(folder)) && (await readdir(folder)).includes(resultsName))
      reports.push(...(await reportsAt(folder)));
  }
  return reports;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(cause => unreadable(path, cause))).isDirectory();
}

function jsonAt(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MeditronError(
      'ERR_INPUT',
      `${path}: expected a report.json that \`meditron eval --out\` wrote, got no JSON`,
    );
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new MeditronError('ERR_INPUT', `${path} could not be read: ${(cause as Error).message}`, { cause });
}
