import { factsOf } from '../../models/known.js';
import { reckonedOf, tensorsOf, usualQuants } from '../../models/published.js';
import { type KnownModel, type ModelFacts, registry } from '../../models/registry.js';
import { type PublishedShape, publishedShapes } from '../../models/shapes.js';
import type { FormatName } from '../../prompt/format/format.js';
import { type Outlook, outlookOf } from './outlook.js';
import { recommend } from './recommend.js';

/** A model that is known, how it is asked, and how it would run on a machine. */
export interface KnownModelOutlook extends ModelFacts {
  /** Its own prompt format; null if none here is. */
  readonly format: FormatName | null;
  /** Worked examples that it is shown. */
  readonly shots: number;
  /** Where it is published that it is asked so. */
  readonly formatSource: string;
  /** What to do where no format is its own. */
  readonly refusal: string | null;
  /** The usual ones, finest first, as reckoned from its published shape; empty where that was not found. */
  readonly quantizations: readonly QuantizationOutlook[];
  /** Of these, the one to take here, as `meditron fit` says without measuring; null if nothing fits. */
  readonly recommended: string | null;
}

/** One quantization of a model on a machine. */
export interface QuantizationOutlook extends Pick<Outlook, 'fits' | 'lowMemory' | 'samples' | 'memoryBytes'> {
  /** As file names spell it. */
  readonly quantization: string;
  /** Of the file. */
  readonly sizeBytes: number;
}

/** Everything that is known by name, on a CPU with so many bytes available. */
export function knownModels(available: number, threads: number): KnownModelOutlook[] {
  return registry.map(known => knownModel(known, available, threads));
}

/** One of {@link knownModels}. */
export function knownModel(known: KnownModel, available: number, threads: number): KnownModelOutlook {
  const { format, shots, source, refusal, shape } = known;
  const rows = shape === undefined ? [] : rowsOf(publishedShapes[shape], available, threads);
  const choices = rows.map(row => ({ ...row, bytes: row.sizeBytes, tokensPerSecond: null, gpu: null }));
  return {
    ...factsOf(known),
    ...{ format, shots, formatSource: source, refusal: refusal ?? null },
    quantizations: rows.map(({ quantization, sizeBytes, fits, lowMemory, samples, memoryBytes }) => {
      return { quantization, sizeBytes, fits, lowMemory, samples, memoryBytes };
    }),
    recommended: rows.length === 0 ? null : recommend(choices).quantization,
  };
}

function rowsOf(shape: PublishedShape, available: number, threads: number) {
  return Object.entries(usualQuants).map(([quant, quantization]) => {
    const model = reckonedOf(shape, tensorsOf(shape, quant as keyof typeof usualQuants));
    return { quantization, sizeBytes: model.sizeBytes, ...outlookOf(model, available, threads) };
  });
}
