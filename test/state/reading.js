import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contradiction } from '../../dist/ask/record/check.js';
import { readEvidence } from '../../dist/ask/record/schema.js';
import { jsonHash } from '../../dist/check/seal.js';
import { readRecord } from '../../dist/cli/commands/replay.js';
import { htmlReport } from '../../dist/evaluate/report/html.js';
import { reportJson, reportOf } from '../../dist/evaluate/report/report.js';
import { terminalReport } from '../../dist/evaluate/report/terminal.js';
import { openEvaluation, readEvaluation } from '../../dist/evaluate/storage/evaluation.js';
import { resultsName } from '../../dist/evaluate/storage/lines.js';
import { answering } from '../campaigns/answering.js';

/** What was read back of a file: hashes, of results one for the header and one for each row. */
const read = {
  /** @param {Buffer} bytes @param {string} folder @param {boolean} forged */
  async record(bytes, folder, forged) {
    const path = join(folder, 'record.json');
    await writeFile(path, bytes);
    const evidence = readEvidence(await readRecord(path, new AbortController().signal));
    if (contradiction(evidence) && !forged) throw new Error('a record that passes its checksum contradicts itself');
    return [jsonHash(evidence)];
  },

  /** By a report, then by going on behind them. @param {Buffer} bytes @param {string} folder */
  async results(bytes, folder) {
    const path = join(folder, resultsName);
    await writeFile(path, bytes);
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
};

/** @param {import('../../dist/evaluate/storage/evaluation.js').StoredEvaluation} stored */
async function hashesOf({ created, config, rows }) {
  const hashes = [jsonHash({ created, config })];
  for await (const row of rows()) hashes.push(jsonHash(row));
  return hashes;
}

const refusedBy = /** @type {const} */ ({ record: 'record.json', results: resultsName });

answering(
  /** @param {{ kind: 'record' | 'results', bytes: string, forged: boolean }} trial */
  async ({ kind, bytes, forged }) => {
    const folder = await mkdtemp(join(tmpdir(), 'meditron-state-'));
    const given = Buffer.from(bytes, 'base64');
    try {
      return await read[kind](given, folder, forged);
    } catch (error) {
      const left = await readFile(join(folder, refusedBy[kind]));
      if (!left.equals(given)) throw new Error(`refused and changed: ${error}`);
      throw error;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
