import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Death } from '../../check/died.js';
import { MeditronError } from '../../check/errors.js';
import { writeOutput } from '../../check/outputs.js';
import { checked } from '../../check/schema.js';
import { isSealed, sealed } from '../../check/seal.js';
import type { Journal } from './journal.js';
import { incidentsName } from './lines.js';
import type { ResultRow, StandIn } from './rows.js';

/** What befell the engine, and how often alike. */
export type Incident = (DeathIncident | StandInIncident) & {
  readonly times: number;
  readonly first: Moment;
  readonly last: Moment;
};

export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  /** Rows that were on the disk. */
  readonly rows: number;
}

/** The engine's process died. */
export interface DeathIncident extends Omit<Death, 'model'> {
  readonly kind: 'death';
  /** The key of the run; null while it was still planned. */
  readonly run: string | null;
  /** Questions in flight at once before and after; null where none was. */
  readonly width: { readonly before: number; readonly after: number } | null;
}

/** From here on something else computes, because the engine that was planned is down. */
export interface StandInIncident {
  readonly kind: 'stand-in';
  readonly run: string;
  readonly standIn: StandIn;
  /** Those of the engine that is down. */
  readonly devices: readonly string[];
}

/**
 * The incidents of a results folder, open for writing by whoever holds the journal. Incidents that differ in numbers alone are
 * kept once, with their count, so that the file stays small however often the engine dies. It holds nothing of a question.
 */
export class IncidentLog {
  readonly #path: string;
  #incidents: readonly Incident[];

  private constructor(
    dir: string,
    private readonly results: Journal<ResultRow>,
    incidents: readonly Incident[],
  ) {
    this.#path = join(dir, incidentsName);
    this.#incidents = incidents;
  }

  /** @throws MeditronError as {@link readIncidents}; what an evaluation that is gone has left is removed */
  static async open(dir: string, results: Journal<ResultRow>): Promise<IncidentLog> {
    const { id } = results.header;
    try {
      return new IncidentLog(dir, results, await readIncidents(dir, id));
    } catch (error) {
      if (results.done.size > 0) throw error;
      await rm(join(dir, incidentsName), { force: true });
      return new IncidentLog(dir, results, []);
    }
  }

  /** @throws MeditronError `ERR_OUTPUT` if it cannot be written */
  async add(incident: DeathIncident | StandInIncident): Promise<void> {
    const now = { at: new Date().toISOString(), rows: this.results.done.size };
    const kind = kindOf(incident);
    const known = this.#incidents.find(each => kindOf(each) === kind);
    const added: Incident = known
      ? { ...known, times: known.times + 1, last: now }
      : { ...incident, times: 1, first: now, last: now };
    this.#incidents = known
      ? this.#incidents.map(each => (each === known ? added : each))
      : [...this.#incidents, added].slice(0, mostKinds);
    const file = { ...head, results: this.results.header.id, incidents: this.#incidents };
    await writeOutput(this.#path, `${JSON.stringify(sealed(file), null, 2)}\n`);
  }
}

const head = { format: 'meditron-incidents', version: 1 } as const;

/** Kinds of incidents that are kept. */
const mostKinds = 200;

/** The same for incidents that differ in numbers alone, as of processes and addresses, or in what one printed that was killed. */
function kindOf(incident: DeathIncident | StandInIncident): string {
  const { times: _, first: __, last: ___, ...rest } = incident as Incident;
  if (rest.kind === 'stand-in') return JSON.stringify(rest);
  const lastLines = rest.external ? [] : rest.lastLines.map(line => line.replace(/0x[\da-f]+|\d+/gi, '#'));
  return JSON.stringify(Object.entries({ ...rest, lastLines }).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const text = v.string();
const whole = v.pipe(v.number(), v.safeInteger('an integer'), v.minValue(0, 'an integer >= 0'));
const texts = v.pipe(v.array(text), v.readonly());
const moment = v.object({ at: v.pipe(text, v.isoTimestamp('a time as ISO 8601 writes it')), rows: whole });
const counted = { times: whole, first: moment, last: moment };
const incident = v.variant('kind', [
  v.object({
    kind: v.literal('death'),
    run: v.nullable(text),
    signal: v.nullable(text),
    exitCode: v.nullable(v.number()),
    phase: v.picklist(['start', 'load', 'idle', 'tokenize', 'prompt', 'decode']),
    external: v.boolean(),
    unresponsive: v.boolean(),
    devices: texts,
    lastLines: texts,
    width: v.nullable(v.object({ before: whole, after: whole })),
    ...counted,
  }),
  v.object({ kind: v.literal('stand-in'), run: text, standIn: v.literal('cpu'), devices: texts, ...counted }),
]);
const fileSchema = v.object({
  format: v.literal(head.format),
  version: v.literal(head.version),
  results: text,
  incidents: v.pipe(v.array(incident), v.readonly()),
  sha256: text,
});

/**
 * What befell the engine while the results with this id were computed, in the order in which each was first seen.
 *
 * @throws MeditronError `ERR_INPUT` if the file is of other results, or is not as it was written
 */
export async function readIncidents(dir: string, results: string): Promise<readonly Incident[]> {
  const path = join(dir, incidentsName);
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new MeditronError('ERR_INPUT', `Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const value = parsed(json);
  if (typeof value !== 'object' || value === null || !isSealed(value))
    throw new MeditronError('ERR_INPUT', `${path} is not as it was written: use an unchanged copy, or take it away`);
  const file = checked(fileSchema, value, path);
  if (file.results !== results)
    throw new MeditronError('ERR_INPUT', `${path} belongs to other results than those in ${dir}: take it away`);
  return file.incidents;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
