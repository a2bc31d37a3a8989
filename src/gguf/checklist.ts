import { type ErrorCode, MeditronError } from '../check/errors.js';

/** Why a model file cannot be used. */
export interface Problem {
  /** The code of the error that loading it would throw. */
  readonly code: ErrorCode;
  /** What was expected, what the file has, and what to do. */
  readonly message: string;
}

/** Collects what is wrong with one file, so that it can be shown as a list or thrown. */
export class Checklist {
  readonly problems: Problem[] = [];

  constructor(readonly path: string) {}

  get clean(): boolean {
    return this.problems.length === 0;
  }

  /** The file is damaged or was made wrongly. */
  damaged(expected: string, got: string, advice = 'download the file again, or convert the model again'): void {
    this.#add('ERR_MODEL_FORMAT', expected, got, advice);
  }

  /** The file is sound, but nothing this engine runs. */
  unsupported(expected: string, got: string, advice: string): void {
    this.#add('ERR_MODEL_UNSUPPORTED', expected, got, advice);
  }

  throwFirst(): void {
    const first = this.problems[0];
    if (first !== undefined) throw new MeditronError(first.code, first.message);
  }

  #add(code: ErrorCode, expected: string, got: string, advice: string): void {
    this.problems.push({ code, message: `${this.path}: expected ${expected}, got ${got}; ${advice}` });
  }
}
