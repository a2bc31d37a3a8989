import type { ModelState } from '../../../src/server/meditron/protocol.js';
import { words, writing } from '../words/words.js';

/** How often a model is right, as it was measured here: said before its answer. */
export function Accuracy({ model }: { readonly model: ModelState | undefined }) {
  return <span class="accuracy">{accuracyInWords(model)}</span>;
}

export function accuracyInWords(model: ModelState | undefined): string {
  const { answer } = words.value;
  const best = model?.measured[0];
  if (!best || best.accuracy.n === 0) return answer.notMeasured;
  const { accuracy, title, created } = best;
  return answer.accuracy(accuracy.correct, accuracy.n, title, writing.value.date(created));
}
