import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import type { End, LaunchOptions, Transport } from './transport.js';

/** What still comes after the process has ended is waited for so long: somebody else may hold its standard streams open. */
const lastWordsMs = 250;

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
  } catch (error) {
    return neverStarted(error as Error); // no memory, say; most other reasons come as an event
  }
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
      child.on('error', error => {
        if (child.pid === undefined) finish({ signal: null, exitCode: null, error });
      });
      child.on('message', message);
      // A process that could not be started for want of files has no streams.
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8');
        stream?.on('data', print);
        stream?.on('error', () => {});
      }
      child.on('exit', (exitCode, signal) => {
        const how = { exitCode, signal };
        child.on('close', () => finish(how));
        setTimeout(() => finish(how), lastWordsMs);
      });
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

function neverStarted(error: Error): Transport {
  return {
    pid: undefined,
    send() {},
    listen({ end }) {
      setImmediate(end, { signal: null, exitCode: null, error });
    },
    kill() {},
    hold() {},
  };
}
