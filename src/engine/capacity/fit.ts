import { MeditronError } from '../../check/errors.js';
import type { Ticket } from '../jobs/ticket.js';
import type { EngineSettings } from '../settings.js';

/**
 * Refuses a job that could never run, with the numbers; nothing is cut to make it fit.
 *
 * @throws MeditronError `ERR_CONTEXT_FULL`
 */
export function checkFits(ticket: Ticket, settings: EngineSettings): void {
  const { contextSize, maxSequences, sequenceSize } = settings;
  if (ticket.branchCount > maxSequences) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `Expected at most ${maxSequences} samples at once, got ${ticket.branchCount}. Open the engine with a larger \`maxSequences\`.`,
    );
  }
  const before = ticket.from ? `${ticket.from.tokenCount} tokens held, ` : '';
  if (ticket.positions > sequenceSize) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `The prompt and the new tokens do not fit: ${before}${ticket.prompt.length} prompt tokens and ${ticket.tokensPerBranch} new ones ` +
        `make ${ticket.positions}, and ${limitedBy(settings)}. Shorten the prompt or lower \`maxTokens\`; nothing is cut silently.`,
    );
  }
  if (ticket.cells > contextSize) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `The job does not fit in the context: ${ticket.prompt.length} prompt tokens and ${ticket.branchCount} × ${ticket.tokensPerBranch} new ones ` +
        `need ${ticket.cells} cells, there are ${contextSize}. Open the engine with a larger \`contextSize\`, or ask for fewer samples or tokens.`,
    );
  }
}

function limitedBy({ contextSize, sequenceSize }: EngineSettings): string {
  return sequenceSize < contextSize
    ? `a sequence of this model has at most ${sequenceSize}`
    : `this engine's context has ${contextSize} cells (\`contextSize\`)`;
}
