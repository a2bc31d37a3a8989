// A program with an isolated model, which says the number of the engine's process and then does what it is told: see life.engine.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/index.js';
import { childrenOf } from './children.js';

const path = fileURLToPath(new URL('../../models/stories260K.gguf', import.meta.url));
const say = () => process.stdout.write(`${childrenOf(process.pid).join(' ')}\n`);
const endless = () => ({ prompt: 'Once', samplers: [{ temperature: 1 }], maxTokens: 900, ignoreEnd: true });

const ways = {
  async starting() {
    loadModel({ path, isolate: true });
    say();
  },
  async idle() {
    await begin();
    say();
    setInterval(() => {}, 1000);
  },
  async decoding() {
    const { engine } = await begin();
    say();
    for (;;) for await (const _ of engine.generate(endless()));
  },
  /** It stands still too, before it gives up an engine that does. */
  async stopped() {
    const { engine } = await begin();
    process.kill(childrenOf(process.pid)[0], 'SIGSTOP');
    engine.generate(endless()).next();
    say();
    setImmediate(() => process.kill(process.pid, 'SIGSTOP'));
  },
  /** Nothing is closed and nothing is waited for. */
  async open() {
    await begin();
    say();
  },
  /** Its working folder is gone, before and after a death. */
  async homeless() {
    const folder = mkdtempSync(join(tmpdir(), 'meditron-life-'));
    process.chdir(folder);
    rmSync(folder, { recursive: true });
    const { model, engine } = await begin();
    say();
    process.kill(childrenOf(process.pid)[0], 'SIGKILL');
    console.log((await engine.score({ prompt: 'Once upon', continuations: [' a'] })).length);
    await engine.close();
    await model.close();
  },
  /** An answer is waited for, by nothing but the promise of it. */
  async waiting() {
    const { engine } = await begin();
    say();
    engine
      .score({ prompt: 'Once upon a time. '.repeat(40), continuations: [' a', ' b'] })
      .then(scores => console.log(scores.length));
  },
};

async function begin() {
  const model = await loadModel({ path, isolate: true });
  return { model, engine: await model.createEngine({ threads: 1, contextSize: 1024, beyondTraining: true }) };
}

await ways[process.argv[2]]();
