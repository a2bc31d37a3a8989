// Ends with code 0.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { begin, moment } from '../scene.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const { abort, ...scene } = await begin();
let tokens = 0;
for await (const _ of scene.engine.generate({ prompt: scene.prompt, maxTokens: 900, ignoreEnd: true })) {
  setImmediate(collect); // while the next step runs
  if (++tokens > 20) break;
}
await moment();
abort.abort();
