import { MeditronError } from '../../check/errors.js';
import { RequestError } from '../error.js';
import type { Pool } from '../pool/pool.js';
import { LiveEvaluation } from './evaluation.js';
import type { MeasuredAccuracy, RunState, Stopped } from './protocol.js';
import { housed, type PlannedWork, unhoused } from './runwork.js';

/** Evaluations that run at once. */
const mostRunning = 4;

/** The evaluations of a server. */
export class Evaluations {
  /** The newest last. */
  readonly #runs = new Map<string, LiveEvaluation>();

  constructor(private readonly pool: Pool) {}

  get list(): readonly RunState[] {
    return [...this.#runs.values()].map(run => run.state).reverse();
  }

  /** What those that are done found of a model, the newest first. */
  measured(model: string): readonly MeasuredAccuracy[] {
    return [...this.#runs.values()]
      .filter(({ work }) => work.model === model)
      .flatMap(run => run.measured)
      .reverse();
  }

  /** @throws MeditronError `ERR_QUEUE_FULL`; RequestError if nothing can be written to the folder */
  async begin(work: PlannedWork): Promise<LiveEvaluation> {
    this.#refuseMore();
    return this.#add(new LiveEvaluation(this.pool, await housed(work)));
  }

  /** Goes on with what was stopped or failed, under its id. @throws RequestError 404, 409 */
  resume(id: string): LiveEvaluation {
    const run = this.find(id);
    if (run.running) throw new RequestError(409, 'It is running', 'id');
    if (run.state.state === 'done') throw new RequestError(409, 'It is done: all questions have been asked', 'id');
    this.#refuseMore();
    return this.#add(new LiveEvaluation(this.pool, { ...run.work, resume: true }, id));
  }

  /** @throws RequestError 404 */
  find(id: string): LiveEvaluation {
    const run = this.#runs.get(id);
    if (run) return run;
    throw new RequestError(404, 'There is no evaluation of this id', 'id');
  }

  /** Stops one that runs; forgets one that has ended. @throws RequestError 404 */
  async stop(id: string): Promise<Stopped> {
    const run = this.find(id);
    if (run.running) {
      run.stop();
      return { id, state: 'stopping' };
    }
    this.#runs.delete(id);
    await unhoused(run.work);
    return { id, state: 'forgotten' };
  }

  /** Stops all; temporary folders go. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stop();
    await Promise.all(runs.map(run => run.ended));
    await Promise.all(runs.map(run => unhoused(run.work)));
  }

  #add(run: LiveEvaluation): LiveEvaluation {
    this.#runs.set(run.id, run);
    return run;
  }

  #refuseMore(): void {
    const running = [...this.#runs.values()].filter(run => run.running).length;
    if (running >= mostRunning)
      throw new MeditronError('ERR_QUEUE_FULL', `${running} evaluations are running: wait for one, or stop one`);
  }
}
