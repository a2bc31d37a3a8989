// An app whose engine's process is killed, and that says what came of it.
import { setTimeout as pause } from 'node:timers/promises';
import { EngineDied } from '../../dist/check/died.js';
import { loadModel } from '../../dist/index.js';
import { answering } from '../campaigns/answering.js';
import { childrenOf } from './children.js';

const options = { threads: 1, contextSize: 2048, maxSequences: 8 };
const next = { prompt: 'A patient of 71 years has', maxTokens: 16, ignoreEnd: true };
const shared = 'The patient was admitted with chest pain and a history of hypertension. ';
const samplers = count => Array.from({ length: count }, () => ({ temperature: 1 }));

let scene;

/** @param {import('./campaign.js').Killing} killing */
async function killed(killing) {
  scene ??= begin(killing.model);
  const { model, engines, prefixes, fresh, deaths } = await scene;
  const report = { wrong: [], milliseconds: [], deaths: 0, phases: [] };
  deaths.length = 0;
  const context = { model, engines, killing, deaths, report, path: killing.model };
  await phases[killing.in](context);
  report.deaths = deaths.length;
  report.phases = deaths.map(death => death.phase);
  const before = engines.map(engine => ({ ...engine.counters }));
  for (const [i, engine] of engines.entries()) {
    if ((await greedy(engine, next)) !== fresh.plain) report.wrong.push('the next text is another');
    if ((await greedy(engine, { ...next, from: prefixes[i] })) !== fresh.from) {
      report.wrong.push('the next text from a prefix is another');
    }
    const { sampledTokens, promptTokens, steps } = engine.counters;
    if (sampledTokens - before[i].sampledTokens !== 2 * next.maxTokens)
      report.wrong.push('counters are not what was sampled');
    if (!(promptTokens >= before[i].promptTokens && steps > before[i].steps)) report.wrong.push('counters went back');
  }
  if (childrenOf(process.pid).length !== 1)
    report.wrong.push(`${childrenOf(process.pid).length} processes for one model`);
  return report;
}

const phases = {
  async load({ killing, path, report }) {
    const kill = killNew(killing);
    await outcomes(report, killing, kill, [loadModel({ path, isolate: true }).then(model => model.close())]);
  },
  async tokenize(context) {
    const text = 'There was a little girl named Lily. \n'.repeat(400);
    await jobs(context, engine => engine.model.tokenize(`${context.killing.index} ${text}`));
  },
  prompt: context => jobs(context, (engine, at) => use(engine.generate({ ...at, prompt: said(context).repeat(20) }))),
  decode: context =>
    jobs(context, (engine, at) =>
      use(
        engine.generate({
          ...at,
          prompt: said(context),
          samplers: samplers(context.killing.samples),
          maxTokens: 60,
          ignoreEnd: true,
        }),
      ),
    ),
  score: context =>
    jobs(context, (engine, at) =>
      engine.score({ ...at, prompt: said(context).repeat(8), continuations: [' yes', ' no', ' perhaps'] }),
    ),
  prefix: context => jobs(context, async (engine, at) => (await engine.prefix(said(context).repeat(12), at)).release()),
  async lease(context) {
    const { engines } = context;
    const first = await Promise.all(engines.map(engine => engine.lease({ sequences: 6, cells: 1900 })));
    // These wait until the first are released, and are granted in whichever process there is then.
    const waiting = engines.map(engine => engine.lease({ sequences: 2, cells: 300 }));
    await jobs(context, async (engine, at) => {
      const lease = first[engines.indexOf(engine)];
      await use(
        engine.generate({ ...at, lease, prompt: said(context), samplers: samplers(2), maxTokens: 40, ignoreEnd: true }),
      );
    });
    for (const lease of first) lease.release();
    for (const lease of await Promise.all(waiting)) lease.release();
  },
  async idle({ killing, deaths, report }) {
    await kill(killing, childrenOf(process.pid).at(-1));
    // Nobody watches what nobody asks: a stopped one is found when it is next asked.
    while (killing.signal !== 'SIGSTOP' && deaths.length === 0) await pause(2);
    check(deaths[0], killing, report);
  },
  async close({ killing, path, report }) {
    const model = await loadModel({ path, isolate: true });
    const engine = await model.createEngine(options);
    const work = use(engine.generate({ prompt: shared.repeat(10), maxTokens: 50, ignoreEnd: true })).catch(() => {});
    const pid = childrenOf(process.pid).at(-1);
    const begun = performance.now();
    const dying = kill(killing, pid);
    await Promise.all([engine.close(), model.close(), work]);
    report.milliseconds.push(performance.now() - begun);
    await dying;
    if (childrenOf(process.pid).includes(pid)) report.wrong.push('its process is still there after close()');
  },
  async restart(context) {
    const { killing, engines, deaths } = context;
    const first = childrenOf(process.pid).at(-1);
    process.kill(first, 'SIGKILL');
    while (deaths.length === 0) await pause(1);
    deaths.length = 0;
    const killing2 = killNew(killing);
    const work = engines.map(engine => use(engine.generate({ prompt: said(context), maxTokens: 20, ignoreEnd: true })));
    await outcomes(context.report, killing, killing2, work);
  },
};

