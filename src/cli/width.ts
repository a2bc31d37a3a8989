import { checkAsked } from '../ask/asked.js';
import type { AskOptions } from '../ask/options.js';
import { roomBehind } from '../ask/room.js';
import { measuredWidth } from '../ask/width.js';
import { MeditronError } from '../check/errors.js';
import { usualWidth } from '../engine/capacity/ask.js';
import { widthsFor } from '../engine/capacity/width.js';
import type { Engine } from '../engine/engine.js';
import type { EngineOptions, Model } from '../engine/model.js';
import type { Question } from '../prompt/question/question.js';
import { progressBar } from './terminal/progress.js';

/** A question, and what it is asked with. */
export interface Asking {
  readonly question: Question;
  readonly options: AskOptions;
  readonly engine: EngineOptions;
  /** What all prompts begin with and the engine holds. */
  readonly beginning: Int32Array;
  /** Where no width is given: the one that was measured on this machine, or that is measured again; undefined: the usual one. */
  readonly width: 'measured' | 'again' | undefined;
  readonly signal: AbortSignal;
}

/** An engine of the size that a question needs, and the options to ask it with. Where memory does not hold the measured number of samples at once, of fewer. */
export async function engineFor(model: Model, asking: Asking) {
  const { question, options, engine: given, beginning } = asking;
  const { widths, warnings } = await widthsOf(model, asking);
  for (;;) {
    const width = widths.shift();
    const sized = width === undefined ? options : { ...options, width };
    const room = await roomBehind(beginning, model, question, sized);
    try {
      const engine: Engine = await model.createEngine({
        ...given,
        contextSize: given.contextSize ?? room.contextSize,
        maxSequences: room.maxSequences,
      });
      return { engine, options: sized, warnings };
    } catch (error) {
      const tight = error instanceof MeditronError && error.code === 'ERR_MEMORY';
      if (!tight || widths.length === 0) throw error;
      warnings.push(
        `${widths[0]} samples run at once instead of ${width}, for which there is not enough memory now: texts differ slightly from those of ${width} with the same seed`,
      );
    }
  }
}

/** Numbers of samples at once, the best first; none where it is given or the usual one is meant. */
async function widthsOf(model: Model, { question, options, engine, width, signal }: Asking) {
  const warnings: string[] = [];
  const widths: number[] = [];
  if (width === undefined || options.width !== undefined) return { widths, warnings };
  const { samples } = checkAsked(question, options);
  const usual = usualWidth(model.info, samples);
  if (usual === samples) return { widths, warnings };
  const progress = progressBar('Measuring how many chains at once are fastest');
  try {
    const again = width === 'again';
    const measured = await measuredWidth(model, samples, { engine, again, signal, onMeasure: () => progress.show(0) });
    warnings.push(...measured.warnings);
    const fewer = widthsFor(samples, usual).filter(each => each < measured.width);
    widths.push(measured.width, ...fewer.reverse());
  } finally {
    progress.stop();
  }
  return { widths, warnings };
}
