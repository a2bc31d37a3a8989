/** What keeps a machine from being faster at something. */
export type Limit = 'memory size' | 'memory bandwidth' | 'cores' | 'other programs';

/** One kind of work, as it was measured. */
export interface Work {
  /** Of the time it takes, the part in which weights can be read from memory at the measured speed; 1 is all. */
  readonly readingShare: number;
  /** Times as fast on all threads as on one. */
  readonly threadsGain: number;
}

/** Below this part of the processor time that was wanted, other programs are what slows the machine down most. */
export const leastProcessorShare = 0.85;
/** From this part of the time on, more cores would wait for memory. */
const leastReadingShare = 0.7;

/** What holds work back, the gravest first: weights that are not in memory, a processor that computes for others, then memory or cores. */
export function limitOf(
  { readingShare }: Work,
  { fits, processorShare }: { readonly fits: boolean; readonly processorShare: number },
): Limit {
  if (!fits) return 'memory size';
  if (processorShare < leastProcessorShare) return 'other programs';
  return readingShare >= leastReadingShare ? 'memory bandwidth' : 'cores';
}
