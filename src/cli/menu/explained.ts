import { type ErrorCode, MeditronError } from '../../check/errors.js';

/** What an error means for a person at the menu, before its own words. */
const meanings: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_MEMORY:
    'This computer has not enough free memory for this model. Close other programs, or choose a smaller model.',
  ERR_CONTEXT_FULL: 'The text is too long for this model. Shorten it.',
  ERR_PROMPT_FORMAT:
    'Meditron does not know how this model has to be asked, or the model was not made for this, so it is not asked. Choose another model.',
  ERR_MODEL_FILE: 'The file of the model cannot be read. Was the stick taken out?',
  ERR_MODEL_FORMAT: 'The file of the model is damaged, or is no model. Copy it again.',
  ERR_MODEL_UNSUPPORTED: 'Meditron cannot run this model. Choose another one.',
  ERR_MODEL_LOAD: 'The file of the model is damaged. Copy it again.',
  ERR_NUMERIC: 'The file of the model is damaged. Copy it again.',
  ERR_ADDON: 'A part of Meditron is missing, or does not fit this computer. Check the files (in the menu).',
  ERR_ENGINE_DIED: 'The engine stopped while it was working. Your computer is not harmed. Try it again.',
  ERR_ENGINE_DOWN: 'The engine stopped again and again. Choose another model, or restart the computer.',
};

/** An error in sentences; undefined if it is a fault of the program, which is reported with all there is. */
export function explained(error: unknown): string | undefined {
  if (!(error instanceof MeditronError)) return undefined;
  const meaning = meanings[error.code];
  const message = /[.?!]$/.test(error.message) ? error.message : `${error.message}.`;
  return meaning === undefined ? message : `${meaning}\nIn detail: ${message}`;
}
