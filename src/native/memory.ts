import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, writeOutput } from '../check/outputs.js';
import { isSealed, sealed } from '../check/seal.js';
import { stateFolder } from '../check/state.js';
import { type ProbeReport, probeReport } from './report.js';

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** What is remembered: for every state of backend, driver and hardware (its hash, see binding.ts) what a probe found, the newest first. */
const memory = v.strictObject({
  version: v.literal(1),
  found: v.array(v.strictObject({ binding: hash, report: probeReport })),
  sha256: hash,
});

/** A machine has a few backends, and some settings that choose among devices. */
const most = 16;
/** A file of ours stays far below. */
const mostBytes = 1 << 20;
/** A device that failed is tried again after a day: the reason may be gone, as when another program had taken all of its memory. */
const failureMs = 24 * 3600 * 1000;

export function memoryFile(): string | undefined {
  try {
    const folder = stateFolder();
    return folder === undefined ? undefined : join(folder, 'devices.json');
  } catch {
    return undefined; // a user without a home
  }
}

/** What a probe found in this state of things; undefined if there was none, it is too old, or the file is damaged or not ours. */
export function recall(binding: string, file = memoryFile(), now = Date.now()): ProbeReport | undefined {
  const report = read(file).find(entry => entry.binding === binding)?.report;
  if (report === undefined) return undefined;
  const age = now - Date.parse(report.at);
  const failed = report.failure !== null || report.devices.some(device => device.verdict.outcome !== 'works');
  return age >= 0 && (!failed || age < failureMs) ? report : undefined;
}

/**
 * Keeps what a probe found, for the owner alone. Where nothing can be written nothing is kept. Of two processes that write at once one
 * is lost, and probes again some day.
 */
export async function remember(binding: string, report: ProbeReport, file = memoryFile()): Promise<void> {
  if (file === undefined) return;
  const others = read(file).filter(entry => entry.binding !== binding);
  const found = [{ binding, report }, ...others].slice(0, most);
  try {
    await makeFolder(dirname(file));
    await writeOutput(file, `${JSON.stringify(sealed({ version: 1, found }))}\n`);
  } catch {
    // no permission, a full disk: the next start tries the devices again
  }
}

function read(file: string | undefined): v.InferOutput<typeof memory>['found'] {
  if (file === undefined) return [];
  try {
    const text = readOwn(file);
    const result = v.safeParse(memory, JSON.parse(text));
    return result.success && isSealed(result.output) ? result.output.found : [];
  } catch {
    return [];
  }
}

/** A file that somebody else may have written decides nothing here. */
function readOwn(file: string): string {
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(handle);
    const foreign = process.getuid !== undefined && (found.uid !== process.getuid() || (found.mode & 0o022) !== 0);
    if (foreign || !found.isFile() || found.size > mostBytes) throw new Error('not ours');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
