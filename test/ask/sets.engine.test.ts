import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import { replayWith } from '../../src/ask/record/replay.js';
import { askedOf } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { localTarget } from '../../src/evaluate/run/target.js';
import { calibrationOf } from '../../src/evaluate/score/calibrate.js';
import { readEvaluation } from '../../src/evaluate/storage/evaluation.js';
import type { Item } from '../../src/evaluate/tasks/task.js';
import { loadModel } from '../../src/host/load.js';
import { hashFile } from '../../src/models/hash.js';
import { clopperPearson } from '../../src/vote/count/uncertainty.js';
import { emptyFolder, setOf } from '../evaluate/run/items.js';

const path = resolve(import.meta.dirname, '..', '..', 'models', 'meditron-mini.gguf');

test('sets of the model that ships, calibrated on some questions, hold the right answers of others as often as was measured', async () => {
  await using model = await loadModel({ path, gpuLayers: 0 });
  const items: Item[] = [...clinicalQuestions({ seed: 91, count: 24 })].map(({ id, question, options, answer }) => ({
    id,
    question,
    options: Object.values(options),
    gold: answer.charCodeAt(0) - 65,
  }));
  const out = emptyFolder();
  const files = [{ path, bytes: 1, sha256: await hashFile(path) }];
  const set = { ...setOf(items), files };
  const options = { modes: ['sc-cot'], samples: 3, maxTokens: 200 } as const;
  await evaluate(localTarget(model, { threads: 1 }), { set, out, ...options });
  const calibration = await calibrationOf(await readEvaluation(out), 'clinical');

  const fresh = [...clinicalQuestions({ seed: 92, count: 6 })];
  const given = { calibration, coverage: 0.8 };
  await using engine = await model.createEngine({ threads: 1, contextSize: 4096, maxSequences: 8 });
  let held = 0;
  let last: Awaited<ReturnType<typeof ask>> | undefined;
  for (const asked of fresh) {
    last = await ask(engine, askedOf(asked), given);
    expect(last.evidence.asked).toMatchObject({ samples: 3, maxTokens: 200, stop: { rule: 'none' } });
    if (last.set!.answers.includes(asked.answer)) held++;
  }
  const now = clopperPearson(held, fresh.length);
  const { interval } = last!.set!.measured;
  expect(now.high).toBeGreaterThan(interval.low);
  expect(now.low).toBeLessThan(interval.high);

  const record = JSON.parse(JSON.stringify(last!.evidence));
  expect(await replayWith(model, record, {})).toMatchObject({ same: true, difference: null });
  await expect(ask(engine, askedOf(fresh[0]!), { ...given, temperature: 0.5 })).rejects.toMatchObject({
    code: 'ERR_CALIBRATION',
    message: expect.stringMatching(/`temperature` is 0.8 there, 0.5 here/),
  });
}, 180_000);
