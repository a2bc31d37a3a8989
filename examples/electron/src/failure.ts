import { MeditronError } from 'meditron';
import type { Failure } from './shared.js';

/** An error of the app's own. */
export class AppError extends Error {
  constructor(
    readonly code: Extract<Failure['code'], `APP_${string}`>,
    message: string,
  ) {
    super(message);
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof MeditronError || error instanceof AppError) return { code: error.code, message: error.message };
  // What somebody else's error says may quote what it was given: only where it was thrown is told, and only to the terminal.
  const { name, stack = '' } = error instanceof Error ? error : new Error();
  const places = stack.split('\n').filter(line => /^\s+at /.test(line));
  console.error([name, ...places].join('\n'));
  return { code: 'APP_FAULT', message: 'Something failed that should not have. Please ask again.' };
}
