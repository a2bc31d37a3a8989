/*
 * The program of a probe's process: loads the addon with one GPU backend, computes on every GPU that it lists, and says on stdout, in
 * lines of JSON, what it is about to do and what came of it. Whatever kills it kills nobody else; the last line says what it was.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Addon, Device } from './addon.js';
import { requireAddon } from './build.js';
import { isGpu } from './choice.js';
import type { ListedDevice, ProbeLine, Verdict } from './report.js';
import { difference, logprobs, tolerance, ways } from './trial.js';

/** What the process that starts it asks for, in JSON, as its only argument. */
export interface ProbeRequest {
  readonly addon: string;
  readonly libraries: string;
  /** Shared library of the backend; null for what is built into the addon. */
  readonly backend: string | null;
  readonly model: string;
  /** Names of devices to leave alone. */
  readonly without: readonly string[];
  /** Milliseconds after which the process ends itself, should nobody else do it. */
  readonly limitMs: number;
}

// Whoever imports this module starts nothing.
if (process.argv[2]?.startsWith('{')) await probe(JSON.parse(process.argv[2]) as ProbeRequest);

async function probe(request: ProbeRequest): Promise<void> {
  // Ctrl-C goes to the whole terminal: what becomes of this process is its parent's affair.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const) process.on(signal, () => {});
  endWithParent(request.limitMs);
  say({ is: 'doing', what: 'loading the addon', device: null });
  const addon = requireAddon(request.addon);
  addon.belongToParent(process.ppid);
  addon.echoLog(true);

  say({ is: 'doing', what: 'loading the backend', device: null });
  const loaded = addon.loadBackends(request.libraries, request.backend === null ? [] : [request.backend], []);
  const refused = loaded.find(report => !report.loaded);
  if (refused) {
    say({ is: 'refused', text: refused.message || 'it does not support this system' });
    return end();
  }
  say({ is: 'doing', what: 'listing devices', device: null });
  const devices = addon.devices().filter(isGpu).map(listed);
  say({ is: 'listed', devices });
  const chosen = devices.filter(device => !request.without.includes(device.name));
  if (chosen.length > 0) {
    say({ is: 'doing', what: 'computing on the CPU', device: null });
    const expected = await logprobs(addon, request.model, undefined, { words: '', flashAttention: 'off' });
    for (const { name } of chosen) {
      const verdict = await judge(addon, request.model, name, expected);
      say({ is: 'judged', device: name, verdict });
    }
  }
  end();
}

async function judge(addon: Addon, model: string, device: string, expected: Float64Array): Promise<Verdict> {
  let most = 0;
  try {
    for (const way of ways) {
      const found = await logprobs(addon, model, device, way, what => say({ is: 'doing', what, device }));
      const apart = difference(found, expected);
      if (!(apart <= tolerance)) {
        const text = `log-probabilities differ by ${apart.toFixed(2)} ${way.words}, ${tolerance} is allowed`;
        return { outcome: 'wrong', text };
      }
      most = Math.max(most, apart);
    }
    return { outcome: 'works', difference: most };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // What is wrong with the numbers is no fault of the model: the CPU has just computed it.
    if (code === 'ERR_NUMERIC') return { outcome: 'wrong', text: 'numbers that are not finite' };
    return { outcome: 'refuses', text: message };
  }
}

function listed({ name, description, backend, id, type, memoryTotal }: Device): ListedDevice {
  return { name, description, backend, id, type: type as ListedDevice['type'], memoryTotal };
}

function say(line: ProbeLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** A driver's tidying up at the end of a process may fail and says nothing about computing. */
function end(): void {
  say({ is: 'done' });
  process.kill(process.pid, 'SIGKILL');
}

/**
 * Ends this process when its parent is gone or the time is over, from a thread of its own: loading a backend blocks the main one.
 */
function endWithParent(limitMs: number): void {
  const watch = `
    const parent = process.ppid;
    const leave = () => process.kill(process.pid, 'SIGKILL');
    setTimeout(leave, ${limitMs});
    setInterval(() => {
      if (process.ppid !== parent) leave();
      try { process.kill(parent, 0); } catch (error) { if (error.code === 'ESRCH') leave(); }
    }, 500);`;
  new Worker(watch, { eval: true, stdin: false }).unref();
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).on('error', () => {});
  process.stdin.resume();
  process.stdin.unref?.();
}
