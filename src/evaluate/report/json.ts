import { referenceLabel } from '../score/reference.js';
import type { EvaluationReport } from './types.js';

/** The report's figures without its questions, as one JSON object for scripts. */
export function jsonReport({
  title,
  created,
  notes,
  runs,
  comparisons = [],
}: EvaluationReport): Record<string, unknown> {
  return {
    title,
    created,
    notes,
    runs: runs.map(({ name, facts, metrics, references }) => ({
      name,
      facts: Object.fromEntries(facts.map(fact => [fact.name, fact.value])),
      metrics,
      references: references.map(reference => ({ ...reference, label: referenceLabel(reference) })),
    })),
    comparisons,
  };
}
