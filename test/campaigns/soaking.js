// An app that generates again and again on one engine, and says what it holds.
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadModel } from '../../dist/index.js';
import { answering } from './answering.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** One signal for all work, as a server has one for its own end: every job has to take its listener off again. */
const { signal } = new AbortController();
const prompts = [
  'Once upon a time',
  'There was a little dog',
  'The sun was',
  'Lily and Tom went to the park. '.repeat(4),
];
let engine;
let done = 0;

/** @param {import('./soak.js').Share} share */
async function soaked({ generations, isolate, model: path }) {
  if (!engine) {
    const model = await loadModel({ path, isolate });
    engine = await model.createEngine({ threads: 1, contextSize: 512, maxSequences: 4 });
  }
  let slowest = 0;
  for (let i = 0; i < generations; i++) {
    const begun = performance.now();
    await one(done++);
    slowest = Math.max(slowest, performance.now() - begun);
  }
  collect();
  return { slowest, handles: process.getActiveResourcesInfo().length, listeners: listeners() };
}

/** Most are a few tokens of one sample; one in eight each: several samples, left early, aborted, scored, from a prefix. */
async function one(i) {
  const prompt = prompts[i % prompts.length];
  const work = { prompt, maxTokens: 4, ignoreEnd: true, seed: i, signal };
  if (i % 8 === 1) return use(engine.generate({ ...work, samplers: [{}, { temperature: 1 }, { temperature: 1 }] }));
  if (i % 8 === 2) return use(engine.generate({ ...work, maxTokens: 100 }), 3);
  if (i % 8 === 3) return aborted({ ...work, maxTokens: 100 });
  if (i % 8 === 4) return engine.score({ prompt, continuations: [' was', ' the'], signal });
  if (i % 8 !== 5) return use(engine.generate(work));
  const from = await engine.prefix(prompt, { signal });
  try {
    await use(engine.generate({ ...work, prompt: ' and', from }));
  } finally {
    from.release();
  }
}

async function aborted(work) {
  const controller = new AbortController();
  const run = use(engine.generate({ ...work, signal: controller.signal }));
  setImmediate(() => controller.abort('enough'));
  await run.catch(error => {
    if (error !== 'enough') throw error;
  });
}

async function use(events, most = Infinity) {
  let seen = 0;
  for await (const _ of events) if (++seen >= most) break;
}

function listeners() {
  const ofProcess = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return ofProcess + getEventListeners(signal, 'abort').length;
}

answering(soaked);
