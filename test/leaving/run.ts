import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { uniform } from '../../src/random/splitmix.js';
import { type End, runApart } from '../campaigns/apart.js';

const folder = fileURLToPath(new URL('ways', import.meta.url));

/** Ways of leaving: one file each, whose first line says how the process ends. */
export const ways = readdirSync(folder).map(file => file.replace(/\.js$/, ''));

/** What the process is doing when it leaves: see scene.js. */
export const activities = ['idle', 'load', 'open', 'close', 'score', 'generate', 'prefix', 'tokenize', 'grammar'];

export interface Departure {
  readonly way: string;
  readonly activity: string;
  /** Milliseconds of work before it leaves. */
  readonly after: number;
  /** The model in a process of its own. */
  readonly isolate: boolean;
}

/** The ways in turn, each time in the middle of something else and at another moment; every second round isolated where that is left open. */
export function departures(count: number, seed: number, isolate?: boolean): Departure[] {
  const random = uniform(seed);
  return Array.from({ length: count }, (_, index) => ({
    way: ways[index % ways.length]!,
    activity: activities[Math.floor(random() * activities.length)]!,
    after: Math.round(random() ** 2 * 60_000) / 1000,
    isolate: isolate ?? Math.floor(index / ways.length) % 2 === 1,
  }));
}

/** Leaves once. Resolves with how the process should have ended, how it did, and what it left behind. */
export async function leave(departure: Departure): Promise<End & { expected: string }> {
  const file = `${folder}/${departure.way}.js`;
  const expected = /^\/\/ Ends (with code \d+|by SIG[A-Z]+)\.\n/.exec(readFileSync(file, 'utf8'))?.[1];
  if (expected === undefined) throw new Error(`Expected the first line of ${file} to say how the process ends`);
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    LEAVING_ACTIVITY: departure.activity,
    LEAVING_AFTER: String(departure.after),
    LEAVING_ISOLATE: departure.isolate ? '1' : '',
  };
  return { expected, ...(await runApart(process.execPath, [file], { env })) };
}
