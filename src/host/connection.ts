import { MeditronError } from '../check/errors.js';
import { packageVersion } from '../check/project.js';
import { Heartbeat } from './heartbeat.js';
import { hostProgram, launchNode, startedBy } from './launch.js';
import { type Command, type Notice, protocolVersion } from './protocol.js';
import type { End, Launch, Transport } from './transport.js';
import { LastWords } from './words.js';

/** How a host's process is started. */
export interface ConnectOptions {
  readonly execPath: string | undefined;
  readonly launch: Launch | undefined;
  readonly cwd: string | undefined;
}

/** How a process ended, and what it said last. */
export interface Ended extends End {
  /** It had come so far as to speak. */
  readonly greeted: boolean;
  /** It is of another version, and was ended. */
  readonly foreign: MeditronError | undefined;
  readonly unresponsive: boolean;
  /** Because somebody had stopped it. */
  readonly stopped: boolean;
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
  #greeted = false;
  #over = false;
  #unresponsive = false;
  #stopped = false;
  #foreign: MeditronError | undefined;
  readonly #ended: Promise<void>;

  constructor({ execPath, launch = launchNode, cwd }: ConnectOptions, to: ConnectionListener) {
    this.#transport = startedBy(launch, hostProgram(execPath, cwd));
    this.#heartbeat = new Heartbeat({
      pid: this.#transport.pid,
      ping: count => this.send({ type: 'ping', count }),
      lost: stopped => {
        this.#unresponsive = true;
        this.#stopped = stopped;
        this.kill();
      },
      loading: () => this.#greeted && to.loading(),
    });
    this.#ended = new Promise(resolve => {
      this.#transport.listen({
        message: message => {
          if (!this.#over) this.#take(message as Notice, to);
        },
        print: text => this.#words.add(text),
        end: end => {
          if (this.#over) return;
          this.#over = true;
          this.#heartbeat.watch(false);
          // Not within this call, which may be one to `listen`: who listens does not have this connection yet.
          queueMicrotask(() => {
            to.ended(this.#autopsy(end));
            resolve();
          });
        },
      });
    });
  }

  #autopsy(end: End): Ended {
    const lines = this.#words.lines(this.#unresponsive);
    return {
      ...end,
      greeted: this.#greeted,
      foreign: this.#foreign,
      unresponsive: this.#unresponsive,
      stopped: this.#stopped,
      lastLines: end.error ? [...lines, end.error.message] : lines,
    };
  }

  get pid(): number | undefined {
    return this.#transport.pid;
  }

  send(command: Command): void {
    this.#transport.send(command);
  }

  /** Whether it has work: then it is asked whether it lives, and keeps this program alive. */
  work(working: boolean): void {
    if (this.#over) return;
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
      this.#greeted = true;
      if (notice.protocol === protocolVersion && notice.version === packageVersion()) return;
      this.#foreign = new MeditronError(
        'ERR_ADDON',
        `Expected an engine's process of meditron ${packageVersion()} (protocol ${protocolVersion}), ` +
          `got one of ${notice.version} (protocol ${notice.protocol}): install the package again, then start this program again`,
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
