import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { App } from './app.js';
import { type Campaign, rounded, Tally } from './campaign.js';
import { members } from './session.js';

const stories = fileURLToPath(new URL('../../models/stories260K.gguf', import.meta.url));

/** What the app is asked to do before it is looked at again. */
export interface Share {
  readonly generations: number;
  readonly isolate: boolean;
  readonly model: string;
}

interface Soaked {
  /** Milliseconds of the longest generation. */
  readonly slowest: number;
  readonly handles: number;
  readonly listeners: number;
}

/** Of one process. */
interface Held {
  readonly megabytes: number;
  readonly threads: number;
  readonly files: number;
}

interface Look {
  readonly after: number;
  readonly app: Held & { readonly handles: number; readonly listeners: number };
  /** The process of the isolated engine. */
  readonly engine: Held | undefined;
}

const looks = 60;
/** The share of all generations after which nothing may grow any more. */
const warmUp = 1 / 3;
/** Megabytes that a process may grow in 1,000 generations once it is warm. Told apart from noise over 10,000 generations or more. */
const most = 0.2;

/**
 * `count` generations of a few tokens on one engine, in-process and isolated. Threads, open files, handles and listeners stay as
 * they were after the warm-up, and so does memory: figures are megabytes of resident memory, and their growth by 1,000 generations.
 */
export const campaign: Campaign = async options => {
  const { count, isolate, model = stories } = options;
  const modes = isolate === undefined ? [false, true] : [isolate];
  const tally = new Tally({ ...options, only: undefined, count: modes.length * count });
  const figures: Record<string, unknown> = {};
  for (const mode of modes) {
    const seen = await soak({ count, isolate: mode, model, tally });
    figures[mode ? 'isolated' : 'inProcess'] = judge(seen, tally);
  }
  return tally.outcome(figures);
};

interface Soak {
  readonly count: number;
  readonly isolate: boolean;
  readonly model: string;
  readonly tally: Tally;
}

async function soak({ count, isolate, model, tally }: Soak): Promise<Look[]> {
  const app = new App<Share, Soaked>(new URL('soaking.js', import.meta.url), { limitMs: 600_000 });
  const seen: Look[] = [];
  try {
    const step = Math.ceil(count / looks);
    for (let after = 0; after < count; ) {
      const generations = Math.min(step, count - after);
      const reply = await app.ask({ generations, isolate, model });
      after += generations;
      if (reply.end !== 'answered') {
        const words = `isolated ${isolate}, before generation ${after}: ${JSON.stringify(reply)}`;
        tally.fault(kinds[reply.end], 0, words);
        break;
      }
      const { slowest, handles, listeners } = reply.answer;
      const pid = app.pid!;
      const other = members(pid).find(member => member.pid !== pid);
      seen.push({ after, app: { ...held(pid), handles, listeners }, engine: other && held(other.pid) });
      tally.done(slowest, generations);
    }
  } finally {
    await app.close();
  }
  return seen;
}

const kinds = { died: 'hostDeaths', hung: 'hangs', failed: 'broken' } as const;

/** Linux only; elsewhere nothing is known. */
function held(pid: number): Held {
  if (process.platform !== 'linux') return { megabytes: 0, threads: 0, files: 0 };
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (key: string): number => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(status)![1]);
  return { megabytes: rounded(number('VmRSS') / 1024), threads: number('Threads'), files: openFiles(pid) };
}

/** 0 where a process does not let itself be looked into. */
function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function judge(seen: readonly Look[], tally: Tally): Record<string, unknown> {
  const warm = seen.filter(({ after }) => after >= warmUp * (seen.at(-1)?.after ?? 0));
  const third = Math.ceil(warm.length / 3);
  const figures: Record<string, unknown> = {};
  for (const role of ['app', 'engine'] as const) {
    const looks = warm.map(look => look[role] as Record<string, number> | undefined).filter(look => look !== undefined);
    const last = looks.at(-1);
    if (last === undefined) continue;
    for (const what of Object.keys(last)) {
      // Handles and threads come and go: what leaks is never again where it was.
      const before = Math.max(...looks.slice(0, third).map(look => look[what]!));
      const after = Math.min(...looks.slice(-third).map(look => look[what]!));
      if (what !== 'megabytes' && after > before) {
        tally.fault('broken', 0, `the ${role}'s ${what} grew from ${before} to ${after}`);
      }
    }
    const perThousand = rounded(1000 * slope(warm.map(look => [look.after, look[role]?.megabytes ?? 0])));
    if (warm.at(-1)!.after - warm[0]!.after >= 10_000 && perThousand > most) {
      tally.fault('broken', 0, `the ${role} grew by ${perThousand} MB in 1,000 generations`);
    }
    figures[role] = { ...last, megabytesWarm: looks[0]!.megabytes, perThousand };
  }
  return figures;
}

/** Of the line of least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}
