import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { tryFolder } from '../../check/outputs.js';
import { checkOptions } from '../../check/table.js';
import { type RunOptions, runOptions } from '../../evaluate/run/options.js';
import { loadQuestions, type Questions } from '../../evaluate/tasks/load.js';
import { type TaskName, taskNames } from '../../evaluate/tasks/task.js';
import { RequestError } from '../error.js';
import type { Pool } from '../pool/pool.js';
import { checkedBody } from './body.js';

/** What `POST runs` takes besides the options of a run. */
export const runRequest = v.strictObject({
  model: v.optional(v.string()),
  file: v.optional(v.string()),
  benchmark: v.optional(v.picklist(taskNames.filter(name => name !== 'file'))),
  data: v.optional(v.string()),
  demos: v.optional(v.string()),
  countsFrom: v.optional(v.picklist([0, 1])),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  parallel: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(256))),
  out: v.optional(v.pipe(v.string(), v.minLength(1))),
  resume: v.optional(v.boolean(), false),
});

/** What is evaluated, on what, into which folder: checked, the questions read. */
export interface EvaluationWork {
  readonly model: string;
  readonly questions: Questions;
  /** Name of the file that they are from; null: a benchmark. */
  readonly file: string | null;
  readonly options: RunOptions;
  readonly limit: number | undefined;
  readonly parallel: number | undefined;
  readonly out: string;
  /** Whether the folder was asked for, and stays. */
  readonly kept: boolean;
  readonly resume: boolean;
}

/** The same without a folder: nothing is written. */
export type PlannedWork = Omit<EvaluationWork, 'out' | 'kept'> & { readonly out: string | undefined };

/**
 * Checks a request, and reads its questions.
 *
 * @throws RequestError; MeditronError `ERR_INPUT` for questions that cannot be read, `ERR_OPTION`, `ERR_UNKNOWN_MODEL`
 */
export async function plannedWork(body: Record<string, unknown>, pool: Pool): Promise<PlannedWork> {
  const own = Object.keys(runRequest.entries);
  const isOwn = ([name]: [string, unknown]) => own.includes(name);
  const request = checkedBody(Object.fromEntries(Object.entries(body).filter(isOwn)), runRequest);
  const options = checkOptions(
    'the body',
    runOptions,
    Object.fromEntries(Object.entries(body).filter(entry => !isOwn(entry))),
  );
  const { model, file, benchmark, data, demos, countsFrom, limit, parallel, out, resume } = request;
  if ((file === undefined) === (benchmark === undefined))
    throw new RequestError(400, 'Expected `file` or `benchmark`, one of them', 'file', {}, 'ERR_OPTION');
  if (resume && out === undefined)
    throw new RequestError(400, 'Expected `out`, the folder whose results are gone on with', 'out', {}, 'ERR_OPTION');
  const { name } = pool.find(model);
  const task = benchmark as TaskName | undefined;
  const questions = await loadQuestions({ task, file, data, demos, countsFrom });
  const source = file === undefined ? null : basename(file);
  return { model: name, questions, file: source, options, limit, parallel, out, resume };
}

/** Gives it the folder that was asked for, or a temporary one. */
export async function housed(work: PlannedWork): Promise<EvaluationWork> {
  if (work.out === undefined)
    return { ...work, out: await mkdtemp(join(tmpdir(), 'meditron-evaluation-')), kept: false };
  const out = resolve(work.out);
  try {
    await tryFolder(out);
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    throw new RequestError(400, error.message, 'out', {}, error.code);
  }
  return { ...work, out, kept: true };
}

/** Takes a temporary folder away; one that was asked for stays. */
export async function unhoused({ kept, out }: EvaluationWork): Promise<void> {
  if (!kept) await rm(out, { recursive: true, force: true, maxRetries: 5 });
}
