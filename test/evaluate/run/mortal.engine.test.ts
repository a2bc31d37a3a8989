import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { shippedModel } from '../../../src/check/project.js';
import { clinicalQuestions, scoreNames } from '../../../src/clinical/questions.js';
import { type EvaluateOptions, evaluate } from '../../../src/evaluate/evaluate.js';
import { localTarget } from '../../../src/evaluate/run/target.js';
import { loadQuestions, type Questions } from '../../../src/evaluate/tasks/load.js';
import { loadModel } from '../../../src/host/load.js';
import type { HostModel } from '../../../src/host/model.js';
import { Random } from '../../../src/random/xoshiro.js';
import { emptyFolder, storedIn } from './items.js';

const count = 10;
const signals = ['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const;

let questions: Questions;
beforeAll(async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'meditron-mortal-')), 'questions.jsonl');
  const set = clinicalQuestions({ seed: 20261127, count, scores: scoreNames, split: 'held-out' });
  writeFileSync(file, [...set].map(question => `${JSON.stringify(question)}\n`).join(''));
  questions = await loadQuestions({ file, data: '' });
});

type Asked = Pick<EvaluateOptions, 'modes' | 'samples' | 'parallel'>;

/** Evaluates in this process; or in another, which after some rows is killed once or several times, each time in another way. */
async function evaluated(asked: Asked, { kills }: { readonly kills: boolean }) {
  const out = emptyFolder();
  const random = new Random(20261127);
  let sent = 0;
  let left = kills ? 1 : 0;
  const kill = async (later = 0) => {
    if (later > 0) await pause(random.between(0, later));
    const { pid } = model as HostModel;
    if (pid === undefined || left === 0) return;
    left--;
    try {
      process.kill(pid, signals[sent++ % signals.length]);
    } catch {
      // it has ended meanwhile
    }
  };
  let deaths = 0;
  const onDeath = () => {
    deaths++;
    if (left > 0) void kill(600);
  };
  const model = await loadModel({ path: shippedModel(), isolate: kills && { onDeath } });
  if (kills) void kill(200);
  try {
    const report = await evaluate(localTarget(model, { threads: 1 }), {
      ...{ ...questions, ...asked, seed: 7, out },
      onProgress: ({ row, done }) => {
        if (!kills || !row || done % 3 !== 0) return;
        if (left === 0) left = random.between(1, 3); // else the last kill found no process
        void kill(asked.modes![0] === 'top-token' ? 0 : 300); // a chain takes longer
      },
    });
    const { rows } = await storedIn(out);
    return { rows, report, deaths };
  } finally {
    left = 0;
    await model.close();
  }
}

/** What does not depend on the clock or on deaths, by id. */
const timeless = ({ rows }: Awaited<ReturnType<typeof evaluated>>) =>
  Object.fromEntries(rows.map(({ ms: _, latencyMs: __, parallel: ___, ...row }) => [row.id, row]));

test.each([
  { modes: ['top-token'], parallel: 1 },
  { modes: ['sc-cot'], samples: 3, parallel: 1 },
] satisfies Asked[])(
  'an engine that is killed again and again gives the rows of one that is not: %j',
  async asked => {
    const expected = await evaluated(asked, { kills: false });
    const killed = await evaluated(asked, { kills: true });
    expect(timeless(killed)).toEqual(timeless(expected));
    expect(killed.rows).toHaveLength(count);
    expect(killed.deaths).toBeGreaterThanOrEqual(2);
    const told = killed.report.incidents.reduce((sum, { times }) => sum + times, 0);
    expect(told).toBeLessThanOrEqual(killed.deaths);
  },
  300_000,
);
