import { type Death, EngineDied } from '../../check/died.js';
import { MeditronError } from '../../check/errors.js';

/** Deaths of the engine's process, and requests it refuses, with nothing done between them, after which it counts as down. */
export const mostFailures = 16;

export type OnDeath = (death: Death) => Promise<void>;

/**
 * Does something again when the engine's process died of it or under it: the model goes on in a new one.
 *
 * @throws MeditronError `ERR_ENGINE_DOWN` after too many deaths; what `work` throws otherwise
 */
export async function untilDone<T>(work: () => Promise<T>, onDeath?: OnDeath): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EngineDied)) throw error;
      await onDeath?.(error.death);
      if (failures === mostFailures) throw engineDown(error);
    }
  }
}

/** Loads a model again when its process was ended from outside meanwhile; one that died of the file would do so again. */
export function untilLoaded<T>(load: () => Promise<T>): Promise<T> {
  return untilDone(load, async death => {
    if (!death.external) throw new EngineDied(death);
  });
}

export function engineDown(last: MeditronError): MeditronError {
  const message = `The engine's process died again and again and finished nothing; the rows stay, and resuming goes on behind them. ${last.message}`;
  return new MeditronError('ERR_ENGINE_DOWN', message, { cause: last });
}
