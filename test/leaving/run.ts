import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { uniform } from '../../src/random/splitmix.js';

const folder = fileURLToPath(new URL('ways', import.meta.url));

/** Ways of leaving: one file each, whose first line says how the process ends. */
export const ways = readdirSync(folder).map(file => file.replace(/\.js$/, ''));

/** What the process is doing when it leaves: see scene.js. */
export const activities = ['idle', 'load', 'open', 'score', 'generate', 'prefix', 'tokenize', 'grammar'];

/** A process that has not ended by then hangs. */
const limitMs = 60_000;

export interface Departure {
  readonly way: string;
  readonly activity: string;
  /** Milliseconds of work before it leaves. */
  readonly after: number;
}

/** The ways in turn, each time in the middle of something else and at another moment. */
export function departures(count: number, seed: number): Departure[] {
  const random = uniform(seed);
  return Array.from({ length: count }, (_, index) => ({
    way: ways[index % ways.length]!,
    activity: activities[Math.floor(random() * activities.length)]!,
    after: Math.round(random() ** 2 * 60_000) / 1000,
  }));
}

/** Leaves once. Resolves with what was expected and how the process ended, `hangs` if it did not. */
export async function leave(departure: Departure): Promise<{ expected: string; got: string; output: string }> {
  const file = `${folder}/${departure.way}.js`;
  const expected = /^\/\/ Ends (with code \d+|by SIG[A-Z]+)\.\n/.exec(readFileSync(file, 'utf8'))?.[1];
  if (expected === undefined) throw new Error(`Expected the first line of ${file} to say how the process ends`);
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LEAVING_ACTIVITY: departure.activity,
      LEAVING_AFTER: String(departure.after),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk;
    });
  }
  let hangs = false;
  const limit = setTimeout(() => {
    hangs = true;
    child.kill('SIGKILL');
  }, limitMs);
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ expected, got: hangs ? 'hangs' : signal ? `by ${signal}` : `with code ${code}`, output });
    });
  });
}
