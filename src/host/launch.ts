import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../check/project.js';
import { childEnvironment } from '../native/environment.js';
import type { End, Launch, LaunchOptions, Transport } from './transport.js';

/** What still comes after the process has ended is waited for so long: somebody else may hold its standard streams open. */
const lastWordsMs = 250;

/** As `launch` starts it; a launch that throws is a process that could not be started. */
export function startedBy(launch: Launch, options: LaunchOptions): Transport {
  try {
    return launch(options);
  } catch (thrown) {
    return failedToStart(thrown);
  }
}

function failedToStart(thrown: unknown): Transport {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return neverStarted(end => end({ signal: null, exitCode: null, error }));
}

function neverStarted(listen: (end: (end: End) => void) => void): Transport {
  return { pid: undefined, send() {}, listen: to => listen(to.end), kill() {}, hold() {} };
}

/** What a host's process is: the program, the Node that runs it, where, and with which variables. */
export function hostProgram(execPath = process.execPath, cwd = workingFolder()): LaunchOptions {
  const script = join(packageFolder(), 'dist', 'host', 'child.js');
  const folder = cwd !== undefined && existsSync(cwd) ? cwd : packageFolder();
  return { script, execPath, env: childEnvironment(), cwd: folder };
}

/** Where relative paths begin; undefined where that folder is gone. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A plain Node process with an IPC channel. */
export function launchNode({ script, execPath, env, cwd }: LaunchOptions): Transport {
  const options: ForkOptions & { windowsHide: boolean } = {
    execPath,
    execArgv: [], // not this program's: --inspect would take its port
    env,
    cwd,
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  };
  let child: ChildProcess;
  try {
    child = fork(script, [], options);
  } catch (thrown) {
    return failedToStart(thrown); // no memory, say; most other reasons come as an event
  }
  if (child.pid === undefined) {
    // It may have no streams either: there were no more files to open.
    return neverStarted(end => child.on('error', error => end({ signal: null, exitCode: null, error })));
  }
  const said: { before: string; to?: (text: string) => void } = { before: '' };
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8');
    // Node throws away what nobody has read when the process ends.
    stream.on('data', text => {
      if (said.to) said.to(text);
      else said.before += text;
    });
    stream.on('error', () => {});
  }
  child.on('error', () => {}); // of a signal or message to a process that has just ended
  return {
    pid: child.pid,
    send(message) {
      // The callback takes the error of a channel that has just been closed.
      if (child.connected) child.send(message as object, () => {});
    },
    listen({ message, print, end }) {
      let ended = false;
      const finish = (how: End) => {
        if (ended) return;
        ended = true;
        end(how);
      };
      child.on('message', message);
      said.to = print;
      if (said.before !== '') print(said.before);
      const exited = (exitCode: number | null, signal: string | null) => {
        const how = { exitCode, signal };
        const timer = setTimeout(() => finish(how), lastWordsMs);
        child.on('close', () => {
          clearTimeout(timer); // it would keep this program alive
          finish(how);
        });
      };
      // It may have been started long before anybody listens.
      if (child.exitCode !== null || child.signalCode !== null) exited(child.exitCode, child.signalCode);
      else child.on('exit', exited);
    },
    kill() {
      child.kill('SIGKILL');
    },
    hold(alive) {
      const name = alive ? 'ref' : 'unref';
      child[name]();
      child.channel?.[name]();
      for (const stream of [child.stdout, child.stderr]) (stream as unknown as NodeJS.RefCounted | null)?.[name]();
    },
  };
}
