// An app that aborts what its engine does, and says how long it took and whether the engine is as it was before.
import { setTimeout as pause } from 'node:timers/promises';
import { loadModel } from '../../dist/index.js';
import { answering } from './answering.js';

const contextSize = 1 << 14;
const maxSequences = 4;
/** So many tokens that the samples do not end before they are aborted, whoever else wants the processor. */
const endless = samples => ({ samplers: samplers(samples), maxTokens: 12_000 / samples, ignoreEnd: true });
const text = 'The patient was admitted with chest pain and a history of hypertension. ';
const next = { prompt: 'A patient of 71 years has', maxTokens: 24, ignoreEnd: true };

/** @type {Map<boolean, Promise<{ engine: any, fresh: string, promptMs: number }>>} */
const scenes = new Map();

/** @param {import('./abort.js').Aborting} aborting */
async function aborted({ model: path, isolate, ...moment }) {
  if (!scenes.has(isolate)) scenes.set(isolate, begin(path, isolate));
  const { engine, fresh, promptMs } = await scenes.get(isolate);
  const reason = new Error('enough');
  const controller = new AbortController();
  let at = 0;
  const abort = () => {
    at = performance.now();
    controller.abort(reason);
  };
  let caught;
  let thrown = 0;
  try {
    await moments[moment.in](engine, moment, controller.signal, abort, promptMs);
  } catch (error) {
    caught = error;
    thrown = performance.now() - at;
  }
  const all = await engine.lease({ sequences: maxSequences, cells: contextSize });
  const free = performance.now() - at;
  all.release();
  return { thrown, free, reason: caught === reason, error: String(caught), same: (await greedy(engine)) === fresh };
}

const moments = {
  async prompt(engine, { share, samples }, signal, abort, promptMs) {
    pause(share * promptMs).then(abort);
    await use(engine.generate({ ...endless(samples), prompt: text.repeat(90), signal }));
  },
  async token(engine, { character, samples }, signal, abort) {
    let seen = 0;
    for await (const event of engine.generate({ ...endless(samples), prompt: text, signal })) {
      if (event.type !== 'text' || seen >= character) continue;
      seen += event.text.length; // pieces hold as many tokens as came together
      if (seen >= character) abort();
    }
  },
  async prefix(engine, { share }, signal, abort, promptMs) {
    pause(share * promptMs).then(abort);
    for (;;) (await engine.prefix(text.repeat(90), { signal })).release();
  },
  async score(engine, { share }, signal, abort, promptMs) {
    pause(share * promptMs).then(abort);
    for (;;) await engine.score({ prompt: text.repeat(90), continuations: [' yes', ' no', ' perhaps'], signal });
  },
};

async function begin(path, isolate) {
  const model = await loadModel({ path, isolate });
  const open = () => model.createEngine({ threads: 1, contextSize, maxSequences, beyondTraining: true });
  const other = await open();
  const fresh = await greedy(other);
  await other.close();
  const engine = await open();
  const begun = performance.now();
  (await engine.prefix(text.repeat(90))).release();
  return { engine, fresh, promptMs: performance.now() - begun };
}

async function greedy(engine) {
  for await (const event of engine.generate(next)) if (event.type === 'end') return event.text;
}

const samplers = count => Array.from({ length: count }, () => ({ temperature: 1 }));

async function use(events) {
  for await (const _ of events);
}

answering(aborted);
