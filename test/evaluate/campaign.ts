import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedModel } from '../../src/check/project.js';
import { clinicalQuestions, scoreNames } from '../../src/clinical/questions.js';
import { type EvaluateOptions, evaluate } from '../../src/evaluate/evaluate.js';
import { localTarget } from '../../src/evaluate/run/target.js';
import { loadQuestions } from '../../src/evaluate/tasks/load.js';
import { loadModel } from '../../src/host/load.js';
import type { HostModel } from '../../src/host/model.js';
import { type Campaign, Tally } from '../campaigns/campaign.js';
import { storedIn } from './run/items.js';

type Asked = Pick<EvaluateOptions, 'modes' | 'samples'>;

const asked: readonly Asked[] = [{ modes: ['top-token'] }, { modes: ['sc-cot'], samples: 3 }];
const signals = ['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const;

/**
 * `count` questions about clinical scores are evaluated one at a time while the process of the engine is killed every second, in
 * each mode by each signal: the rows are those of an engine that is left alone. On a machine where a start takes longer than a
 * third of a second, it is killed after three such times. A trial is a question of a run.
 */
export const campaign: Campaign = async options => {
  const { count, seed, model: path = shippedModel() } = options;
  const runs = asked.flatMap(each => signals.map(signal => ({ asked: each, signal })));
  const tally = new Tally({ ...options, only: undefined, count: runs.length * count });
  const folder = mkdtempSync(join(tmpdir(), 'meditron-killed-'));
  const figures: unknown[] = [];
  try {
    const file = join(folder, 'questions.jsonl');
    const set = clinicalQuestions({ seed, count, scores: scoreNames, split: 'held-out' });
    writeFileSync(file, [...set].map(question => `${JSON.stringify(question)}\n`).join(''));
    const run: Run = { ...(await loadQuestions({ file, data: '' })), folder, path, seed };
    for (const each of asked) {
      const expected = await evaluated(run, each, undefined);
      for (const signal of signals) {
        const began = performance.now();
        const got = await evaluated(run, each, signal);
        const words = `${each.modes}, ${signal}`;
        if (got.error) tally.fault('broken', 0, `${words}: ${(got.error as Error).message}`);
        const lost = [...expected.rows].filter(([id, row]) => got.rows.get(id) !== row).map(([id]) => id);
        for (const id of lost)
          tally.fault('broken', 0, `${words}: ${id} is not the row of an engine that is left alone`);
        const { everyMs, deaths } = got;
        figures.push({
          modes: each.modes,
          signal,
          everyMs,
          deaths,
          seconds: Math.round((performance.now() - began) / 1000),
        });
        tally.done((performance.now() - began) / count, count);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return tally.outcome({ killed: figures });
};

interface Run extends Pick<EvaluateOptions, 'set' | 'seed'> {
  readonly folder: string;
  readonly path: string;
}

interface Evaluated {
  /** What does not depend on the clock, as JSON by id. */
  readonly rows: ReadonlyMap<string, string>;
  readonly error: unknown;
  readonly deaths: number;
  readonly everyMs: number;
}

async function evaluated(
  { folder, path, ...run }: Run,
  each: Asked,
  signal: NodeJS.Signals | undefined,
): Promise<Evaluated> {
  const out = mkdtempSync(join(folder, 'results-'));
  let deaths = 0;
  const began = performance.now();
  const model = await loadModel({ path, isolate: { onDeath: () => deaths++ } });
  const everyMs = Math.round(Math.max(1000, 3 * (performance.now() - began)));
  const kill = () => {
    const { pid } = model as HostModel;
    try {
      if (pid !== undefined) process.kill(pid, signal);
    } catch {
      // it has ended meanwhile
    }
  };
  const timer = signal && setInterval(kill, everyMs);
  let error: unknown;
  try {
    await evaluate(localTarget(model, { threads: 1 }), { ...run, ...each, parallel: 1, out });
  } catch (thrown) {
    error = thrown;
  } finally {
    clearInterval(timer);
    await model.close();
  }
  const { rows } = await storedIn(out);
  const timeless = rows.map(({ ms: _, latencyMs: __, ...row }): [string, string] => [row.id, JSON.stringify(row)]);
  return { rows: new Map(timeless), error, deaths, everyMs };
}
