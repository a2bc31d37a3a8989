import type { Evidence } from '../types.js';
import { allParts } from './difference.js';

/** What is not as it was when a record was made, in words: it can explain a difference, and is none by itself. */
export function changes(then: Evidence, now: Evidence): string[] {
  const of = ({ meditron, model: { gpuLayers, loadMode }, plan: { waves }, machine, llama, engine }: Evidence) => {
    const { fresh: _, ...settings } = engine ?? { fresh: true };
    return {
      meditron,
      model: { gpuLayers, loadMode },
      plan: { waves: waves.join('+') },
      machine,
      llama,
      engine: engine ? { kernels: 'llama.cpp', ...settings } : {},
    };
  };
  const changed = allParts(of(then), of(now)).map(
    ({ path, expected, got }) => `${path}: ${bare(expected)} then, ${bare(got)} now`,
  );
  if (then.engine?.fresh === false)
    changed.push('the engine had been in use before the record was made; a replay begins with an empty one');
  if (!then.model.files)
    changed.push('the record has no hash of the model file: nobody can say whether this is the same');
  return changed;
}

function bare(text: string): string {
  return text.replace(/^"(.*)"$/, '$1');
}
