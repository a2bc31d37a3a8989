import type { AskEngine } from '../../ask/surface.js';
import type { Held } from '../../engine/held.js';
import type { Prompt } from '../../engine/jobs/options.js';

/** Below this a shared beginning is not worth a sequence of its own. */
export const leastShared = 16;

/**
 * The same engine with a beginning already evaluated: jobs whose prompt begins like `tokens` start from what is held, as far
 * as they agree, and evaluate the rest. Who asks does not notice. The caller releases `held` when nothing runs any more.
 */
export function sharing(engine: AskEngine, held: Held, tokens: Int32Array): AskEngine {
  const begun = <T extends { readonly prompt: Prompt; readonly from?: Held | undefined }>(options: T): T => {
    const { prompt, from } = options;
    if (from || !(prompt instanceof Int32Array)) return options;
    const count = Math.min(commonLength([prompt, tokens]), prompt.length - 1);
    if (count < leastShared) return options;
    return { ...options, prompt: prompt.slice(count), from: count === tokens.length ? held : held.first(count) };
  };
  return {
    model: engine.model,
    settings: engine.settings,
    counters: engine.counters,
    generate: options => engine.generate(begun(options)),
    score: options => engine.score(begun(options)),
    prefix(prompt, options) {
      const { prompt: rest, from } = begun({ prompt, from: options?.from });
      return engine.prefix(rest, { ...options, ...(from && { from, bos: 'never' }) });
    },
  };
}

/** How many tokens all lists begin with. */
export function commonLength(lists: readonly Int32Array[]): number {
  const [first, ...others] = lists;
  if (!first) return 0;
  let count = first.length;
  for (const list of others) {
    let same = 0;
    while (same < count && same < list.length && list[same] === first[same]) same++;
    count = same;
  }
  return count;
}
