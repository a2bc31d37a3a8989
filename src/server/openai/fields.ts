import { EngineDied } from '../../check/died.js';
import { MeditronError } from '../../check/errors.js';
import type { samplingNumbers } from '../../check/sampling.js';
import { RequestError } from '../error.js';
import type { Common } from './request.js';

/** Names of fields, by the option of ours that they are. */
export const numberFields = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  minP: 'min_p',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  repeatPenalty: 'repetition_penalty',
} as const satisfies Record<keyof typeof samplingNumbers, keyof Common>;

const fields: Readonly<Record<string, string>> = { ...numberFields, logitBias: 'logit_bias', maxTokens: 'max_tokens' };

/** Messages of the library name its options; the client has sent fields. */
export function inFields(error: unknown): unknown {
  if (!(error instanceof MeditronError) || error instanceof RequestError || error instanceof EngineDied) return error;
  const message = error.message.replace(/`(?:samplers\[\d+\]\.)?(\w+)`/g, (whole, option) =>
    Object.hasOwn(fields, option) ? `\`${fields[option]}\`` : whole,
  );
  return message === error.message ? error : new MeditronError(error.code, message, { cause: error });
}
