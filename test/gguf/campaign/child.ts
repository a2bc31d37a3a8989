import { MeditronError } from '../../../src/check/errors.js';
import { loadModel } from '../../../src/host/load.js';
import type { Outcome, Trial } from './run.js';

// Loads one file after another as it is told, and computes with it; the parent notices if it dies.
process.on('message', async (trial: Trial) => {
  process.send!(await outcomeOf(trial));
});
process.on('disconnect', () => process.exit(0));

async function outcomeOf({ path, adapter, loadMode, flashAttention, kvType }: Trial): Promise<Outcome> {
  let stage: Outcome['stage'] = 'load';
  try {
    await using model = await loadModel({ path, gpuLayers: 0, loadMode });
    stage = 'engine';
    const loras = adapter ? [{ path: adapter }] : [];
    await using engine = await model.createEngine({
      threads: 1,
      contextSize: 256,
      maxSequences: 3,
      loras,
      flashAttention,
      kvType,
    });
    stage = 'compute';
    const samplers = [{ temperature: 0 }, { temperature: 1 }];
    for await (const _ of engine.generate({
      prompt: 'the patient is a',
      samplers,
      maxTokens: 4,
      ignoreEnd: true,
      seed: 1,
    }));
    await engine.score({ prompt: 'the', continuations: [' is', ' a'] });
    return { stage: 'done', code: 'ran', message: '' };
  } catch (error) {
    const code = error instanceof MeditronError ? error.code : 'UNTYPED';
    return { stage, code, message: error instanceof Error ? error.message : String(error) };
  }
}
