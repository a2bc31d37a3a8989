import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { EngineDied } from '../check/died.js';
import { type ErrorCode, MeditronError } from '../check/errors.js';
import type { ErrorBody } from './meditron/protocol.js';

/** A request that is refused with a status of its own. */
export class RequestError extends MeditronError {
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    /** The field that is wrong. */
    readonly param: string | null = null,
    readonly headers: Readonly<Record<string, string>> = {},
    code: ErrorCode = 'ERR_REQUEST',
  ) {
    super(code, message);
  }
}

/** Every error as a response. What was not thrown on purpose says nothing of itself: it might quote a prompt. */
export function errorResponse(error: unknown, c: Context): Response {
  const headers = error instanceof RequestError ? error.headers : {};
  const status = statusOf(error);
  const retry = status === 429 || status === 503 ? { 'Retry-After': '1' } : {};
  return c.json(errorBody(error), status, { ...retry, ...headers });
}

function statusOf(error: unknown): ContentfulStatusCode {
  if (error instanceof RequestError) return error.status;
  if (error instanceof SyntaxError && error.message.includes('JSON')) return 400; // of a body that is empty
  if (error instanceof HTTPException) return error.status as ContentfulStatusCode;
  return error instanceof MeditronError ? statuses[error.code] : 500;
}

/** The body of {@link errorResponse}; also what a stream that has begun ends with. */
export function errorBody(error: unknown): ErrorBody {
  const status = statusOf(error);
  const known = error instanceof MeditronError;
  const message = known
    ? error.message
    : status < 500
      ? 'Expected the body to be JSON of the form that /openapi.json describes'
      : 'meditron itself failed. The server goes on; please report it with what you did';
  return {
    error: {
      message,
      type: typeOf(status),
      param: error instanceof RequestError ? error.param : known ? paramOf(error) : null,
      code: known ? error.code : status < 500 ? 'ERR_REQUEST' : 'ERR_FAULT',
      ...(error instanceof EngineDied && { details: error.death.lastLines }),
    },
  };
}

/** The option or field that a message of ours names first: ``Expected `maxTokens` to be …``. */
function paramOf({ code, message }: MeditronError): string | null {
  if (code === 'ERR_UNKNOWN_MODEL') return 'model';
  return ['ERR_OPTION', 'ERR_INPUT'].includes(code) ? (/^Expected `([^`]{1,60})`/.exec(message)?.[1] ?? null) : null;
}

function typeOf(status: number): string {
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

const statuses: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  ERR_OPTION: 400,
  ERR_INPUT: 400,
  ERR_GRAMMAR: 400,
  ERR_CONTEXT_FULL: 400,
  ERR_PROMPT_FORMAT: 400,
  ERR_CALIBRATION: 400,
  ERR_REQUEST: 400,
  ERR_LORA: 400,
  ERR_QUARANTINED: 400,
  ERR_UNKNOWN_MODEL: 404,
  ERR_QUEUE_FULL: 429,
  ERR_ABORTED: 499 as ContentfulStatusCode,
  ERR_OUTPUT: 500,
  ERR_NUMERIC: 500,
  ERR_DECODE: 500,
  ERR_NATIVE: 500,
  ERR_ENDPOINT: 502,
  ERR_MODEL_FILE: 503,
  ERR_MODEL_FORMAT: 503,
  ERR_MODEL_UNSUPPORTED: 503,
  ERR_MODEL_LOAD: 503,
  ERR_MEMORY: 503,
  ERR_BUSY: 503,
  ERR_CLOSED: 503,
  ERR_ADDON: 503,
  ERR_ENGINE_DIED: 503,
  ERR_ENGINE_DOWN: 503,
};
