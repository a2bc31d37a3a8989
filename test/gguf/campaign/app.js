// Loads one file after another as it is told, and computes with it; whoever asks notices if it dies.
import { MeditronError } from '../../../dist/check/errors.js';
import { loadModel } from '../../../dist/index.js';
import { answering } from '../../campaigns/answering.js';

/** @param {import('./run.js').Trial} trial */
async function tried({ path, adapter, loadMode, flashAttention, kvType, isolate = false }) {
  let stage = 'load';
  let model;
  let engine;
  try {
    model = await loadModel({ path, gpuLayers: 0, loadMode, isolate });
    stage = 'engine';
    const loras = adapter ? [{ path: adapter }] : [];
    engine = await model.createEngine({ threads: 1, contextSize: 256, maxSequences: 3, loras, flashAttention, kvType });
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
  } finally {
    await engine?.close();
    await model?.close();
  }
}

answering(tried);
