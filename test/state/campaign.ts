import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uniform } from '../../src/random/splitmix.js';
import { App } from '../campaigns/app.js';
import { type Campaign, Tally } from '../campaigns/campaign.js';
import { Dice } from '../gguf/campaign/mutate.js';
import { corpus, names, type Written } from './corpus.js';
import { forged, mutations } from './mutate.js';

interface Trial extends Omit<Written, 'bytes' | 'about'> {
  readonly name: string;
  /** Base64. */
  readonly bytes: string;
  readonly forged: boolean;
}

/**
 * Changes files of ours and reads them back. Accepted is what is read without an error and says something else than a file that was
 * written, or the beginning of one: a kill may leave results with fewer rows. Of every ten files one has checksums that were mended:
 * it may be believed, but must end in an error with a code or be read.
 */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const app = new App<Trial, string[]>(new URL('reading.js', import.meta.url), { limitMs: 20_000 });
  const ends: Record<string, number> = {};
  try {
    const files = await corpus();
    const good = new Map<Written, string>();
    for (const file of files) {
      const reply = await app.ask(trialOf(file, file.bytes, false));
      if (reply.end !== 'answered')
        throw new Error(`What was written is not read: ${file.about}: ${JSON.stringify(reply)}`);
      good.set(file, reply.answer.join());
    }
    for (const index of tally.indices) {
      const dice = new Dice(uniform((Math.imul(options.seed, 0x9e37_79b1) + index) >>> 0));
      const kind = dice.of(Object.keys(names));
      const alike = files.filter(file => file.kind === kind);
      const [file, other] = [dice.of(alike), dice.of(alike)];
      const [name, mutate] = dice.of(Object.entries(mutations));
      const mended = dice.chance(0.1);
      const bytes = mended ? forged(file, other, dice) : mutate(file, other, dice);
      const words = `${file.kind} (${file.about}), ${mended ? 'a change with its checksums' : name}`;
      if (options.folder !== undefined) await writeFile(join(options.folder, `${index}.${file.kind}`), bytes);

      const begun = performance.now();
      const reply = await app.ask(trialOf(file, bytes, mended));
      tally.done(performance.now() - begun);
      if (reply.end === 'died') tally.fault('hostDeaths', index, `${words}: ${reply.how}`);
      if (reply.end === 'hung') tally.fault('hangs', index, words);
      if (reply.end === 'failed' && reply.code === 'UNTYPED')
        tally.fault('untyped', index, `${words}: ${reply.message}`);
      if (reply.end === 'answered' && !mended && !isOneOf(reply.answer, file, good))
        tally.fault('accepted', index, words);
      const end = {
        failed: 'code' in reply ? reply.code : '',
        answered: mended ? 'believed' : 'unchanged',
        died: 'died',
        hung: 'hung',
      }[reply.end];
      ends[end] = (ends[end] ?? 0) + 1;
    }
  } finally {
    await app.close();
  }
  return tally.outcome({ ends });
};

/** Whether what was read is what was written: in any file of its kind, or in this one if it is bound to something. */
function isOneOf(read: readonly string[], file: Written, good: ReadonlyMap<Written, string>): boolean {
  const files = file.belongs ? [file] : [...good.keys()].filter(({ kind }) => kind === file.kind);
  return files.some(each => `${good.get(each)},`.startsWith(`${read},`));
}

function trialOf({ kind, belongs }: Written, bytes: Buffer, forged: boolean): Trial {
  return { kind, name: names[kind], belongs: belongs ?? {}, bytes: bytes.toString('base64'), forged };
}
