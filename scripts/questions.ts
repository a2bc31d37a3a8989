/**
 * Writes fresh clinical-score questions as JSON lines, none of which was in the training of the shipped model:
 *
 *     npm run questions -- --seed 7 --count 1000 --out questions.jsonl
 */
import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exitCodes, MeditronError, optionError } from '../src/check/errors.js';
import { integer, oneOf } from '../src/check/options.js';
import { type ClinicalQuestion, letters, type Split } from '../src/clinical/question.js';
import { clinicalQuestions, type QuestionSet, scoreNames } from '../src/clinical/questions.js';

const usage = `Usage: npm run questions -- --seed S --count N --out FILE [options]

  --seed S      a whole number; the same seed writes the same questions everywhere
  --count N     how many questions, 1 to 1000000
  --out FILE    where to write them, one JSON object a line; - for standard output
  --score NAME  ask about this score only; may be repeated. All: ${scoreNames.join(', ')}
  --split NAME  held-out (default): none of these was trained on; train: the half that was drawn from
  --force       replace FILE if it exists
  --json        report what was written as one JSON object
`;

function main(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      out: { type: 'string' },
      score: { type: 'string', multiple: true },
      split: { type: 'string', default: 'held-out' },
      force: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const set: QuestionSet = {
    seed: wholeNumber('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    count: wholeNumber('--count', values.count, 1, 1_000_000),
    scores: [...new Set(values.score?.map(name => oneOf('--score', name, scoreNames)) ?? scoreNames)],
    split: oneOf<Split>('--split', values.split, ['held-out', 'train']),
  };
  const out = values.out;
  if (out === undefined) throw optionError('--out', 'a file name, or - for standard output', out);

  const questions = [...clinicalQuestions(set)];
  const text = questions.map(question => `${JSON.stringify(question)}\n`).join('');
  write(out, text, values.force);
  const report = reportOf(set, out, text, questions);
  if (values.json) print(out, JSON.stringify(report));
  else
    print(out, `${report.count} questions (seed ${report.seed}, ${report.split}) in ${out}, SHA-256 ${report.sha256}`);
}

/** Digits only: `1e3`, ` 7` and an empty string are mistakes, not numbers. */
function wholeNumber(option: string, value: string | undefined, min: number, max: number): number {
  if (value === undefined || !/^\d+$/.test(value)) throw optionError(option, `an integer from ${min} to ${max}`, value);
  return integer(option, Number(value), min, max);
}

function write(out: string, text: string, force: boolean): void {
  if (out === '-') {
    writeAll(1, text);
    return;
  }
  try {
    writeFileSync(out, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = exists ? 'it exists; give --force to replace it' : (cause as Error).message;
    throw new MeditronError('ERR_OUTPUT', `Cannot write ${out}: ${why}`, { cause });
  }
}

/** Standard output may be a pipe that takes less than it is given, or nothing for a moment. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return; // the reader has seen enough
      if (code !== 'EAGAIN') throw error;
    }
  }
}

function reportOf(set: QuestionSet, out: string, text: string, questions: readonly ClinicalQuestion[]) {
  const count = (letter: string) => questions.filter(({ answer }) => answer === letter).length;
  return {
    file: out,
    seed: set.seed,
    count: questions.length,
    split: set.split,
    scores: set.scores,
    answers: Object.fromEntries(letters.map(letter => [letter, count(letter)])),
    sha256: createHash('sha256').update(text).digest('hex'),
  };
}

/** With the questions on standard output, the report goes to standard error. */
function print(out: string, line: string): void {
  (out === '-' ? process.stderr : process.stdout).write(`${line}\n`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const wrongUse = code?.startsWith('ERR_PARSE_ARGS') === true;
  process.stderr.write(`${message}\n${wrongUse || code === 'ERR_OPTION' ? `\n${usage}` : ''}`);
  process.exitCode = wrongUse ? 2 : error instanceof MeditronError ? exitCodes[error.code] : 1;
}
