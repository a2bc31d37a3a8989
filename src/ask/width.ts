import { MeditronError } from '../check/errors.js';
import { engineOptions } from '../check/machine.js';
import { boolean, checkKeys, integer, object } from '../check/options.js';
import { checkOptions } from '../check/table.js';
import { maxSequences, usualWidth } from '../engine/capacity/ask.js';
import { fastestWidth, type StepTimes, widthsToMeasure } from '../engine/capacity/width.js';
import { checkSignal } from '../engine/jobs/options.js';
import type { EngineOptions, Model } from '../engine/model.js';
import { canKeep, choose, chosenIn, widthFile } from '../engine/width/kept.js';
import { measureSteps } from '../engine/width/measure.js';

/** How {@link measuredWidth} finds out. */
export interface WidthOptions {
  /** What the engine that will be asked is made with, as far as it changes the time of a step. */
  readonly engine?: EngineOptions | undefined;
  /** Measure although it is known. What is measured while other programs compute changes nothing. Default false. */
  readonly again?: boolean | undefined;
  /** Gives it up, without an error: then the usual number is returned, and nothing kept. */
  readonly signal?: AbortSignal | undefined;
  /** Called before something is measured. */
  readonly onMeasure?: (() => void) | undefined;
}

/** Samples that run at once. */
export interface MeasuredWidth {
  /** For the option `width` of `ask` and `roomFor`. */
  readonly width: number;
  /** What could not be measured, in words. */
  readonly warnings: readonly string[];
}

/**
 * How many of `samples` samples to run at once, so that a question is decided soonest: on a CPU that reads its weights measured, as long as a
 * handful of steps take, and kept in the state folder for models of this shape on this machine, so that a seed always repeats; the first
 * choice stays, also the usual one, which is kept where other programs compute. Elsewhere, and where nothing can be kept, the usual one: four
 * on a CPU that reads its weights, else all.
 *
 * @throws MeditronError `ERR_OPTION`; as `Model.createEngine` and `Engine.generate`
 */
export async function measuredWidth(model: Model, samples: number, options: WidthOptions = {}): Promise<MeasuredWidth> {
  object('model.info', object('model', model).info);
  const { info } = model;
  integer('samples', samples, 1, maxSequences);
  object('options', options);
  checkKeys('measuredWidth()', options, ['engine', 'again', 'signal', 'onMeasure']);
  const { engine = {}, onMeasure } = options;
  checkOptions('createEngine()', engineOptions, engine);
  const again = boolean('again', options.again ?? false);
  const signal = checkSignal(options.signal);
  if (onMeasure !== undefined && typeof onMeasure !== 'function')
    throw new MeditronError('ERR_OPTION', 'Expected `onMeasure` to be a function');
  const usual = usualWidth(info, samples);
  const file = usual < samples ? widthFile(info, samples, engine) : undefined;
  if (file === undefined) return { width: usual, warnings: [] };
  const known = chosenIn(file);
  if (known !== undefined && !again) return { width: known, warnings: [] };
  if (signal?.aborted || !(await canKeep(file))) return { width: usual, warnings: [] };
  onMeasure?.();
  const found = await measured(model, widthsToMeasure(samples, usual), engine, signal);
  if (!found) return { width: known ?? usual, warnings: [] };
  const { times, disturbed } = found;
  if (disturbed !== undefined && known !== undefined)
    return { width: known, warnings: [notMeasured(disturbed, known)] };
  const width = disturbed === undefined ? fastestWidth(times, samples, usual) : usual;
  const choice = { width, measured: disturbed === undefined, times };
  const stands = (await choose(file, choice, again)) ?? usual;
  return { width: stands, warnings: disturbed === undefined ? [] : [notMeasured(disturbed, stands)] };
}

/** Undefined after an abort. */
async function measured(
  model: Model,
  widths: readonly number[],
  options: EngineOptions,
  signal: AbortSignal | undefined,
): Promise<{ readonly times: StepTimes; readonly disturbed?: string } | undefined> {
  try {
    const { times, quiet } = await measureSteps(model, widths, options, signal);
    return { times, ...(!quiet && { disturbed: 'other programs computed meanwhile' }) };
  } catch (error) {
    if (signal?.aborted) return undefined;
    if (!(error instanceof MeditronError) || error.code !== 'ERR_MEMORY') throw error;
    return { times: new Map(), disturbed: 'there was not enough memory' };
  }
}

function notMeasured(why: string, width: number): string {
  return (
    `How many samples at once are fastest here could not be measured, because ${why}: ${width} run at once, and will, so that a seed repeats. ` +
    '`meditron ask --measure-width` measures it again'
  );
}
