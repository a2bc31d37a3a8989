import { type FileHash, modelHash } from '../models/identity.js';
import { parseQuestion, type Question } from '../prompt/question/question.js';
import { type Answer, type AnswerScore, type AskEvent, notice } from './answer.js';
import { type Closing, closingOf } from './closing.js';
import { conclude } from './conclude.js';
import { evidenceOf } from './evidence.js';
import { type Ask, type AskOptions, checkAsk } from './options.js';
import { type Prepared, prepare } from './prepare.js';
import { Samples } from './samples.js';
import { type Outcome, runSamples } from './sampling.js';
import type { AskEngine } from './surface.js';
import { topToken } from './toptoken.js';

/**
 * Asks a question and returns what the samples come to, with counts, rationales and the evidence to run it again.
 *
 * @throws MeditronError `ERR_OPTION`, `ERR_INPUT`; `ERR_PROMPT_FORMAT` for a model whose format is not known;
 *   `ERR_CONTEXT_FULL` with the numbers; what Engine.generate throws; the signal's reason
 */
export async function ask(engine: AskEngine, question: Question, options: AskOptions = {}): Promise<Answer> {
  const stream = askStream(engine, question, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return value;
  }
}

/**
 * The same as a stream: what happens while the samples run, then, as the generator's return value, the answer. Text comes
 * before the vote has closed and is unverified. Leaving the loop cancels whatever still runs.
 *
 * @throws MeditronError as {@link ask}
 */
export async function* askStream(
  engine: AskEngine,
  question: Question,
  options: AskOptions = {},
): AsyncGenerator<AskEvent, Answer, void> {
  const asked = parseQuestion(question);
  const settings = checkAsk(asked, options);
  settings.signal?.throwIfAborted();
  using closing = closingOf(settings);
  const { counters } = engine;
  const before = { ...counters, at: performance.now() };
  const prepared = await prepare(engine, asked, settings);
  const files = hashing(engine, settings, closing);
  const { plan, warnings } = prepared;
  const { findings } = prepared.variants[0]!.prompt;
  yield { type: 'plan', plan, findings, warnings };

  const { outcome, scores } =
    settings.mode === 'top-token'
      ? await once(engine, prepared, closing)
      : { outcome: yield* runSamples(engine, prepared, closing), scores: null };
  const conclusion = conclude(prepared, outcome);
  const [only] = conclusion.samples;
  if (scores && only) {
    yield { type: 'vote', sample: 0, answer: only.answer, forced: false, finish: only.finish, tally: conclusion.votes };
  }
  yield { type: 'settled', by: conclusion.vote?.stoppedBy ?? 'none', notRun: conclusion.votes.notRun };

  const measured = {
    fresh: before.steps === 0,
    promptTokens: counters.promptTokens - before.promptTokens,
    sampledTokens: counters.sampledTokens - before.sampledTokens,
    milliseconds: Math.round(performance.now() - before.at),
  };
  const evidence = evidenceOf(engine, prepared, conclusion, scores, await files, measured);
  return { ...conclusion, scores, plan, findings, warnings, notice, evidence };
}

async function once(
  engine: AskEngine,
  prepared: Prepared,
  closing: Closing,
): Promise<{ outcome: Outcome; scores: Readonly<Record<string, AnswerScore>> | null }> {
  const samples = new Samples(prepared);
  try {
    const { scores, finished } = await topToken(engine, prepared, closing.signal);
    samples.finished.set(0, finished);
    return { outcome: { samples, interrupted: undefined }, scores };
  } catch (error) {
    const interrupted = closing.why();
    if (!interrupted) throw error;
    return { outcome: { samples, interrupted }, scores: null };
  }
}

/** Reads the model file beside the generation. When the vote is closed by the clock, the hash is not waited for. */
function hashing(engine: AskEngine, { hash }: Ask, closing: Closing): Promise<FileHash[] | null> {
  if (!hash) return Promise.resolve(null);
  const files = modelHash(engine.model.info, closing.signal);
  const settled = files.catch(error => {
    if (closing.signal.aborted) return null;
    throw error;
  });
  settled.catch(() => {}); // looked at once the vote is closed, if it ever is
  return settled;
}
