import type { Answerer } from '../answerer/answerer.js';
import type { Question } from '../prompt/question/question.js';
import { type Calibration, groupFor, misfit } from './calibration.js';
import type { AskOptions } from './options.js';
import { promptOptions } from './options.js';
import { hashOfFiles } from './record/hashes.js';

/** What of an asking a calibration sets, apart from its prompt. The format follows from the model, and is compared once it is known. */
const settings = [
  'mode',
  'protocol',
  'samples',
  'temperature',
  'topP',
  'topK',
  'maxTokens',
  'bos',
  'reask',
  'reading',
  'shuffle',
] as const;

/**
 * The options with everything that was left open as the calibration has it. Votes are run to their end, because their shares are what was calibrated.
 *
 * @throws MeditronError `ERR_CALIBRATION` that names all that was given and differs, or that the calibration knows no such question
 */
export function asCalibrated(question: Question, calibration: Calibration, options: AskOptions): AskOptions {
  const { terms } = calibration;
  const given: Readonly<Record<string, unknown>> = { ...options };
  const differences: string[] = [];
  const compare = (name: string, there: unknown) => {
    if (given[name] !== undefined && given[name] !== (there ?? undefined))
      differences.push(`\`${name}\` is ${shown(there)} there, ${shown(given[name])} here`);
  };
  for (const name of settings) compare(name, terms[name]);
  for (const name of Object.keys(promptOptions)) compare(name, terms.prompt[name as keyof typeof terms.prompt]);
  compare('format', terms.format);
  compare('weighting', 'none');
  const { stop = 'none' } = options;
  if ((typeof stop === 'string' ? stop : stop.rule) !== 'none')
    differences.push('`stop` is none there: all samples count');
  if (!groupFor(calibration, question)) differences.push(otherQuestions(calibration, question));
  if (differences.length > 0) throw misfit(differences);
  const { format: _, maxTokens, prompt, ...rest } = terms;
  return { ...options, ...rest, ...prompt, ...(maxTokens !== null && { maxTokens }), stop: 'none' };
}

/** @throws MeditronError `ERR_CALIBRATION` unless the answerer has the very model that was calibrated, without adapters */
export async function checkCalibratedModel(
  { model }: Calibration,
  answerer: Answerer,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!answerer.hash) throw misfit([`the model is ${model.name} there, and which one a server has nobody can say`]);
  const { engine } = answerer.describe();
  if (engine && engine.loras.length > 0) throw misfit(['the model is without adapters there, with some here']);
  const sha256 = hashOfFiles(await answerer.hash(signal ?? new AbortController().signal));
  if (sha256 !== model.sha256)
    throw misfit([`the model is ${model.name} with SHA-256 ${model.sha256} there, one with ${sha256} here`]);
}

function otherQuestions({ groups }: Calibration, question: Question): string {
  const words = {
    choice: 'with options',
    boolean: 'of yes, no or maybe',
    open: 'without options',
    chat: 'in a conversation',
  };
  const there = groups.map(({ kind, options }) => (kind === 'choice' ? `${options} options` : words.boolean));
  const here = question.kind === 'choice' ? `${question.options.length} options` : words[question.kind];
  return `the number of options: questions of ${there.join(' and ')} there, ${here} here`;
}

function shown(value: unknown): string {
  return value === undefined || value === null ? 'left open' : JSON.stringify(value);
}