/** Several jobs at once, with what else the engines hold. */
async function jobs({ engines, killing, report, deaths }, work) {
  const held = [];
  if (killing.held) {
    for await (const event of engines[0].generate({
      prompt: shared,
      maxTokens: 4,
      hold: true,
      samplers: samplers(2),
    })) {
      if (event.type === 'end') held.push(event.held);
    }
  }
  const running = Array.from({ length: killing.jobs }, (_, i) => work(engines[i % engines.length], {}));
  await outcomes(report, killing, kill(killing, childrenOf(process.pid).at(-1)), running);
  // One that was stopped when all work was done is found when it is next asked.
  while (killing.signal !== 'SIGSTOP' && deaths.length === 0) await pause(1);
  for (const sample of held) {
    for (const from of [sample, sample.first(2)]) {
      const lost = await engines[0].score({ prompt: ' and', continuations: [' a'], from }).then(
        () => 'alive',
        error => error.code,
      );
      if (lost !== 'ERR_ENGINE_DIED') report.wrong.push(`a held sample is ${lost}`);
    }
    sample.release();
  }
}

/** What came of work that ran while the process was killed: every error says so, and how. */
async function outcomes(report, killing, dying, works) {
  let at;
  dying.then(() => {
    at = performance.now();
  });
  await Promise.all(
    works.map(async work => {
      try {
        await work;
      } catch (error) {
        report.milliseconds.push(performance.now() - (at ?? performance.now()));
        if (!(error instanceof EngineDied)) report.wrong.push(`threw ${error.code ?? 'UNTYPED'} ${error.message}`);
        else check(error.death, killing, report);
      }
    }),
  );
  await dying;
}

function check(death, { signal, sha256 }, report) {
  if (!death) return;
  const stopped = signal === 'SIGSTOP';
  if (death.unresponsive !== stopped || (!stopped && death.signal !== signal)) {
    report.wrong.push(`was told ${death.signal}, unresponsive ${death.unresponsive}`);
  }
  if (!death.external && death.phase !== 'start' && death.phase !== 'load')
    report.wrong.push('it was not said to be from outside');
  if (death.model.sha256 !== sha256) report.wrong.push(`was told of the model ${death.model.sha256}`);
  const caught = !stopped && signal !== 'SIGKILL' && death.phase !== 'start' && death.phase !== 'load';
  if (caught && !death.lastLines.includes(`meditron: ${signal} from process ${process.pid}`)) {
    report.wrong.push(`last words ${JSON.stringify(death.lastLines)}`);
  }
}

async function kill({ signal, after }, pid) {
  await pause(after);
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}

/** Kills the process that is started next. */
async function killNew(killing) {
  const before = childrenOf(process.pid);
  for (;;) {
    const fresh = childrenOf(process.pid).find(pid => !before.includes(pid));
    if (fresh !== undefined) return kill(killing, fresh);
    await pause(1);
  }
}

async function begin(path) {
  const untouched = await loadModel({ path, isolate: true });
  const one = await untouched.createEngine(options);
  const fresh = {
    plain: await greedy(one, next),
    from: await greedy(one, { ...next, from: await one.prefix(shared) }),
  };
  await one.close();
  await untouched.close();
  const deaths = [];
  const model = await loadModel({ path, isolate: { onDeath: death => deaths.push(death) } });
  const engines = [await model.createEngine(options), await model.createEngine(options)];
  const prefixes = await Promise.all(engines.map(engine => engine.prefix(shared)));
  return { model, engines, prefixes, fresh, deaths };
}

/** A greedy text, its tokens and what they were worth, to the last bit. */
async function greedy(engine, options) {
  for await (const event of engine.generate({ ...options, logprobs: true })) {
    if (event.type === 'end') return JSON.stringify([event.text, [...event.tokens], [...event.logprobs]]);
  }
}

async function use(events) {
  for await (const _ of events);
}

// No two trials ask the same, so that none is refused for what another died of.
const said = ({ killing }) => `Trial ${killing.index}. ${shared}`;

answering(killed);
