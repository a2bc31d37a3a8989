/** How a host's process ended. */
export interface End {
  /** The signal that ended it; null where it ended by an exit code, or never started. */
  readonly signal: string | null;
  /** Null where a signal ended it, or it never started. */
  readonly exitCode: number | null;
  /** Why it could not be started, if that is so. */
  readonly error?: Error | undefined;
}

/**
 * Carries messages to a host's process and back, whole and in order. Values are plain data as structured clone has it. One is given
 * (a Node process with an IPC channel); a program that has its own way of starting processes brings another.
 */
export interface Transport {
  /** The process's id; undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Never throws: a message to a process that is gone is dropped, and its end is told. */
  send(message: unknown): void;
  /** `message` for every message, `print` for what the process writes to its standard streams, `end` once, after all of them. */
  listen(to: {
    readonly message: (message: unknown) => void;
    readonly print: (text: string) => void;
    readonly end: (end: End) => void;
  }): void;
  /** Ends the process at once, whatever it does. */
  kill(): void;
  /** Whether the process keeps the program that started it alive. It does at first. */
  hold(alive: boolean): void;
}

/** What a process is started with. */
export interface LaunchOptions {
  /** The program to run: a JavaScript file. */
  readonly script: string;
  /** The Node to run it with. */
  readonly execPath: string;
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder it is started in. */
  readonly cwd: string;
}

/** Starts a process. It does not throw: what goes wrong is its end. */
export type Launch = (options: LaunchOptions) => Transport;
