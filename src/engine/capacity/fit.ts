import { MeditronError } from '../../check/errors.js';
import type { Job } from '../jobs/job.js';
import type { EngineSettings } from '../settings.js';
import { fits, largest, type Need } from './need.js';

/**
 * Refuses a job that could never run, with the numbers; nothing is cut to make it fit.
 *
 * @throws MeditronError `ERR_CONTEXT_FULL`
 */
export function checkFits(job: Job, settings: EngineSettings): void {
  const { contextSize, maxSequences, sequenceSize } = settings;
  const { need, from, lease, prompt, given } = job;
  const promptTokens = prompt.length + given;
  const branch = largest(job.branchCells) - given;
  if (need.sequences > maxSequences) {
    throw full(
      `Expected at most ${maxSequences} samples at once, got ${need.sequences}. Open the engine with a larger \`maxSequences\`.`,
    );
  }
  const before = from ? `${from.tokenCount} tokens held, ` : '';
  if (job.positions > sequenceSize) {
    throw full(
      `The prompt and the new tokens do not fit: ${before}${promptTokens} prompt tokens and ${branch} new ones ` +
        `make ${job.positions}, and ${limitedBy(settings)}. Shorten the prompt or lower \`maxTokens\`; nothing is cut silently.`,
    );
  }
  if (need.cells > contextSize) {
    throw full(
      `The job does not fit in the context: ${job.promptCells + given} prompt tokens and ${need.sequences} × ${branch} new ones ` +
        `need ${need.cells} cells, there are ${contextSize}. Open the engine with a larger \`contextSize\`, or ask for fewer samples or tokens.`,
    );
  }
  if (lease && !fits(need, lease.size)) {
    throw full(
      `The job needs ${inWords(need)}; its lease has ${inWords(lease.size)}. Take a larger lease, or ask for fewer samples or tokens.`,
    );
  }
  if (from?.stretch && !lease) {
    const { pool } = from.stretch;
    const kept = { sequences: 1, cells: from.stretch.cells(pool) };
    const room = { sequences: maxSequences - kept.sequences, cells: contextSize - kept.cells };
    if (!fits(need, room)) {
      throw full(
        `The job needs ${inWords(need)} beside the held sequence it starts from, which leaves ${inWords(room)}. ` +
          'Open the engine with a larger `maxSequences` or `contextSize`, or ask for fewer samples or tokens.',
      );
    }
  }
}

/** Refuses a lease that the engine could never give. */
export function checkLeaseFits(size: Need, { contextSize, maxSequences }: EngineSettings): void {
  const room = { sequences: maxSequences, cells: contextSize };
  if (fits(size, room)) return;
  throw full(
    `A lease of ${inWords(size)} was asked for; the engine has ${inWords(room)}. Open it with a larger \`maxSequences\` or \`contextSize\`.`,
  );
}

export function inWords({ sequences, cells }: Need): string {
  return `${sequences} ${sequences === 1 ? 'sequence' : 'sequences'} and ${cells} cells`;
}

function full(message: string): MeditronError {
  return new MeditronError('ERR_CONTEXT_FULL', message);
}

function limitedBy({ contextSize, sequenceSize }: EngineSettings): string {
  return sequenceSize < contextSize
    ? `a sequence of this model has at most ${sequenceSize}`
    : `this engine's context has ${contextSize} cells (\`contextSize\`)`;
}
