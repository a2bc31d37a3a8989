/**
 * Every error this package throws on purpose is a {@link MeditronError}. Programs switch on `code`, which is part of
 * the API; the message is for people, says what was expected, what came and what to do, and may change.
 */
export type ErrorCode =
  | 'ERR_OPTION' // an option or argument is wrong: fix the call
  | 'ERR_INPUT' // a question, record or data file cannot be used
  | 'ERR_OUTPUT' // a file could not be written
  | 'ERR_MODEL_FILE' // the model file is missing, unreadable or not a file
  | 'ERR_MODEL_FORMAT' // the file is not a usable GGUF: truncated, damaged, of another version
  | 'ERR_MODEL_UNSUPPORTED' // a GGUF, but not a model this engine runs: vocabulary only, unknown architecture
  | 'ERR_MODEL_LOAD' // llama.cpp refused a file that passed our checks
  | 'ERR_LORA' // an adapter cannot be used with this model
  | 'ERR_MEMORY' // what was asked for does not fit in memory
  | 'ERR_CONTEXT_FULL' // prompt and new tokens do not fit in the context; never truncated silently
  | 'ERR_DECODE' // llama.cpp could not evaluate a batch
  | 'ERR_NUMERIC' // the model produced a logit that is not a finite number: damaged weights
  | 'ERR_GRAMMAR' // a grammar is malformed, too ambiguous, or allows no token
  | 'ERR_PROMPT_FORMAT' // no prompt format is known for this model; choices are listed
  | 'ERR_CALIBRATION' // a calibration was made with another model, or with other options; all that differs is named
  | 'ERR_BUSY' // the native object is in use
  | 'ERR_CLOSED' // the model or engine has been closed
  | 'ERR_ABORTED' // the work was cancelled and no other reason was given
  | 'ERR_ENDPOINT' // a server that was asked does not answer, or not as expected
  | 'ERR_ADDON' // the native addon is missing, or built against another llama.cpp release
  | 'ERR_ENGINE_DIED' // the process of an isolated engine died under the work: see EngineDied
  | 'ERR_QUARANTINED' // the request was running when two engines in a row crashed: it is not run again
  | 'ERR_ENGINE_DOWN' // an isolated engine died again and again: it is not started any more
  | 'ERR_REQUEST' // a server refuses an HTTP request: where it comes from, its key, its form, its size
  | 'ERR_UNKNOWN_MODEL' // a server has no model of that name; those it has are listed
  | 'ERR_QUEUE_FULL' // a server has as many requests waiting as it takes: try again later
  | 'ERR_NATIVE'; // llama.cpp or the addon failed in a way none of the above describes

/** An error that is thrown on purpose: `code` for programs, `message` for people, and what caused it as `cause`. */
export class MeditronError extends Error {
  /** `MeditronError`, also of its subclasses. */
  override readonly name: string = 'MeditronError';

  constructor(
    /** What kind of error it is, for programs. */
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The exit code of the `meditron` command for each error code. 0 is success, 1 anything not listed, 130 Ctrl-C. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  ERR_OPTION: 2,
  ERR_INPUT: 3,
  ERR_OUTPUT: 3,
  ERR_MODEL_FILE: 4,
  ERR_MODEL_FORMAT: 4,
  ERR_MODEL_UNSUPPORTED: 4,
  ERR_MODEL_LOAD: 4,
  ERR_LORA: 4,
  ERR_PROMPT_FORMAT: 4,
  ERR_MEMORY: 5,
  ERR_CONTEXT_FULL: 5,
  ERR_DECODE: 6,
  ERR_NUMERIC: 6,
  ERR_GRAMMAR: 2,
  ERR_CALIBRATION: 2,
  ERR_BUSY: 6,
  ERR_CLOSED: 6,
  ERR_ENDPOINT: 6,
  ERR_ABORTED: 130,
  ERR_ADDON: 7,
  ERR_NATIVE: 6,
  ERR_ENGINE_DIED: 6,
  ERR_QUARANTINED: 6,
  ERR_ENGINE_DOWN: 6,
  ERR_REQUEST: 6,
  ERR_UNKNOWN_MODEL: 6,
  ERR_QUEUE_FULL: 6,
};

/** The caller passed something that cannot be used: `` Expected `stop[0]` to be a text of at most 256 characters, got a text of 300 ``. */
export function optionError(option: string, expected: string, actual: unknown): MeditronError {
  return new MeditronError('ERR_OPTION', `Expected \`${option}\` to be ${expected}, got ${describe(actual)}`);
}

/** The same of an option that takes a number or one of a few words: `` Expected `maxTokens` to be an integer >= 1, got "a" (string) ``. */
export function wordError(option: string, expected: string, actual: unknown): MeditronError {
  return new MeditronError('ERR_OPTION', `Expected \`${option}\` to be ${expected}, got ${quoted(actual)}`);
}

/**
 * A value as it is shown in error messages, which end in logs. A text may be a prompt, an answer or a patient's name, so that only its
 * length is shown, and the text itself if it is a single character.
 */
export function describe(value: unknown): string {
  if (value === '') return 'an empty text';
  if (typeof value === 'string' && [...value].length > 1) return `a text of ${value.length} characters`;
  return quoted(value);
}

/** The same with texts as they are, at most 60 characters of them: for what cannot be text from a prompt or an answer. */
export function quoted(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`;
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return `${short} (${typeof value})`;
}

/** A key or field as error messages name it. Names are short; what is longer may be a text in the wrong place, and is not shown. */
export function named(key: string): string {
  return /^[\p{L}\p{N}_$][\p{L}\p{N}\p{M}_$.\- ]{0,31}$/u.test(key)
    ? `\`${key}\``
    : `a name of ${key.length} characters`;
}
