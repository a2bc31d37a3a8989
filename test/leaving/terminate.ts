import { uniform } from '../../src/random/splitmix.js';
import { App } from '../campaigns/app.js';
import { type Campaign, quantile, rounded, Tally } from '../campaigns/campaign.js';

/** What the worker does when it is terminated: see scene.js. */
const activities = ['load', 'open', 'prefix', 'generate', 'score', 'tokenize', 'grammar', 'close'];

export interface Termination {
  readonly activity: string;
  /** Milliseconds of it before the worker is terminated. */
  readonly after: number;
  /** Counted from the start of the worker, whose first load is still under way. */
  readonly loading: boolean;
  readonly isolate: boolean;
}

/** Terminates workers that load, evaluate a prompt, decode or close. The app goes on, and nothing a worker started is left. */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const app = new App<Termination, { milliseconds: number }>(new URL('terminating.js', import.meta.url));
  const times: number[] = [];
  try {
    for (const index of tally.indices) {
      const begun = performance.now();
      const termination = draw(options.seed, index, options.isolate);
      const words = JSON.stringify(termination);
      const reply = await app.ask(termination);
      if (reply.end === 'answered') times.push(reply.answer.milliseconds);
      if (reply.end === 'died') tally.fault('hostDeaths', index, `${words} ${reply.how}`);
      if (reply.end === 'hung') tally.fault('hangs', index, words);
      if (reply.end === 'failed') tally.fault('broken', index, `${words} ${reply.code} ${reply.message}`);
      const took = performance.now() - begun;
      const left = await app.leftBehind();
      if (left.length > 0) tally.fault('broken', index, `${words} left behind: ${left.join(', ')}`);
      tally.done(took);
    }
  } finally {
    await app.close();
  }
  return tally.outcome({ terminateP99: rounded(quantile(times, 0.99)) });
};

function draw(seed: number, index: number, isolate: boolean | undefined): Termination {
  const random = uniform((Math.imul(seed, 0x9e37_79b1) + index) >>> 0);
  const loading = random() < 0.25;
  return {
    activity: activities[Math.floor(random() * activities.length)]!,
    after: Math.round(random() ** 2 * (loading ? 200 : 60)),
    loading,
    isolate: isolate ?? index % 2 === 1,
  };
}
