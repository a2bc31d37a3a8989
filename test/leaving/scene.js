// What the ways of leaving have in common: a model, an engine, and something endless that they do. The runner says what and when.
import { fileURLToPath } from 'node:url';
import { loadModel as load } from '../../dist/index.js';

const path = fileURLToPath(new URL('../../models/stories260K.gguf', import.meta.url));
const loadModel = () => load({ path, isolate: process.env.LEAVING_ISOLATE === '1' });
const samplers = Array.from({ length: 4 }, () => ({ temperature: 1 }));
const prompt = 'Once upon a time';

/** What a process may be doing when it is left, over and over until it fails. */
export const activities = {
  idle: () => new Promise(() => {}),
  load: async () => (await loadModel()).close(),
  open: async ({ model }) => (await model.createEngine({ threads: 1, contextSize: 256 })).close(),
  close: async () => {
    const model = await loadModel();
    const engine = await model.createEngine({ threads: 1, contextSize: 256 });
    const work = engine.score({ prompt, continuations: [' there'] }).catch(() => {});
    await Promise.all([engine.close(), model.close(), work]);
  },
  score: ({ engine, signal }) => engine.score({ prompt, continuations: [' there', ' was a little'], signal }),
  generate: async ({ engine, signal }) => {
    for await (const _ of engine.generate({ prompt, samplers, maxTokens: 600, ignoreEnd: true, signal }));
  },
  prefix: async ({ engine, signal }) => (await engine.prefix('Once upon a time. '.repeat(60), { signal })).release(),
  tokenize: ({ model }) => model.tokenize('There was a little girl named Lily. \n'.repeat(3000)),
  grammar: async ({ engine, signal }) => {
    const grammar = 'root ::= [a-z ]+ ("." root)?';
    for await (const _ of engine.generate({ prompt, samplers: [{ temperature: 1, grammar }], maxTokens: 200, signal }));
  },
};

export async function begin() {
  const abort = new AbortController();
  const model = await loadModel();
  const engine = await model.createEngine({ threads: 1, contextSize: 4096, beyondTraining: true });
  const scene = { model, engine, abort, signal: abort.signal, samplers, prompt };
  const activity = activities[process.env.LEAVING_ACTIVITY ?? 'generate'];
  repeat(() => activity(scene), abort.signal);
  return scene;
}

/** Work ends when it is aborted or what it runs on is closed; any other error is one of the process. */
async function repeat(work, signal) {
  try {
    while (!signal.aborted) await work();
  } catch (error) {
    if (error.code !== 'ERR_CLOSED' && error !== signal.reason) throw error;
  }
}

/** The moment to leave: milliseconds after the work has begun, drawn by the runner. */
export async function moment() {
  const until = performance.now() + Number(process.env.LEAVING_AFTER ?? 0);
  await new Promise(resolve => {
    setTimeout(resolve, Math.max(0, until - performance.now() - 2));
  });
  while (performance.now() < until); // timers are a millisecond apart, steps are shorter
}
