import { type Calibration, type CalibrationGroup, calibrationSchema } from '../../ask/calibration.js';
import { classesOf } from '../../ask/classes.js';
import { hashOfFiles } from '../../ask/record/hashes.js';
import { MeditronError } from '../../check/errors.js';
import { packageVersion } from '../../check/project.js';
import { sealed } from '../../check/seal.js';
import { labelsOf } from '../../prompt/question/question.js';
import { sampleSeed } from '../../random/seeds.js';
import { byVotes } from '../../vote/count/sets.js';
import type { StoredEvaluation } from '../storage/evaluation.js';
import { questionOfRow, type ResultRow } from '../storage/rows.js';
import type { EvaluationConfig, StoredRun } from '../storage/types.js';
import { clusterOf } from './outcome.js';
import { readRow } from './read.js';

/**
 * The run of an evaluation that sets are calibrated on: its one vote of several chains, all of which ran, and of two the one with the option to abstain.
 *
 * @throws MeditronError `ERR_OPTION` if it has none, several, or one that `ask()` cannot repeat
 */
export function calibratedRun({ runs, subject }: EvaluationConfig): StoredRun {
  const votes = runs.filter(({ mode, samples }) => mode === 'sc-cot' && samples > 1);
  const wanted = votes.some(({ abstainOption }) => abstainOption) ? votes.filter(run => run.abstainOption) : votes;
  const [run] = wanted;
  if (!run || wanted.length > 1) throw unfit(`one run of mode sc-cot with at least two samples, got ${wanted.length}`);
  if (run.stop.rule !== 'none') throw unfit(`votes that run to their end, got the stopping rule ${run.stop.rule}`);
  if (run.weighting !== 'none') throw unfit(`samples that count alike, got the weighting ${run.weighting}`);
  if (run.demonstrations)
    throw unfit('prompts that `ask` can repeat, got demonstrations that were drawn: give --shots 0');
  if (!hashIn(subject)) throw unfit('a model whose file is here: nobody can say which one a server has');
  if (subject.some(({ name, value }) => name === 'engine' && /\blora /.test(value)))
    throw unfit('a model without adapters');
  return run;
}

/** One question, as far as sets depend on it. */
interface Counted {
  readonly kind: 'choice' | 'boolean';
  readonly options: number;
  readonly order: number;
  readonly right: number;
  /** Votes of each answer on offer. */
  readonly votes: readonly number[];
}

/**
 * Calibrates answer sets on stored results, by the votes of their questions with a known right answer: one half, drawn by the hash of their ids, sets how many votes an
 * answer needs, and on the other it is measured how often sets then hold the right one. Repeated questions count once. Questions that could not be asked
 * to the end, or that the model was not made for, are left out. `name` is what the questions are called.
 *
 * @throws MeditronError as {@link calibratedRun}; `ERR_INPUT` if fewer than two questions are left
 */
export async function calibrationOf(evaluation: StoredEvaluation, name: string): Promise<Calibration> {
  const { config } = evaluation;
  const run = calibratedRun(config);
  const byCluster = new Map<string, Counted>();
  let reask = true;
  for await (const row of evaluation.rows()) {
    if (row.run !== run.key) continue;
    if (row.samples.some(sample => sample.answer === null && !sample.reask)) reask = false;
    const counted = countedOf(row, run);
    if (counted && !byCluster.has(counted.cluster)) byCluster.set(counted.cluster, counted);
  }
  const all = [...byCluster.values()].sort((a, b) => a.order - b.order);
  if (all.length < 2)
    throw new MeditronError(
      'ERR_INPUT',
      `Expected at least two questions with a known right answer, got ${all.length}`,
    );
  const kinds = [...new Set(all.map(({ kind, options }) => `${kind} ${options}`))].sort();
  const groups = kinds.map(each =>
    groupOf(
      all.filter(({ kind, options }) => `${kind} ${options}` === each),
      run.samples,
    ),
  );
  const {
    protocol,
    format,
    samples,
    temperature,
    topP,
    topK,
    maxTokens,
    bos,
    reading = 1,
    task,
    shots,
    abstainOption,
  } = run;
  return sealed<Omit<Calibration, 'sha256'>>({
    schema: calibrationSchema,
    meditron: packageVersion(),
    created: new Date().toISOString(),
    model: { name: config.model, sha256: hashIn(config.subject)! },
    questions: { name, files: config.files.map(({ bytes, sha256 }) => ({ bytes, sha256 })) },
    terms: {
      ...{ mode: 'sc-cot', protocol, format, samples, temperature, topP, topK, maxTokens, reask, reading },
      bos: bos as Calibration['terms']['bos'],
      shuffle: 'none',
      prompt: {
        task,
        ...(format === 'few-shot' && { shots }),
        ...(abstainOption && { abstainOption }),
      },
    },
    groups,
  });
}

function countedOf(row: ResultRow, run: StoredRun): (Counted & { readonly cluster: string }) | undefined {
  if (row.error || row.gold === undefined || row.outside || row.samples.length < row.planned || row.kind === 'open')
    return undefined;
  const read = readRow(row, run);
  const question = questionOfRow(row);
  const { labels } = classesOf({ protocol: run.protocol, question });
  const of = (label: string | undefined) => read.votes.find(({ answer }) => answer === label)?.count ?? 0;
  return {
    kind: row.kind,
    options: labelsOf(question).length,
    order: sampleSeed(0, 0, `calibration ${row.item.replace(/\s+/g, ' ')}`),
    right: of(read.gold),
    votes: labels.map(of),
    cluster: clusterOf(read),
  };
}

function groupOf(questions: readonly Counted[], samples: number): CalibrationGroup {
  const half = Math.ceil(questions.length / 2);
  const [calibrated, measured] = [questions.slice(0, half), questions.slice(half)];
  const ranked = measured.map(({ votes }) => [...votes].sort((a, b) => b - a));
  return {
    kind: questions[0]!.kind,
    options: questions[0]!.options,
    calibrated: byVotes(
      calibrated.map(({ right }) => right),
      samples,
    ),
    measured: {
      right: byVotes(
        measured.map(({ right }) => right),
        samples,
      ),
      answers: byVotes(ranked.flat(), samples),
      first: byVotes(
        ranked.map(([first]) => first!),
        samples,
      ),
      second: byVotes(
        ranked.map(([, second]) => second!),
        samples,
      ),
    },
  };
}

function hashIn(subject: EvaluationConfig['subject']): string | undefined {
  const found = subject.find(({ name }) => name === 'model SHA-256')?.value.split(' ');
  return found && hashOfFiles(found.map(sha256 => ({ path: '', sizeBytes: 0, sha256 })));
}

function unfit(expected: string): MeditronError {
  return new MeditronError('ERR_OPTION', `A calibration needs ${expected}`);
}
