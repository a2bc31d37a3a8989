import { askOptions, promptOptions } from '../../ask/options.js';
import { asNumber, choice, decimal, type Kind, listOf, whole } from '../../check/kinds.js';
import type { Given, Table } from '../../check/table.js';
import { authorsSeeds } from '../../prompt/format/demonstration.js';
import type { StopRuleName } from '../../vote/count/stopping.js';

/** The modes that can be evaluated; `free` is for open questions, whose answers are only kept. */
export const evaluatedModes = ['top-token', 'cot', 'sc-cot', 'free'] as const;
export type EvaluatedMode = (typeof evaluatedModes)[number];

const stopRules: Kind<StopRuleName> = choice(['none', 'exact', 'beta', 'esc']);

const seeds: Kind<readonly number[]> = {
  check: listOf(whole(0, 2 ** 32 - 1), 1, 1000).check,
  read: typed => (typed === 'authors' ? authorsSeeds : typed.split(',').map(seed => asNumber(seed.trim()))),
};

/**
 * What to measure. What is left out has the default of `ask()`, except that no vote is stopped early; what is not described anew
 * is as in `ask()`.
 */
export const runOptions = {
  /** Default: `sc-cot`; `free` for open questions. */
  modes: {
    kind: listOf(choice(evaluatedModes), 1, evaluatedModes.length),
    flag: '--mode <modes>',
    help: `one or more of ${evaluatedModes.join(', ')}, with commas (default: sc-cot)`,
    stored: true,
  },
  protocol: askOptions.protocol,
  /** Of `sc-cot` and `free`. */
  samples: { ...askOptions.samples, help: 'chains of sc-cot (default: 5; 10 under authors-code)' },
  /** Of `sc-cot` and `free`; a single chain is greedy. */
  temperature: { ...askOptions.temperature, help: 'of sc-cot (default: 0.8); a single chain is greedy' },
  topP: askOptions.topP,
  topK: askOptions.topK,
  seed: {
    ...askOptions.seed,
    help: 'every sample has its own, made of this, the question and its number (default: 0)',
  },
  maxTokens: askOptions.maxTokens,
  format: askOptions.format,
  /** Demonstrations in the prompt. Default: what is known to suit the model; 0 asks base weights without any. */
  shots: {
    kind: whole(0, 32),
    flag: '--shots <k>',
    help: 'demonstrations from the training part (default: what suits the model); 0 for none',
    stored: true,
  },
  /** Seeds that draw demonstrations; one run each. Default 1234, the authors' first. */
  demoSeeds: {
    kind: seeds,
    flag: '--demo-seed <s...>',
    help: `draws them, a run for each; "authors" for ${authorsSeeds.join(' ')} (default: 1234)`,
    stored: true,
  },
  stop: {
    kind: stopRules,
    flag: '--stop-rule <rule>',
    help: 'close votes early: none, exact, beta or esc (default: none; every rule can be replayed later)',
    stored: true,
  },
  weighting: askOptions.weighting,
  /** Asks every question a second time with "I cannot tell" as one more option, in runs of their own beside those without it. Default false. */
  abstainOption: {
    ...promptOptions.abstainOption,
    help: 'ask everything a second time with "I cannot tell" as a further option, and compare',
  },
  /** Takes the right option out of this part of the questions, drawn by `seed`; above 0, at most 1. Default: of none. */
  unanswerable: {
    kind: decimal(1e-6, 1),
    flag: '--unanswerable <fraction>',
    help: 'take the right option out of this part of the questions, as 0.25: nothing on offer is right then',
    stored: true,
  },
  /** Whether a chain that named no answer is asked again. Default: as `ask()` does under the protocol. */
  reask: {
    ...askOptions.reask,
    flag: { none: 'stored chains are read again under any protocol; an endpoint may not allow it' },
  },
  task: { ...askOptions.task, flag: { none: 'every benchmark has its own' } },
} as const satisfies Table;

export interface RunOptions extends Given<typeof runOptions> {}
