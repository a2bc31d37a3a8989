import { randomInt } from 'node:crypto';
import { MeditronError, optionError } from '../../check/errors.js';
import { samplingNumbers } from '../../check/sampling.js';
import type { Engine } from '../../engine/engine.js';
import type { SamplingOptions } from '../../engine/jobs/sampling.js';
import { jsonGrammar, schemaGrammar } from '../../prompt/schema/grammar.js';
import { RequestError } from '../error.js';
import { numberFields as fields } from './fields.js';
import type { Common } from './request.js';

/** How the samples of a request are made, as the engine takes it. */
export interface Sampled {
  readonly samplers: readonly SamplingOptions[];
  readonly seed: number;
  readonly stop: readonly string[];
}

const mostStops = 16;

/** Beyond this a whole number is not exact, nor a seed of the engine. */
const seeds = 2 ** 53;

export function sampledOf(request: Common, { settings, model }: Engine): Sampled {
  const { n, seed } = request;
  if (n > settings.maxSequences)
    throw optionError('n', `at most ${settings.maxSequences}, as many samples as this server runs at once`, n);
  const sampler = samplerOf(request, model.info.vocabulary.size);
  return {
    samplers: Array.from({ length: n }, () => sampler),
    // Of a greedy request every sample is the same, and without a seed the others are not.
    seed: seed === undefined ? randomInt(2 ** 47) : ((seed % seeds) + seeds) % seeds,
    stop: stopsOf(request),
  };
}

/** Those of the client; what ends a turn of the format comes beside them. */
function stopsOf({ stop = [] }: Common): readonly string[] {
  const texts = (typeof stop === 'string' ? [stop] : stop).filter(text => text !== '');
  if (texts.length > mostStops) throw optionError('stop', `at most ${mostStops} texts`, texts.length);
  return texts;
}

function samplerOf(request: Common, vocabulary: number): SamplingOptions {
  const numbers = Object.entries(fields).map(([option, field]) => {
    const given = request[field];
    if (given === undefined)
      return [option, option === 'temperature' ? 1 : samplingNumbers[option as keyof typeof fields].default];
    const value = spelled(option as keyof typeof fields, given);
    return [option, samplingNumbers[option as keyof typeof fields].kind.check(field, value)];
  });
  const grammar = grammarOf(request);
  return {
    ...(Object.fromEntries(numbers) as Record<keyof typeof fields, number>),
    ...(request.logit_bias && { logitBias: biasOf(request.logit_bias, vocabulary) }),
    ...(grammar !== undefined && { grammar }),
  };
}

/** As OpenAI and others spell it: a `top_k` of -1 is of all tokens, a `top_p` of 0 of the most probable one alone. */
function spelled(option: keyof typeof fields, given: number): number {
  if (option === 'topK' && given === -1) return 0;
  return option === 'topP' && given === 0 ? Number.MIN_VALUE : given;
}

function biasOf(given: Readonly<Record<string, number>>, vocabulary: number): ReadonlyMap<number, number> {
  const refused = (expected: string, got: unknown) => optionError('logit_bias', `an object with ${expected}`, got);
  return new Map(
    Object.entries(given).map(([token, bias]) => {
      const id = /^\d{1,9}$/.test(token) ? Number(token) : token;
      if (typeof id === 'string' || id >= vocabulary)
        throw refused(`token ids from 0 to ${vocabulary - 1} as its keys`, id);
      if (Math.abs(bias) > 100) throw refused('numbers from -100 to 100', bias);
      return [id, bias];
    }),
  );
}

function grammarOf({ response_format, grammar }: Common): string | undefined {
  const type = response_format?.type ?? 'text';
  if (type === 'text') return grammar;
  if (grammar !== undefined)
    throw new MeditronError('ERR_OPTION', `Expected \`grammar\` to be left out beside \`response_format\` ${type}`);
  if (type === 'json_object') return jsonGrammar();
  const schema = response_format?.json_schema?.schema;
  if (schema === undefined || schema === null)
    throw new RequestError(
      400,
      'Expected `response_format.json_schema.schema` to be a JSON schema, got none',
      'response_format.json_schema.schema',
      {},
      'ERR_OPTION',
    );
  return schemaGrammar(schema);
}
