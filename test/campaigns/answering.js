import { MeditronError } from '../../dist/check/errors.js';

/**
 * Makes this process an app that answers trials: see app.ts. It ends when whoever asks is gone.
 * @param {(trial: any) => Promise<unknown>} answer
 */
export function answering(answer) {
  process.on('message', async trial => {
    process.send(await reply(trial));
  });
  process.on('disconnect', () => process.exit(0));

  /** @param {unknown} trial */
  async function reply(trial) {
    try {
      return { end: 'answered', answer: await answer(trial) };
    } catch (error) {
      const code = error instanceof MeditronError ? error.code : 'UNTYPED';
      return { end: 'failed', code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}
