import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { childEnvironment } from './environment.js';
import type { ProbeRequest } from './probe.js';
import {
  type Failure,
  type ListedDevice,
  type ProbedDevice,
  type ProbeReport,
  probeLine,
  telling,
  type Verdict,
} from './report.js';

/** What is probed: one backend in one addon. */
export interface Subject extends Pick<ProbeRequest, 'addon' | 'libraries' | 'backend' | 'model'> {
  /** The program of a probe's process. */
  readonly program: string;
}

export interface ProbeSettings {
  readonly signal?: AbortSignal | undefined;
  /** Nothing that comes from a probe for so long ends it: the first run on a device compiles its kernels. Default 120. */
  readonly silenceSeconds?: number | undefined;
  /** Told the process that has been started. */
  readonly onStart?: ((pid: number) => void) | undefined;
}

/** So long what a process printed is waited for once it has ended. */
const lastWordsMs = 250;
/** How many lines of what a probe printed are kept, and how long they may be. */
const kept = { lines: 12, characters: 300 };

/**
 * Computes on every GPU of a backend, in processes of their own: one for all of them, and another for the rest after one of them killed
 * it. Leaves no process behind.
 *
 * @throws the signal's reason if it was aborted; an error of the system if no process can be started
 */
export async function probeBackend(subject: Subject, settings: ProbeSettings = {}): Promise<ProbeReport> {
  const judged = new Map<string, Verdict>();
  let listed: readonly ListedDevice[] = [];
  for (;;) {
    const run = await runOnce(subject, [...judged.keys()], settings);
    if (listed.length === 0) listed = run.listed;
    for (const [device, verdict] of run.judged) judged.set(device, verdict);
    if (run.failure !== null && run.device !== null && !judged.has(run.device)) {
      judged.set(run.device, run.failure);
      if (listed.some(({ name }) => !judged.has(name))) continue;
    }
    const devices = listed.map((device): ProbedDevice => {
      // A death that is nobody's leaves the rest without a verdict.
      const verdict = judged.get(device.name) ??
        run.failure ?? { outcome: 'refuses', text: 'the probe came to no end' };
      return { ...device, verdict };
    });
    const failure = listed.length === 0 ? run.failure : null;
    return { at: new Date().toISOString(), failure, devices };
  }
}

/** Starts a probe's process, and listens until it has ended. */
function runOnce(subject: Subject, without: readonly string[], settings: ProbeSettings): Promise<Run> {
  const { signal, silenceSeconds = 120 } = settings;
  signal?.throwIfAborted();
  const { program, ...request } = subject;
  const silenceMs = silenceSeconds * 1000;
  // Several lines come from a device; this is for a parent that was killed and a process that does not find that out.
  const argument: ProbeRequest = { ...request, without, limitMs: 20 * silenceMs };
  const child = spawn(process.execPath, [program, JSON.stringify(argument)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: childEnvironment(),
    windowsHide: true,
  });
  // Without a process there are no streams either.
  if (child.pid === undefined) return once(child, 'error').then(([error]) => Promise.reject(error));
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  signal?.addEventListener('abort', kill);
  child.stdin.on('error', () => {});

  const said = new Said();
  let silent: number | null = null;
  const watch = setTimeout(() => {
    silent = silenceSeconds;
    kill();
  }, silenceMs);
  const take = (line: string) => {
    if (said.take(line)) watch.refresh();
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', take);
  settings.onStart?.(child.pid);

  return new Promise<Run>((resolve, reject) => {
    const finish = (how: string) => (signal?.aborted ? reject(signal.reason) : resolve(said.all(how, silent)));
    child.on('error', () => {}); // it could not be killed: it has ended
    child.on('exit', (code, signalName) => {
      const how = signalName ?? `exit code ${code}`;
      const late = setTimeout(() => finish(how), lastWordsMs); // somebody else may hold its streams open
      child.on('close', () => {
        clearTimeout(late);
        finish(how); // all that it printed has been read
      });
    });
  }).finally(() => {
    clearTimeout(watch);
    process.removeListener('exit', kill);
    signal?.removeEventListener('abort', kill);
  });
}

/** What came of one process. */
interface Run {
  readonly listed: readonly ListedDevice[];
  readonly judged: ReadonlyMap<string, Verdict>;
  /** How it ended, if not as it should. */
  readonly failure: Failure | null;
  /** The device it was on then. */
  readonly device: string | null;
}

/** What a probe's process has said. */
class Said {
  #listed: readonly ListedDevice[] = [];
  readonly #judged = new Map<string, Verdict>();
  readonly #printed: string[] = [];
  #doing: { readonly what: string; readonly device: string | null } = { what: 'starting', device: null };
  #refused: string | undefined;
  #done = false;

  /** Whether the line was the probe's own: what llama.cpp or a driver print is kept as it is. */
  take(text: string): boolean {
    const line = parsed(text);
    if (line === undefined) {
      if (text.trim()) this.#printed.push(withoutHome(text.trim()).slice(0, kept.characters));
      if (this.#printed.length > kept.lines) this.#printed.shift();
      return false;
    }
    if (line.is === 'doing') this.#doing = line;
    else if (line.is === 'listed') this.#listed = line.devices;
    else if (line.is === 'judged') this.#judged.set(line.device, withoutHomes(line.verdict));
    else if (line.is === 'refused') this.#refused = withoutHome(line.text);
    else this.#done = true;
    return true;
  }

  all(how: string, silent: number | null): Run {
    const failure = this.#failure(how, silent);
    return { listed: this.#listed, judged: this.#judged, failure, device: this.#doing.device };
  }

  #failure(how: string, silent: number | null): Failure | null {
    const lines = [...this.#printed];
    const during = this.#doing.what;
    if (this.#refused !== undefined) return { outcome: 'refuses', text: refusal(this.#refused, lines) };
    if (this.#done) return null;
    if (silent !== null) return { outcome: 'hangs', seconds: silent, during, lines };
    return { outcome: 'died', how, during, lines };
  }
}

/** What llama.cpp says of a backend that does not load, and before it what the backend itself printed of it. */
function refusal(text: string, printed: readonly string[]): string {
  const own = printed.filter(line => !text.includes(line));
  return own.length > 0 ? `${telling(own)} | ${text}` : text;
}

function parsed(text: string) {
  if (!text.startsWith('{"is":')) return undefined;
  try {
    const result = v.safeParse(probeLine, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function withoutHomes(verdict: Verdict): Verdict {
  return 'text' in verdict ? { ...verdict, text: withoutHome(verdict.text) } : verdict;
}

/** What is remembered and shown names nobody's home, and no folders before the names of files of ours. */
function withoutHome(text: string): string {
  const home = process.env.HOME ?? process.env.USERPROFILE ?? '';
  const short = text.replace(/\S*[\\/]@node-llama-cpp[\\/]/g, '@node-llama-cpp/');
  return home.length > 1 ? short.replaceAll(home, '~') : short;
}
