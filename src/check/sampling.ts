import { decimal, whole } from './kinds.js';
import type { Table } from './table.js';

/** How one sample chooses its tokens, as far as it is told in numbers. */
export const samplingNumbers = {
  /** 0 is greedy. Default 0. */
  temperature: {
    kind: decimal(0, 100),
    default: 0,
    flag: '-t, --temperature <t>',
    help: '0 always takes the most probable token',
    stored: true,
  },
  /** Keep the k most probable tokens. Default 0, all. */
  topK: {
    kind: whole(0, 0x7fffffff),
    default: 0,
    flag: '--top-k <k>',
    help: 'keep the k most probable tokens (default: 0, all)',
    stored: true,
  },
  /** Keep the smallest set of tokens whose probabilities add up to p. Default 1, all. */
  topP: {
    kind: decimal(Number.MIN_VALUE, 1),
    default: 1,
    flag: '--top-p <p>',
    help: 'keep the tokens that make up this probability (default: 1, all)',
    stored: true,
  },
  /** Keep tokens at least this fraction as probable as the most probable one. Default 0, all. */
  minP: {
    kind: decimal(0, 1),
    default: 0,
    flag: '--min-p <p>',
    help: 'keep tokens this probable, relative to the best (default: 0, all)',
    stored: true,
  },
  /** Divides (multiplies, if negative) the logits of tokens already generated. Default 1, off. */
  repeatPenalty: {
    kind: decimal(0.01, 100),
    default: 1,
    flag: '--repeat-penalty <x>',
    help: 'divides the logits of tokens already generated (default: 1)',
    stored: true,
  },
  /** Subtracted from a token's logit for every time it has been generated. Default 0, off. */
  frequencyPenalty: {
    kind: decimal(-100, 100),
    default: 0,
    flag: '--frequency-penalty <x>',
    help: 'subtracted for each time a token was generated (default: 0)',
    stored: true,
  },
  /** Subtracted once from the logit of every token that has been generated. Default 0, off. */
  presencePenalty: {
    kind: decimal(-100, 100),
    default: 0,
    flag: '--presence-penalty <x>',
    help: 'subtracted once a token was generated (default: 0)',
    stored: true,
  },
} as const satisfies Table;
