import { type ErrorCode, MeditronError } from '../check/errors.js';

export function closedError(): MeditronError {
  return new MeditronError('ERR_CLOSED', 'The engine is closed');
}

/** Errors of the addon carry a code of ours; anything else is a fault of ours. */
export function toMeditronError(error: unknown): unknown {
  if (error instanceof MeditronError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && code.startsWith('ERR_')
    ? new MeditronError(code as ErrorCode, error.message, { cause: error })
    : error;
}
