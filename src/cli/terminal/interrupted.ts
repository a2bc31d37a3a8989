import { MeditronError } from '../../check/errors.js';

/** The work was ended from outside: by a signal, or because nobody reads the output any more. */
export class Interrupted extends MeditronError {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super('ERR_ABORTED', message);
  }
}
