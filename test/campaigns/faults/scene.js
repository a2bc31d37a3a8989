// What the faults have in common. A program ends with code 0 if the promise was kept, 4 if it was not, 3 after an error without a code of
// ours; it prints what its attempts came to.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeditronError } from '../../../dist/check/errors.js';
import { loadModel } from '../../../dist/index.js';
import { synthesize } from '../../../dist/synth/synth.js';

const here = path => fileURLToPath(new URL(path, import.meta.url));

export const models = {
  stories: here('../../../models/stories260K.gguf'),
  mini: here('../../../models/meditron-mini.gguf'),
};
const golden = readFileSync(here('../../fixtures/stories260K.greedy.txt'), 'utf8').slice(0, 100);

/** Empty, and gone afterwards. */
export const folder = process.env.FAULT_FOLDER;
/** From 0 to 1, drawn by the campaign. */
export const share = Number(process.env.FAULT_SHARE);
export const isolated = process.env.FAULT_ISOLATE === '1';

export const load = options => loadModel({ isolate: isolated, ...options });

/** Does something that may fail: gives its result, or undefined after an error with one of the codes; with none, any of ours will do. */
export async function attempt(name, work, codes = []) {
  try {
    const result = await work();
    report(name, 'ran');
    return result;
  } catch (error) {
    if (!(error instanceof MeditronError)) {
      console.error(error);
      process.exit(3);
    }
    report(name, error.code);
    if (codes.length > 0 && !codes.includes(error.code))
      broken(`${name}: expected ${codes.join(' or ')}, got ${error.stack}`);
    return undefined;
  }
}

export function report(name, code) {
  console.log(`${name}: ${code}`);
}

/** @returns {never} */
export function broken(why) {
  console.error(why);
  process.exit(4);
}

/** All that an engine does, a little of each. */
export async function compute(engine, prompt = 'Once upon a time') {
  for await (const _ of engine.generate({
    prompt,
    samplers: [{}, { temperature: 1 }],
    maxTokens: 20,
    ignoreEnd: true,
  }));
  await engine.score({ prompt, continuations: [' there', ' was'] });
  (await engine.prefix(prompt)).release();
}

/** The app still works: it loads another model and gets the right text. */
export async function goesOn() {
  const model = await load({ path: models.stories });
  const engine = await model.createEngine({ threads: 1, contextSize: 512 });
  for await (const event of engine.generate({ prompt: '', maxTokens: 60 })) {
    if (event.type === 'end' && !golden.startsWith(event.text.slice(0, 100))) broken(`another text: ${event.text}`);
  }
  await engine.close();
  await model.close();
}

/** A copy of a model that may be changed. */
export function copyOf(path) {
  const copy = join(folder, 'model.gguf');
  copyFileSync(path, copy);
  return copy;
}

/** A model so large that it is mapped from where it lies: smaller ones are loaded from a private copy. */
export async function mapped() {
  const out = join(folder, 'large.gguf');
  await synthesize({ shape: 'tiny', quant: 'f32', layers: 110, out });
  return out;
}

/** The processes this one has started: Linux. */
export function children() {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      try {
        return (
          pid > 0 &&
          / \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''))?.[1] ===
            String(process.pid)
        );
      } catch {
        return false;
      }
    });
}

/** The command, until it ends. */
export function meditron(args, options = {}) {
  return spawnSync(process.execPath, [here('../../../bin/meditron.js'), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    ...options,
  });
}
