import { answererOf } from '../../../src/answerer/engine.js';
import type { Target } from '../../../src/evaluate/run/target.js';
import type { Layout } from '../../../src/evaluate/storage/types.js';
import type { Item } from '../../../src/evaluate/tasks/task.js';
import { FakeEngine, type Line } from '../../ask/fake.js';

export const layout: Layout = {
  ...{ parallel: 1, contextSize: 4096, maxSequences: 16, batchSize: 64, threads: 1, sharedTokens: 0 },
};

export interface Scripted extends Target {
  /** Jobs and scores that were asked for. */
  readonly asked: () => number;
  /** The items with which a run was laid out, opening by opening. */
  readonly planned: (readonly Item[])[];
  readonly opened: (Layout | null)[];
}

/** Something to evaluate that says what the script says: answers A, B, C, D in turn unless told otherwise. */
export function scriptedTarget(
  says: (sample: number, prompt: string) => Line = sample => ({ text: `So.\nThe answer is: ${'ABCD'[sample % 4]}` }),
  layouts: () => Layout | null = () => layout,
): Scripted {
  const engine = new FakeEngine(says, { score: answer => -1 - answer.trim().charCodeAt(0) / 100 });
  const planned: (readonly Item[])[] = [];
  const opened: (Layout | null)[] = [];
  return {
    model: engine.model,
    name: 'scripted',
    planned,
    opened,
    asked: () => engine.jobs.length + engine.scored.length,
    describe: async () => [{ name: 'model', value: 'scripted' }],
    async plan(_run, _chosen, items) {
      planned.push(items);
      return layouts();
    },
    async open(run) {
      opened.push(run.layout);
      return {
        answerer: answererOf(engine),
        parallel: run.layout?.parallel ?? 1,
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}
