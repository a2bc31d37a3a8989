import type { AnswererModel } from '../answerer/answerer.js';
import { MeditronError } from '../check/errors.js';
import type { ModelFacts } from '../models/family.js';
import { modelHash } from '../models/identity.js';
import { type FormatChoice, factsOf, formatForModel, identityOf, identityTokens, modelNamed } from '../models/known.js';
import type { FormatName, PromptFormat } from '../prompt/format/format.js';
import { formatByName } from '../prompt/format/formats.js';

/** A prompt format, and how it came to be chosen. */
export interface ChosenFormat {
  readonly format: PromptFormat;
  /** Undefined if the caller named the format. */
  readonly choice: FormatChoice | undefined;
  /** What is published of the model, by its name alone where the caller named the format; null if it is not known. */
  readonly facts: ModelFacts | null;
}

/**
 * The format that was named, or the one known for the model: by its name or vocabulary, else by the hash of its file.
 *
 * @throws MeditronError `ERR_PROMPT_FORMAT` with the choices for an unknown model; nothing is guessed
 */
export async function chooseFormat(
  model: AnswererModel,
  name: FormatName | undefined,
  signal?: AbortSignal,
): Promise<ChosenFormat> {
  const choice = name === undefined ? await knownChoice(model, signal) : undefined;
  const { info } = model;
  const tokenText = (role: string) => info.specialTokens[role]?.text ?? undefined;
  const [bosToken, eosToken] = [tokenText('bos'), tokenText('eos')];
  const format = formatByName(name ?? choice!.format, {
    ...(info.chatTemplate !== null && { chatTemplate: info.chatTemplate }),
    ...(bosToken !== undefined && { bosToken }),
    ...(eosToken !== undefined && { eosToken }),
  });
  const named = modelNamed([info.name, info.path]);
  return { format, choice, facts: choice ? choice.facts : named ? factsOf(named) : null };
}

async function knownChoice(model: AnswererModel, signal: AbortSignal | undefined): Promise<FormatChoice> {
  const { info } = model;
  const tokens: Record<string, number> = {};
  for (const text of identityTokens) {
    const id = await model.special(text);
    if (id !== undefined) tokens[text] = id;
  }
  const identity = identityOf(info, tokens);
  try {
    return formatForModel(identity);
  } catch (error) {
    // Only published files are known by hash, and all of them have this token: others are not read for nothing.
    if (!(error instanceof MeditronError) || tokens['<EOD>'] === undefined) throw error;
    return formatForModel({ ...identity, sha256: (await modelHash(info, signal))[0]!.sha256 });
  }
}
