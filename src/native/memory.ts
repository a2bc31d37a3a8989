import * as v from 'valibot';
import { keep, kept, sha256Text, stateFile } from '../check/kept.js';
import { type ProbeReport, probeReport } from './report.js';

/** What is remembered: for every state of backend, driver and hardware (its hash, see binding.ts) what a probe found, the newest first. */
const memory = v.strictObject({
  version: v.literal(1),
  found: v.array(v.strictObject({ binding: sha256Text, report: probeReport })),
  sha256: sha256Text,
});

/** A machine has a few backends, and some settings that choose among devices. */
const most = 16;
/** A device that failed is tried again after a day: the reason may be gone, as when another program had taken all of its memory. */
const failureMs = 24 * 3600 * 1000;

export function memoryFile(): string | undefined {
  return stateFile('devices.json');
}

/** What a probe found in this state of things; undefined if there was none, it is too old, or the file is damaged or not ours. */
export function recall(binding: string, file = memoryFile(), now = Date.now()): ProbeReport | undefined {
  const report = kept(file, memory)?.found.find(entry => entry.binding === binding)?.report;
  if (report === undefined) return undefined;
  const age = now - Date.parse(report.at);
  const failed = report.failure !== null || report.devices.some(device => device.verdict.outcome !== 'works');
  return age >= 0 && (!failed || age < failureMs) ? report : undefined;
}

/** Keeps what a probe found. Of two processes that write at once one is lost, and probes again some day. */
export async function remember(binding: string, report: ProbeReport, file = memoryFile()): Promise<void> {
  const others = (kept(file, memory)?.found ?? []).filter(entry => entry.binding !== binding);
  await keep(file, { version: 1, found: [{ binding, report }, ...others].slice(0, most) });
}
