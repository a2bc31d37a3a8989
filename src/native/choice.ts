import type { Device } from './addon.js';
import type { Candidate } from './backends.js';
import { type ListedDevice, type ProbedDevice, type ProbeReport, verdictInWords } from './report.js';

/** A candidate and what became of it. */
export interface Backend extends Candidate {
  /** Models are computed on devices of it. */
  readonly used: boolean;
  /** What a probe of it found; null if it was not tried. */
  readonly report: ProbeReport | null;
}

/** Which backends models are computed on, and why not the others. */
export interface Choice {
  readonly backends: readonly Backend[];
  /** Devices that computed what they should, of the backends in use. */
  readonly devices: readonly ProbedDevice[];
  /** Cards that cannot be used, in words. */
  readonly warnings: readonly string[];
}

/**
 * Of backends that exclude each other the first that has a device which computes; what stands behind it is not tried. A backend that
 * is `reason`ed away is not either.
 *
 * @param probe what a probe of it finds, or found
 * @param all try those behind the first too
 */
export async function chooseBackend(
  candidates: readonly Candidate[],
  probe: (candidate: Candidate) => Promise<ProbeReport>,
  all = false,
): Promise<Choice> {
  const backends: Backend[] = [];
  let used: Backend | undefined;
  for (const candidate of candidates) {
    const skipped = candidate.reason !== undefined || (used !== undefined && !all);
    const report = skipped ? null : await probe(candidate);
    const wins = used === undefined && report !== null && working(report).length > 0;
    const backend: Backend = { ...candidate, used: wins, report };
    if (wins) used = backend;
    backends.push(withReason(backend, used));
  }
  // Nobody needs to hear of a companion that was not needed.
  const shown = backends.filter(({ name, report }) => report !== null || name !== used?.name);
  return { backends: shown, devices: used ? working(used.report!) : [], warnings: warningsOf(backends, used) };
}

/** Backends that are all inside one addon were tried by one probe, and are all used as far as their devices compute. */
export function takeBuiltIn(candidates: readonly Candidate[], report: ProbeReport): Choice {
  const devices = working(report);
  const backends = candidates.map((candidate): Backend => {
    const own = { ...report, devices: report.devices.filter(device => isOf(device, candidate)) };
    return withReason({ ...candidate, used: working(own).length > 0, report: own }, undefined);
  });
  return {
    backends,
    devices,
    warnings: warningsOf(
      backends,
      backends.find(backend => backend.used),
    ),
  };
}

/** Whether a device that is listed now is one that has computed. */
export function hasComputed({ devices }: Choice, device: Device): boolean {
  return devices.some(other => isSame(other, device));
}

/** Whether a device that is listed now was there when its backend was tried. */
export function wasTried({ backends }: Choice, device: Device): boolean {
  return backends.some(backend => backend.report?.devices.some(other => isSame(other, device)));
}

export function isGpu({ type }: Device): boolean {
  return type === 'gpu' || type === 'integrated-gpu';
}

function isSame(a: ListedDevice, b: Device): boolean {
  return a.name === b.name && a.description === b.description && a.id === b.id;
}

/** Whether the process that lists the devices of a backend dies of it. */
export function killsWhenListed({ failure }: ProbeReport): boolean {
  return failure !== null && failure.outcome !== 'refuses';
}

function working(report: ProbeReport): ProbedDevice[] {
  return report.devices.filter(device => device.verdict.outcome === 'works');
}

/** llama.cpp calls Metal "MTL". */
function isOf(device: ProbedDevice, { name }: Candidate): boolean {
  return device.backend.startsWith(name === 'Metal' ? 'M' : name);
}

function withReason(backend: Backend, used: Backend | undefined): Backend {
  const { report } = backend;
  if (backend.used || backend.reason !== undefined) return backend;
  if (report === null) return { ...backend, reason: `not tried: ${used!.name} is used` };
  if (report.failure) return { ...backend, reason: verdictInWords(report.failure, report.at) };
  if (report.devices.length === 0) return { ...backend, reason: 'it found no GPU' };
  if (working(report).length > 0) return { ...backend, reason: `it works, and ${used!.name} is used` };
  return { ...backend, reason: `${report.devices.map(device => device.name).join(', ')} cannot compute` };
}

function warningsOf(backends: readonly Backend[], used: Backend | undefined): string[] {
  const names = used ? working(used.report!).map(device => device.name) : [];
  const where = names.length > 0 ? names.join(', ') : 'the CPU';
  // The companion of a backend has taken its place.
  const mended = (backend: Backend) =>
    used !== undefined && used !== backend && used.name === backend.name && !used.report!.failure;
  return backends
    .filter(backend => backend.report !== null && !mended(backend))
    .flatMap(backend =>
      faultsOf(backend).map(fault => `${fault}. Models run on ${where}. ${adviceFor(backend, backends, used)}`),
    );
}

function faultsOf({ name, report }: Backend): string[] {
  const { failure, devices, at } = report!;
  const whole = failure ? [`The GPU backend ${name} ${verdictInWords(failure, at)}`] : [];
  return [
    ...whole,
    ...devices
      .filter(device => device.verdict.outcome !== 'works')
      .map(
        device =>
          `${device.name} (${device.description}) is listed but could not compute: it ${verdictInWords(device.verdict, at)}`,
      ),
  ];
}

function adviceFor(backend: Backend, backends: readonly Backend[], used: Backend | undefined): string {
  const behind = used ? [] : backends.slice(backends.indexOf(backend) + 1);
  const needed = behind
    .filter(({ missing, path }) => path !== null && missing.length > 0)
    .map(({ install, missing }) => `install ${install} (not found: ${missing.join(', ')})`);
  const others = behind
    .filter(({ missing }) => missing.length === 0)
    .flatMap(({ name, add }) => (add === null ? [] : [`for ${name} ${add.replace(/^Run/, 'run')}`]));
  return `${[backend.remedy, ...needed, ...others].join(', or ')}; \`meditron devices --probe\` tries again`;
}
