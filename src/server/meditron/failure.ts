import { EngineDied } from '../../check/died.js';
import { errorBody } from '../error.js';
import type { FailedEvent, Failure } from './protocol.js';

/** An error as a stream that has begun ends with it. */
export function failureOf(error: unknown): Failure {
  const { error: failure } = errorBody(error);
  const details = error instanceof EngineDied ? { details: error.death.lastLines } : {};
  return { ...(failure as Failure), ...details };
}

export function failed(error: unknown): FailedEvent {
  return { type: 'failed', error: failureOf(error) };
}
