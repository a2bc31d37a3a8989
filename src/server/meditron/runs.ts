import { Hono } from 'hono';
import { typical } from '../../engine/capacity/outlook.js';
import { tasks } from '../../evaluate/tasks/load.js';
import type { RouteParts } from '../app.js';
import { jsonOf } from './body.js';
import type { Catalogue } from './catalogue.js';
import type { Evaluations } from './evaluations.js';
import { eventStream, lastEventOf, wantsEvents } from './events.js';
import type { BenchmarkState, RunPlan, RunState, Stopped } from './protocol.js';
import { comparedData, reportData, rowsOf, rowsQuery } from './report.js';
import { type PlannedWork, plannedWork } from './runwork.js';

export interface RunsParts extends Pick<RouteParts, 'pool' | 'pageOnly'> {
  readonly catalogue: Catalogue;
  readonly runs: Evaluations;
}

/** Starts, watches and stops evaluations, and shows what they found. They read files and write folders: all of it is for the page alone. */
export function runsRoutes({ pool, pageOnly, catalogue, runs }: RunsParts): Hono {
  return new Hono()
    .get('/v1/meditron/questions', c => c.json(benchmarks))
    .use('/v1/meditron/runs', pageOnly)
    .use('/v1/meditron/runs/*', pageOnly)
    .get('/v1/meditron/runs', c => c.json(runs.list))
    .post('/v1/meditron/runs', async c => {
      const run = await runs.begin(await plannedWork(await jsonOf(c), pool));
      return c.json<RunState>(run.state, 201);
    })
    .post('/v1/meditron/runs/plan', async c => {
      const work = await plannedWork(await jsonOf(c), pool);
      return c.json<RunPlan>(planOf(work, catalogue.speeds.get(pool.find(work.model).path)));
    })
    .get('/v1/meditron/runs/compare', async c => {
      const [first, second] = ['first', 'second'].map(name => runs.find(c.req.query(name) ?? ''));
      return c.json(await comparedData(first!, second!));
    })
    .get('/v1/meditron/runs/:id', c => {
      const run = runs.find(c.req.param('id'));
      if (!wantsEvents(c)) return c.json<RunState>(run.state);
      return eventStream(c, signal => run.watch(lastEventOf(c), signal));
    })
    .delete('/v1/meditron/runs/:id', async c => c.json<Stopped>(await runs.stop(c.req.param('id'))))
    .post('/v1/meditron/runs/:id/resume', c => c.json<RunState>(runs.resume(c.req.param('id')).state))
    .get('/v1/meditron/runs/:id/report', async c => c.json(await reportData(runs.find(c.req.param('id')))))
    .get('/v1/meditron/runs/:id/rows', async c =>
      c.json(await rowsOf(runs.find(c.req.param('id')), rowsQuery(c.req.query()))),
    );
}

const benchmarks: readonly BenchmarkState[] = Object.values(tasks)
  .filter(({ name }) => name !== 'file')
  .map(({ name, title, answers, download, licence }) => ({ name, title, answers, download, licence }));

/** Nothing is loaded for it: the time follows from the model's measured speed and a typical question. */
function planOf(
  { questions: { set }, options, limit }: PlannedWork,
  speed: { readonly five: number; readonly prompt: number } | undefined,
): RunPlan {
  const questions = Math.min(limit ?? set.items.length, set.items.length);
  const chains = { 'top-token': 0, cot: 1, free: 1, 'sc-cot': options.samples ?? typical.samples };
  const modes = options.modes ?? ['sc-cot'];
  const written = modes.reduce((sum, mode) => sum + chains[mode], 0) * typical.tokensOfChain;
  const read = modes.length * typical.promptTokens;
  return {
    title: set.task === 'file' ? 'Own questions' : tasks[set.task].title,
    questions,
    notes: set.notes,
    seconds: speed ? Math.round(questions * (read / speed.prompt + written / speed.five)) : null,
  };
}
