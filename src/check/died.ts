import { basename } from 'node:path';
import { MeditronError } from './errors.js';

/** What an isolated engine was doing when its process died. */
export type Phase = 'start' | 'load' | 'idle' | 'tokenize' | 'prompt' | 'decode';

/** How the process of an isolated engine ended, and what is known of why. */
export interface Death {
  /** The signal that ended it, as `SIGABRT`; null where it ended by an exit code. */
  readonly signal: string | null;
  /** Null where a signal ended it. On Windows a fault ends a process by its code: 3221225477 is an access violation. */
  readonly exitCode: number | null;
  /** What it was doing when it ended. */
  readonly phase: Phase;
  /** Somebody else's process sent the signal, or the system did because memory ran out: what it was doing is not at fault. */
  readonly external: boolean;
  /** It was ended because it no longer answered: it hung, or was stopped. */
  readonly unresponsive: boolean;
  /** The model it ran. */
  readonly model: {
    /** Path of the model file. */
    readonly path: string;
    /** Null unless the file has been hashed or is small. */
    readonly sha256: string | null;
  };
  /** Names of the devices it computed on; while it loads, of the GPUs that weights go to. Empty before they are known. */
  readonly devices: readonly string[];
  /** The last lines it printed, oldest first: an assertion's text, a driver's error. */
  readonly lastLines: readonly string[];
}

/** The process of an isolated engine died, and with it the work it was doing. Model and engine go on in a new one. */
export class EngineDied extends MeditronError {
  constructor(
    /** How the process ended, and what is known of why. */
    readonly death: Death,
  ) {
    super('ERR_ENGINE_DIED', describeDeath(death));
  }
}

/** As `The engine's process was ended by SIGABRT while it decoded on CUDA0 (meditron-7b.gguf, SHA-256 1f3…): "CUDA error"`. */
export function describeDeath(death: Death): string {
  const { path, sha256 } = death.model;
  return describeEnd(death, ` (${basename(path)}${sha256 === null ? '' : `, SHA-256 ${sha256}`})`);
}

/** The same without the model; `of` stands before the last words. */
export function describeEnd(death: Omit<Death, 'model'>, of = ''): string {
  const { signal, exitCode, devices, lastLines, phase } = death;
  const where = devices.length > 0 && phase !== 'start' ? ` on ${devices.join(', ')}` : '';
  const said = lastLines.length > 0 ? `. Its last words: ${lastLines.join(' | ')}` : ' and printed nothing';
  const started = signal !== null || exitCode !== null;
  return `The engine's process ${endInWords(death)}${started ? ` ${phaseInWords[phase]}` : ''}${where}${of}${said}`;
}

function endInWords({ signal, exitCode, unresponsive, external }: Omit<Death, 'model'>): string {
  if (signal === null && exitCode === null) return 'could not be started';
  if (unresponsive) return 'no longer answered and was ended';
  if (signal !== null && external && signal !== 'SIGKILL') return `was ended by ${signal}, which another process sent,`;
  if (signal !== null) return `was ended by ${signal}${causes[signal] ? ` (${causes[signal]})` : ''}`;
  const code = exitCode ?? 0;
  const status = code > 0xffff ? `status 0x${code.toString(16).padStart(8, '0')}` : `exit code ${code}`;
  const cause = external && code === 1 ? 'ended from outside, as by the Task Manager' : statuses[code];
  return `ended with ${status}${cause ? ` (${cause})` : ''}`;
}

/** What Windows ends a process with, and Node and the addon there: NTSTATUS values of Microsoft's ntstatus.h. */
const statuses: Readonly<Record<number, string>> = {
  134: 'a failed check of llama.cpp or a driver',
  3221225477: 'a memory fault',
  3221225478: 'a file that could not be read while it was mapped: a drive that was taken out, say',
  3221225495: 'memory ran out',
  3221225501: 'an instruction this processor does not have',
  3221225620: 'an arithmetic fault',
  3221225725: 'the stack overflowed',
  3221225773: 'memory ran out',
  3221225781: 'a library that it needs was not found',
  3221225786: 'ended by Ctrl-C, or because its window was closed',
  3221225794: 'a library could not be started, as when the user logs off',
  3221226356: 'a memory fault',
  3221226505: 'a failed check of llama.cpp or a driver',
  3765269347: 'an error that nothing caught',
};

const causes: Readonly<Record<string, string>> = {
  SIGABRT: 'a failed check of llama.cpp or a driver',
  SIGSEGV: 'a memory fault',
  SIGBUS: 'a model file that was cut short or changed while it was mapped, or a memory fault',
  SIGILL: 'an instruction this processor does not have, or a GPU kernel that failed',
  SIGFPE: 'an arithmetic fault',
  SIGKILL: 'ended from outside, or by the system because memory ran out',
};

const phaseInWords: Readonly<Record<Phase, string>> = {
  start: 'while it started',
  load: 'while it loaded the model',
  idle: 'while it had nothing to do',
  tokenize: 'while it tokenized',
  prompt: 'while it evaluated a prompt',
  decode: 'while it decoded',
};
