import { MeditronError } from '../check/errors.js';
import type { SamplingOptions } from '../engine/jobs/sampling.js';
import type { FormatName } from '../prompt/format/format.js';
import type { Message } from '../prompt/question/question.js';
import { jsonGrammar, schemaGrammar } from '../prompt/schema/grammar.js';
import type { CallOptions, CallResult, CallWarning, PromptMessage } from './types.js';

/** A call in words of ours. */
export interface Call {
  readonly messages: readonly Message[];
  readonly sampling: SamplingOptions;
  readonly seed: number;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly format: FormatName | undefined;
  readonly signal: AbortSignal | undefined;
  /** Grows until the answer begins. */
  readonly warnings: CallWarning[];
}

/** What becomes of a call: text, then its end. */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'end'; readonly warnings: readonly CallWarning[] } & Pick<CallResult, 'finishReason' | 'usage'> &
      Partial<Pick<CallResult, 'providerMetadata'>>);

/** @throws MeditronError `ERR_INPUT` for what is no text; `ERR_GRAMMAR` for a schema that is not supported */
export function callOf(options: CallOptions, signal: AbortSignal | undefined, format: FormatName | undefined): Call {
  const { temperature, topP, topK, presencePenalty, frequencyPenalty, responseFormat, seed = 0 } = options;
  const grammar =
    responseFormat?.type !== 'json'
      ? undefined
      : responseFormat.schema === undefined
        ? jsonGrammar()
        : schemaGrammar(responseFormat.schema);
  return {
    messages: options.prompt.flatMap(messageOf),
    sampling: {
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      ...(topK !== undefined && { topK }),
      ...(presencePenalty !== undefined && { presencePenalty }),
      ...(frequencyPenalty !== undefined && { frequencyPenalty }),
      ...(grammar !== undefined && { grammar }),
    },
    seed,
    maxTokens: options.maxOutputTokens,
    stop: [...(options.stopSequences ?? [])],
    format,
    signal,
    warnings: unsupported(options),
  };
}

function unsupported({ tools = [], reasoning = 'provider-default' }: CallOptions): CallWarning[] {
  const called = {
    type: 'unsupported',
    feature: 'tools',
    details: 'No tools are called: the model answers by itself',
  } as const;
  const thought = {
    type: 'unsupported',
    feature: 'reasoning',
    details: 'The model thinks as its prompt format has it',
  } as const;
  return [...(tools.length > 0 ? [called] : []), ...(reasoning === 'provider-default' ? [] : [thought])];
}

function messageOf({ role, content }: PromptMessage, i: number): Message[] {
  if (role === 'tool') throw refused(i, 'a message of a tool: no tools are called here');
  if (typeof content === 'string') return content === '' ? [] : [{ role, content }];
  const texts = content.map(({ type, text }) => {
    if (type === 'text' && typeof text === 'string') return text;
    if (type === 'reasoning') return ''; // what an answer of before was thought of is not said again
    throw refused(i, `a part of type ${type}: this model reads text alone`);
  });
  const said = texts.join('');
  return said === '' && role !== 'user' ? [] : [{ role, content: said }];
}

function refused(i: number, what: string): MeditronError {
  return new MeditronError('ERR_INPUT', `Expected \`prompt[${i}]\` to be text, got ${what}`);
}
