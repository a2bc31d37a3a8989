import { chatPrompt, roomForAnswer } from '../ask/chat.js';
import type { Engine } from '../engine/engine.js';
import type { SampleEnd } from '../engine/jobs/generation.js';
import type { Model } from '../engine/model.js';
import type { Call, Part } from './call.js';

/** One sample of a conversation. What is refused is thrown before the first part. */
export async function generated(model: Model, engine: Engine, call: Call): Promise<AsyncGenerator<Part, void, void>> {
  const { format, signal, sampling, seed } = call;
  const prompt = await chatPrompt(model, call.messages, { format, signal });
  const maxTokens = engine.settings.sequenceSize;
  const tokens = await model.tokenize(prompt.segments, { bos: prompt.bos, maxTokens, ...(signal && { signal }) });
  const events = engine.generate({
    prompt: tokens,
    samplers: [sampling],
    seed,
    maxTokens: call.maxTokens ?? roomForAnswer(engine.settings, tokens.length, 1),
    stop: [...call.stop, ...prompt.stop],
    stopTokens: prompt.stopTokens,
    signal,
  });
  const first = await events.next();
  return parts(first, events, tokens.length);
}

async function* parts(
  first: Awaited<ReturnType<ReturnType<Engine['generate']>['next']>>,
  events: ReturnType<Engine['generate']>,
  promptTokens: number,
): AsyncGenerator<Part, void, void> {
  try {
    for (let next = first; !next.done; next = await events.next()) {
      const event = next.value;
      if (event.type === 'text') yield { type: 'text', text: event.text };
      else if (event.type === 'end' && event.finish !== 'cancelled') yield endOf(event, promptTokens);
    }
  } finally {
    await events.return();
  }
}

function endOf({ finish, tokens }: SampleEnd, promptTokens: number): Part {
  return {
    type: 'end',
    warnings: [],
    finishReason: { unified: finish === 'length' ? 'length' : 'stop', raw: finish },
    usage: usageOf(promptTokens, tokens.length),
  };
}

export function usageOf(promptTokens: number, sampledTokens: number) {
  return {
    inputTokens: { total: promptTokens, noCache: promptTokens, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: sampledTokens, text: sampledTokens, reasoning: 0 },
  };
}
