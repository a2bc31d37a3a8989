import type { Answerer } from '../answerer/answerer.js';
import { type AskEngine, answererOf } from '../answerer/engine.js';
import { MeditronError } from '../check/errors.js';
import { object } from '../check/options.js';
import type { FileHash } from '../models/identity.js';
import type { Question } from '../prompt/question/question.js';
import { checkAsked } from './asked.js';
import { checkCalibratedModel } from './calibrated.js';
import { type Closing, closingOf } from './closing.js';
import { conclude, judgedBy } from './conclude.js';
import type { AskOptions } from './options.js';
import { planAsking } from './plan.js';
import { evidenceOf } from './record/evidence.js';
import { countingOf, run } from './run.js';
import { type Answer, type AskEvent, notice } from './types.js';

/**
 * Asks a question and returns what the samples come to, with counts, rationales and the evidence to run it again.
 *
 * @throws MeditronError `ERR_OPTION`, `ERR_INPUT`; `ERR_PROMPT_FORMAT` for a model whose format is not known; `ERR_CALIBRATION`
 *   for a calibration of another model, or of other options;
 *   `ERR_CONTEXT_FULL` with the numbers; what Engine.generate throws; the signal's reason
 */
export async function ask(engine: AskEngine | Answerer, question: Question, options: AskOptions = {}): Promise<Answer> {
  const stream = askStream(engine, question, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return value;
  }
}

/**
 * The same as a stream: what happens while the samples run, then, as the generator's return value, the answer. Text comes
 * before the vote has closed and is unverified. Leaving the loop cancels whatever still runs. Where it fails after samples have
 * finished, their record is the last event.
 *
 * @throws MeditronError as {@link ask}
 */
export async function* askStream(
  engine: AskEngine | Answerer,
  question: Question,
  options: AskOptions = {},
): AsyncGenerator<AskEvent, Answer, void> {
  const asked = checkAsked(question, options);
  asked.signal?.throwIfAborted();
  const answerer = 'fit' in object('engine', engine) ? (engine as Answerer) : answererOf(engine as AskEngine);
  using closing = closingOf(asked);
  if (asked.calibration) await checkCalibratedModel(asked.calibration, answerer, asked.signal);
  const { counters } = answerer;
  const before = { ...counters, at: performance.now() };
  const planned = await planAsking(answerer, asked);
  const hash = hashing(answerer, asked.hash, closing);
  const { findings } = planned.variants[0]!.prompt;
  yield { type: 'plan', plan: planned.plan, findings, warnings: planned.warnings };

  const outcome = yield* run(planned, closing);
  const conclusion = conclude({ ...asked, ...countingOf(planned), ...judgedBy(planned.scope) }, outcome);
  if (!outcome.failure)
    yield { type: 'settled', by: conclusion.vote?.stoppedBy ?? 'none', notRun: conclusion.votes.notRun };

  const plan = { ...planned.plan, promptTokens: outcome.promptTokens };
  const measured = {
    fresh: before.steps === 0,
    promptTokens: counters.promptTokens - before.promptTokens,
    sampledTokens: counters.sampledTokens - before.sampledTokens,
    milliseconds: Math.round(performance.now() - before.at),
  };
  const { files, warnings } = await hash();
  const evidence = evidenceOf(answerer.describe(), { ...planned, plan }, conclusion, outcome, files, measured);
  if (outcome.failure) {
    yield { type: 'unfinished', evidence };
    throw outcome.failure.error;
  }
  return {
    ...conclusion,
    scores: outcome.scores,
    plan,
    findings,
    warnings: [...planned.warnings, ...warnings],
    notice,
    evidence,
  };
}

interface Hashed {
  readonly files: readonly FileHash[] | null;
  readonly warnings: readonly string[];
}

/** How long an answer waits for the hash at most: enough for a small file, and nothing to a reader. */
const hashPatienceMs = 200;

/**
 * Begins to read the model file beside the generation. What is returned gives the hash if it is known once the vote has
 * closed, and otherwise gives up: no answer is held back for a record.
 */
function hashing(answerer: Answerer, wanted: boolean, closing: Closing): () => Promise<Hashed> {
  if (!wanted || !answerer.hash) return async () => ({ files: null, warnings: [] });
  const abort = new AbortController();
  const files = answerer.hash(abort.signal);
  files.catch(() => {}); // looked at below, if the vote ever closes
  closing.signal.addEventListener('abort', () => abort.abort(), { once: true });
  return async () => {
    const late = new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), hashPatienceMs).unref());
    try {
      const ready = await Promise.race([files, late]);
      if (ready) return { files: ready, warnings: [] };
    } catch (error) {
      if (error instanceof MeditronError)
        return { files: null, warnings: [`The record has no SHA-256: ${error.message}`] };
      if (!closing.signal.aborted) throw error;
    }
    return { files: null, warnings: [unhashed] };
  };
}

const unhashed =
  'The model file had not been read to its end when the vote closed: the evidence has no SHA-256 of it, and a replay cannot say whether it is the same file';
