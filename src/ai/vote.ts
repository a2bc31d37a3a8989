import { ask } from '../ask/ask.js';
import type { Answer } from '../ask/types.js';
import { MeditronError } from '../check/errors.js';
import type { Engine } from '../engine/engine.js';
import type { Question } from '../prompt/question/question.js';
import { readQuestionText } from '../prompt/question/text.js';
import type { Call, Part } from './call.js';
import { usageOf } from './generate.js';
import type { CallWarning, JsonObject } from './types.js';

/** The question of a call on which samples can vote; undefined, with a warning, if it is none. */
export function countable(
  call: Call,
): { readonly question: Question; readonly system: string | undefined } | undefined {
  const [last, ...before] = [...call.messages].reverse();
  const why = (reason: string) => {
    call.warnings.push({
      type: 'unsupported',
      feature: 'selfConsistency',
      details: `${reason}; one answer was generated, and nothing counted`,
    });
    return undefined;
  };
  if (call.sampling.grammar !== undefined) return why('An answer in JSON is not voted on');
  if (last?.role !== 'user' || before.some(({ role }) => role !== 'system'))
    return why('Samples vote on a single question, not within a conversation');
  try {
    const { question } = readQuestionText(last.content);
    if (question.kind !== 'choice' && question.kind !== 'boolean')
      return why('The message lists no options between which samples could decide');
    call.warnings.push(...notInVotes(call));
    const system = before
      .map(({ content }) => content)
      .reverse()
      .join('\n\n');
    return { question, system: system === '' ? undefined : system };
  } catch (error) {
    if (error instanceof MeditronError && error.code === 'ERR_INPUT') return why(error.message);
    throw error;
  }
}

/** Several chains of thought and their vote. The text is the winner's most probable chain; where they do not agree it says so first. */
export async function* voted(
  engine: Engine,
  { question, system }: NonNullable<ReturnType<typeof countable>>,
  call: Call,
  samples: number,
): AsyncGenerator<Part, void, void> {
  const { temperature, topP, topK } = call.sampling;
  const answer = await ask(engine, question, {
    samples,
    seed: call.seed,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(call.maxTokens !== undefined && { maxTokens: call.maxTokens }),
    ...(call.format !== undefined && { format: call.format }),
    ...(system !== undefined && { system }),
    ...(call.signal && { signal: call.signal }),
  });
  yield { type: 'text', text: textOf(answer) };
  const { promptTokens, sampledTokens } = answer.evidence.cost;
  yield {
    type: 'end',
    warnings: answer.warnings.map(message => ({ type: 'other', message })),
    finishReason: { unified: 'stop', raw: answer.decision ?? undefined },
    usage: usageOf(promptTokens, sampledTokens),
    providerMetadata: { meditron: metadataOf(answer) },
  };
}

function notInVotes({ sampling, stop }: Call): CallWarning[] {
  const { presencePenalty, frequencyPenalty } = sampling;
  const stopSequences = stop.length > 0 ? stop : undefined;
  return Object.entries({ presencePenalty, frequencyPenalty, stopSequences })
    .filter(([, value]) => value !== undefined)
    .map(([feature]) => ({
      type: 'unsupported',
      feature,
      details: 'Samples that are counted are drawn without penalties, to their end',
    }));
}

function textOf({ decision, summary, rationale }: Answer): string {
  const reason = rationale?.text ?? '';
  return decision === 'agree' ? reason : `No agreement: ${summary}${reason === '' ? '' : `\n\n${reason}`}`;
}

/** The vote as JSON, with the record that `replay` runs again. */
function metadataOf({
  answer,
  decision,
  reason,
  summary,
  votes,
  rationale,
  dissent,
  samples,
  warnings,
  notice,
  evidence,
}: Answer): JsonObject {
  const texts = samples.map(({ index, answer, text }) => ({ index, answer, text }));
  const told = {
    answer,
    decision,
    reason,
    summary,
    votes,
    rationale,
    dissent,
    samples: texts,
    warnings,
    notice,
    evidence,
  };
  return JSON.parse(JSON.stringify(told)) as JsonObject;
}
