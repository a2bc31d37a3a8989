import type { AnswererModel } from '../answerer/answerer.js';
import { MeditronError } from '../check/errors.js';
import { modelHash } from '../models/identity.js';
import {
  type FormatChoice,
  factsFor,
  formatForModel,
  identityOf,
  identityTokens,
  type ModelIdentity,
} from '../models/known.js';
import type { ModelFacts } from '../models/registry.js';
import type { FormatName, PromptFormat } from '../prompt/format/format.js';
import { formatByName } from '../prompt/format/formats.js';

/** A prompt format, and how it came to be chosen. */
export interface ChosenFormat {
  readonly format: PromptFormat;
  /** Undefined if the caller named the format. */
  readonly choice: FormatChoice | undefined;
  /** What is published of the model; null if it is not known which it is. */
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
  return { format, choice, facts: choice ? choice.facts : await publishedFacts(model) };
}

/** What is published of a model, however it is asked; null if it is not known which it is. */
export async function publishedFacts(model: AnswererModel): Promise<ModelFacts | null> {
  return factsFor(await identified(model));
}

async function identified(model: AnswererModel): Promise<ModelIdentity> {
  const ids = await Promise.all(identityTokens.map(async text => [text, await model.special(text)] as const));
  return identityOf(
    model.info,
    Object.fromEntries(ids.flatMap(([text, id]) => (id === undefined ? [] : [[text, id]]))),
  );
}

async function knownChoice(model: AnswererModel, signal: AbortSignal | undefined): Promise<FormatChoice> {
  const identity = await identified(model);
  try {
    return formatForModel(identity);
  } catch (error) {
    // Only published files are known by hash, and all of them have this token: others are not read for nothing.
    if (!(error instanceof MeditronError) || identity.tokens?.['<EOD>'] === undefined) throw error;
    return formatForModel({ ...identity, sha256: (await modelHash(model.info, signal))[0]!.sha256 });
  }
}
