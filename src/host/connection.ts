import { join } from 'node:path';
import { MeditronError } from '../check/errors.js';
import { packageFolder, packageVersion } from '../check/project.js';
import { hostEnvironment } from './environment.js';
import { Heartbeat } from './heartbeat.js';
import { launchNode } from './launch.js';
import { type Command, type Notice, protocolVersion } from './protocol.js';
import type { End, Launch, Transport } from './transport.js';
import { LastWords } from './words.js';

/** How a host's process is started. */
export interface ConnectOptions {
  readonly execPath: string | undefined;
  readonly launch: Launch | undefined;
  readonly cwd: string;
}

/** How a process ended, and what it said last. */
export interface Ended extends End {
  readonly unresponsive: boolean;
  readonly lastLines: readonly string[];
}

export interface ConnectionListener {
  notice(notice: Exclude<Notice, { type: 'hello' | 'pong' }>): void;
  /** Once, after the last notice. */
  ended(end: Ended): void;
  readonly loading: () => boolean;
}

/** After so many batches the reader tells the host that it has read them. */
const readEvery = 8;

/** One process of a host, from its start to its end. */
export class Connection {
  readonly #transport: Transport;
  readonly #words = new LastWords();
  readonly #heartbeat: Heartbeat;
  #unread = 0;
  #unresponsive = false;
  #version: MeditronError | undefined;
  readonly #ended: Promise<void>;

  constructor({ execPath, launch = launchNode, cwd }: ConnectOptions, to: ConnectionListener) {
    const script = join(packageFolder(), 'dist', 'host', 'child.js');
    this.#transport = launch({ script, execPath: execPath ?? process.execPath, env: hostEnvironment(), cwd });
    this.#heartbeat = new Heartbeat({
      pid: this.#transport.pid,
      ping: count => this.send({ type: 'ping', count }),
      lost: () => {
        this.#unresponsive = true;
        this.kill();
      },
      loading: to.loading,
    });
    this.#ended = new Promise(resolve => {
      this.#transport.listen({
        message: message => this.#take(message as Notice, to),
        print: text => this.#words.add(text),
        end: end => {
          this.#heartbeat.watch(false);
          const error = end.error ?? this.#version;
          const lastLines = error ? [...this.#words.lines(), error.message] : this.#words.lines();
          to.ended({ ...end, unresponsive: this.#unresponsive, lastLines });
          resolve();
        },
      });
    });
  }

  get pid(): number | undefined {
    return this.#transport.pid;
  }

  send(command: Command): void {
    this.#transport.send(command);
  }

  /** Whether it has work: then it is asked whether it lives, and keeps this program alive. */
  work(working: boolean): void {
    this.#transport.hold(working);
    this.#heartbeat.watch(working);
  }

  kill(): void {
    this.#transport.kill();
  }

  /** Settles when the process has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #take(notice: Notice, to: ConnectionListener): void {
    if (notice.type === 'pong') {
      this.#heartbeat.pong(notice.count);
      return;
    }
    if (notice.type === 'hello') {
      if (notice.protocol === protocolVersion && notice.version === packageVersion()) return;
      this.#version = new MeditronError(
        'ERR_ADDON',
        `Expected a host of meditron ${packageVersion()}, got ${notice.version}: install the package again`,
      );
      this.kill();
      return;
    }
    if (notice.type === 'batch' && ++this.#unread === readEvery) {
      this.#unread = 0;
      this.send({ type: 'read', batches: readEvery });
    }
    to.notice(notice);
  }
}
