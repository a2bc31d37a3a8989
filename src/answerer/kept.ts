import { lstat } from 'node:fs/promises';
import { MeditronError } from '../check/errors.js';
import { tryOutput } from '../check/outputs.js';
import type { Engine } from '../engine/engine.js';
import type { Held } from '../engine/held.js';
import { userKey } from '../engine/saved/key.js';
import { leastCached } from './beginning.js';
import type { Beginning } from './engine.js';

type PrefixEngine = Pick<Engine, 'prefix' | 'savePrefix' | 'restorePrefix'>;

/** A beginning that is kept in a file. */
export interface KeptBeginning extends Beginning {
  /** Whether it was loaded, or evaluated and saved for the next time; null if it could not be saved. */
  readonly from: 'file' | 'evaluation' | null;
  readonly warnings: readonly string[];
}

/**
 * Finds out before a model is loaded whether a beginning can be kept in a file that is not there yet.
 *
 * @throws MeditronError `ERR_OUTPUT` if it cannot be written, or if nothing may be kept (`MEDITRON_STATE`); `ERR_INPUT` if the key in the
 *   state folder cannot be used
 */
export async function tryKept(path: string): Promise<void> {
  if (await isThere(path)) return;
  await tryOutput(path);
  await userKey();
}

/**
 * What prompts begin with, from a file if it is there, else evaluated and saved in it. What is loaded is to the last bit what this engine
 * would evaluate; any other file is refused and stays as it is.
 *
 * @throws MeditronError `ERR_INPUT` with what is wrong with the file or differs; `ERR_OUTPUT` as {@link tryKept}; what Engine.prefix throws
 */
export async function keptBeginning(
  engine: PrefixEngine,
  tokens: Int32Array,
  path: string,
  signal?: AbortSignal,
): Promise<KeptBeginning> {
  if (await isThere(path)) {
    const held = await engine.restorePrefix(path, { tokens, signal }).catch(error => {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_INPUT') throw error;
      const advice = 'To have the beginning evaluated and saved anew, name another file or remove this one';
      throw new MeditronError(error.code, `${error.message}. ${advice}.`, { cause: error });
    });
    return { held, tokens, from: 'file', warnings: [] };
  }
  await tryKept(path);
  const held = await engine.prefix(tokens, { signal });
  try {
    await engine.savePrefix(held, path, { signal });
    return { held, tokens, from: 'evaluation', warnings: [] };
  } catch (error) {
    return unsaved(error, held, tokens);
  }
}

/** What has been evaluated serves all the same where it could not be written. */
function unsaved(error: unknown, held: Held, tokens: Int32Array): KeptBeginning {
  if (error instanceof MeditronError && error.code === 'ERR_OUTPUT')
    return { held, tokens, from: null, warnings: [`The beginning of the prompts was not saved: ${error.message}`] };
  held.release();
  throw error;
}

/** Why so few tokens are not kept; undefined if there are enough. */
export function tooShortToKeep(tokens: Int32Array): string | undefined {
  if (tokens.length >= leastCached) return undefined;
  return `Nothing is kept of the prompts: they have fewer than ${leastCached} tokens in common that are not the question's`;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'; // what cannot be looked at is refused with the reason
  }
}
