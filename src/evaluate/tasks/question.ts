import { letter, type Question } from '../../prompt/question/question.js';
import type { Item } from './task.js';

/** The question a model is asked for an item: without the answer, the explanation or anything else it must not see. */
export function questionOf(item: Item): Question {
  const { id, question, options, context, gold } = item;
  if (options) return { kind: 'choice', id, question, options, ...(context && { context }) };
  if (typeof gold === 'string') return { kind: 'boolean', id, question, context: context ?? [] };
  return { kind: 'open', id, question, ...(context && { context }) };
}

/** The right answer as models give it: a letter, or yes, no or maybe; undefined where none is known. */
export function goldLabel(item: Item): string | undefined {
  return typeof item.gold === 'number' ? letter(item.gold) : item.gold;
}
