import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contradiction } from '../../dist/ask/record/check.js';
import { readEvidence } from '../../dist/ask/record/schema.js';
import { MeditronError } from '../../dist/check/errors.js';
import { jsonHash } from '../../dist/check/seal.js';
import { readRecord } from '../../dist/cli/commands/replay.js';
import { readPrefix } from '../../dist/engine/saved/file.js';
import { knownKey } from '../../dist/engine/saved/key.js';
import { htmlReport } from '../../dist/evaluate/report/html.js';
import { reportJson, reportOf } from '../../dist/evaluate/report/report.js';
import { terminalReport } from '../../dist/evaluate/report/terminal.js';
import { openEvaluation, readEvaluation } from '../../dist/evaluate/storage/evaluation.js';
import { readIncidents } from '../../dist/evaluate/storage/incidents.js';
import { recall } from '../../dist/native/memory.js';
import { answering } from '../campaigns/answering.js';

/** @typedef {{ kind: keyof typeof read, name: string, bytes: string, forged: boolean, belongs: any }} Trial */

/** What was read back of a file that was written into a folder: hashes, of results one for the header and one for each row. */
const read = {
  /** @param {Trial} trial @param {string} path */
  async record({ forged }, path) {
    const evidence = readEvidence(await readRecord(path, new AbortController().signal));
    if (contradiction(evidence) && !forged) throw new Error('a record that passes its checksum contradicts itself');
    return [jsonHash(evidence)];
  },

  /** By a report, then by going on behind them. @param {Trial} _ @param {string} __ @param {string} folder */
  async results(_, __, folder) {
    const stored = await readEvaluation(folder);
    const hashes = await hashesOf(stored);
    const report = await reportOf(stored);
    terminalReport(report);
    JSON.stringify(reportJson(report));
    for await (const _ of htmlReport(report));
    await (await openEvaluation(folder, stored.config, { resume: true })).close();
    const resumed = await readEvaluation(folder);
    if (`${await hashesOf(resumed)}` !== `${hashes}`) throw new Error('going on changed what is read');
    return hashes;
  },

  /** @param {Trial} trial @param {string} _ @param {string} folder */
  async incidents({ belongs: { results } }, _, folder) {
    const incidents = await readIncidents(folder, results);
    return [jsonHash({ incidents })];
  },

  /** @param {Trial} trial @param {string} path */
  async prefix({ belongs: { belongs, key } }, path) {
    return hashesOfPrefix(await readPrefix(path, async () => belongs, Buffer.from(key, 'base64')));
  },

  /** What is not used is as if it were not there. @param {Trial} trial @param {string} path */
  async verdicts({ belongs: { binding } }, path) {
    const found = recall(binding, path);
    if (!found) throw new MeditronError('ERR_INPUT', 'not used');
    return [jsonHash(found)];
  },

  /** By the prefix that was saved with it. @param {Trial} trial @param {string} _ @param {string} folder */
  async key({ belongs: { belongs, prefix } }, _, folder) {
    process.env.MEDITRON_STATE = folder;
    await writeFile(join(folder, 'prefix'), Buffer.from(prefix, 'base64'));
    return hashesOfPrefix(await readPrefix(join(folder, 'prefix'), async () => belongs, await knownKey()));
  },
};

/** @param {import('../../dist/engine/saved/file.js').SavedPrefix} prefix */
function hashesOfPrefix({ tokens, state }) {
  return [jsonHash([...tokens]), jsonHash(Buffer.from(state).toString('base64'))];
}

/** @param {import('../../dist/evaluate/storage/evaluation.js').StoredEvaluation} stored */
async function hashesOf({ created, config, rows }) {
  const hashes = [jsonHash({ created, config })];
  for await (const row of rows()) hashes.push(jsonHash(row));
  return hashes;
}

answering(
  /** @param {Trial} trial */
  async trial => {
    const folder = await mkdtemp(join(tmpdir(), 'meditron-state-'));
    const path = join(folder, trial.name);
    const given = Buffer.from(trial.bytes, 'base64');
    await writeFile(path, given, { mode: 0o600 });
    try {
      return await read[trial.kind](trial, path, folder);
    } catch (error) {
      if (!(await readFile(path)).equals(given)) throw new Error(`refused and changed: ${error}`);
      throw error;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
