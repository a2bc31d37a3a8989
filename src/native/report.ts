import * as v from 'valibot';

/** Why a backend or one of its devices cannot be computed on. */
const failure = v.variant('outcome', [
  /** It said no, in these words. */
  v.strictObject({ outcome: v.literal('refuses'), text: v.string() }),
  /** It ended the process. */
  v.strictObject({
    outcome: v.literal('died'),
    /** As `SIGABRT` or `exit code 134`. */
    how: v.string(),
    during: v.string(),
    /** What it printed last, oldest first. */
    lines: v.array(v.string()),
  }),
  /** Its numbers are not the CPU's. */
  v.strictObject({ outcome: v.literal('wrong'), text: v.string() }),
  /** It was ended, because nothing came from it for too long. */
  v.strictObject({ outcome: v.literal('hangs'), seconds: v.number(), during: v.string(), lines: v.array(v.string()) }),
]);

const listed = {
  name: v.string(),
  description: v.string(),
  backend: v.string(),
  id: v.nullable(v.string()),
  type: v.picklist(['gpu', 'integrated-gpu']),
  /** Bytes. */
  memoryTotal: v.number(),
};

/** A GPU as a probe found it. */
const listedDevice = v.strictObject(listed);

const verdict = v.variant('outcome', [
  /** It computed what the CPU computes, log-probabilities apart by at most `difference`. */
  v.strictObject({ outcome: v.literal('works'), difference: v.number() }),
  ...failure.options,
]);

/** What a probe of one backend found. */
export const probeReport = v.strictObject({
  /** When, as an ISO date. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** Why the backend could not even be loaded or say what there is; null if it could. */
  failure: v.nullable(failure),
  /** The GPUs it lists. */
  devices: v.array(v.strictObject({ ...listed, verdict })),
});

export type Failure = v.InferOutput<typeof failure>;
export type Verdict = v.InferOutput<typeof verdict>;
export type ListedDevice = v.InferOutput<typeof listedDevice>;
export type ProbedDevice = ListedDevice & { readonly verdict: Verdict };
export type ProbeReport = v.InferOutput<typeof probeReport>;

/** A line that a probe's process writes, in JSON. */
export const probeLine = v.variant('is', [
  /** What it begins to do, and on which device. */
  v.strictObject({ is: v.literal('doing'), what: v.string(), device: v.nullable(v.string()) }),
  /** The backend does not load. */
  v.strictObject({ is: v.literal('refused'), text: v.string() }),
  v.strictObject({ is: v.literal('listed'), devices: v.array(listedDevice) }),
  v.strictObject({ is: v.literal('judged'), device: v.string(), verdict }),
  v.strictObject({ is: v.literal('done') }),
]);

export type ProbeLine = v.InferOutput<typeof probeLine>;

/** Ends that say nothing of a backend: somebody ended the probe, the system for want of memory, or Ctrl-C. */
const accidents = new Set([
  ...['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', `exit code ${0xc000013a}`],
  ...(process.platform === 'win32' ? ['exit code 1'] : []), // taskkill
]);

/** Whether a report holds an end that was not the backend's doing: then it is no finding to be kept. */
export function isAccidental({ failure, devices }: ProbeReport): boolean {
  const verdicts = [failure, ...devices.map(device => device.verdict)];
  return verdicts.some(verdict => verdict?.outcome === 'died' && accidents.has(verdict.how));
}

/** As `works: computed on 2026-11-27` or `died with SIGABRT while it decoded: CUDA error`. */
export function verdictInWords(verdict: Verdict, at: string): string {
  if (verdict.outcome === 'works') return `works: computed on ${at.slice(0, 10)}`;
  if (verdict.outcome === 'refuses') return `refuses: ${verdict.text}`;
  if (verdict.outcome === 'wrong') return `computes something else than the CPU: ${verdict.text}`;
  const said = telling(verdict.lines);
  const words =
    verdict.outcome === 'died'
      ? `died with ${verdict.how} while ${verdict.during}`
      : `did not answer for ${verdict.seconds} s while ${verdict.during}`;
  return said ? `${words}: ${said}` : words;
}

/** Of what was printed last the lines that name a fault, or else the last two, as one. */
export function telling(lines: readonly string[]): string {
  const faults = lines.filter(line => /error|fail|invalid|assert|unsupported|abort|what\(\)/i.test(line));
  return (faults.length > 0 ? faults.slice(0, 4) : lines.slice(-2)).join(' | ');
}
