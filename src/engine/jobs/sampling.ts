import { MeditronError, optionError } from '../../check/errors.js';
import { checkKeys, integer, number, object, string } from '../../check/options.js';
import { samplingNumbers } from '../../check/sampling.js';
import { checkOptions } from '../../check/table.js';
import type { NativeSampler } from '../../native/addon.js';
import type { Sampling } from '../../types.js';

/** How a sample chooses its tokens; everything that is left out has the default of {@link samplingDefaults}. */
export type SamplingOptions = { readonly [K in keyof Sampling]?: Sampling[K] | undefined };

/** The paper's self-consistency setting is temperature 0.8 with nothing else on; a single sample is greedy. */
export const samplingDefaults: Sampling = {
  ...checkOptions('sampling', samplingNumbers, {}),
  logitBias: new Map(),
  grammar: undefined,
  seed: 0,
};

const keys = Object.keys(samplingDefaults);

/** Checks sampling options and fills in what is missing. `where` names them in error messages, as `samplers[2]`. */
export function completeSampling(options: SamplingOptions, where = 'sampling'): Sampling {
  object(where, options);
  checkKeys(where, options, keys);
  const { logitBias = samplingDefaults.logitBias, grammar, seed = samplingDefaults.seed, ...numbers } = options;
  const name = (key: string) => `${where}.${key}`;
  return {
    ...checkOptions(where, samplingNumbers, numbers, name),
    logitBias: checkBias(name('logitBias'), logitBias),
    grammar: grammar === undefined ? undefined : string(name('grammar'), grammar),
    // 2^32 - 1 means "random" to llama.cpp, and nothing here is.
    seed: integer(name('seed'), seed, 0, 0xfffffffe),
  };
}

/** Sampling options as the native side takes them. */
export function nativeSampler(sampling: Sampling): NativeSampler {
  return {
    ...sampling,
    grammar: sampling.grammar ?? '',
    biasTokens: Int32Array.from(sampling.logitBias.keys()),
    biases: Float32Array.from(sampling.logitBias.values()),
  };
}

function checkBias(option: string, value: unknown): ReadonlyMap<number, number> {
  if (!(value instanceof Map)) throw optionError(option, 'a Map from token ids to numbers', value);
  if (value.size > 10_000) throw optionError(option, 'a Map of at most 10000 tokens', value.size);
  for (const [token, bias] of value) {
    integer(`${option} token`, token, 0, 0x7fffffff);
    if (bias !== -Infinity) number(`${option} of token ${token}`, bias, -1e9, 1e9);
  }
  return value as Map<number, number>;
}

/** Refuses combinations that llama.cpp would answer by ending the process. */
export function checkTogether(sampling: Sampling, ends: readonly number[] | undefined): void {
  if (sampling.grammar !== undefined && ends?.length === 0) {
    throw new MeditronError(
      'ERR_OPTION',
      'Expected a token that ends a sample beside `grammar`, got `ignoreEnd` or no `ends`: a finished grammar allows nothing but the end',
    );
  }
}
