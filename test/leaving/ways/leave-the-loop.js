// Ends with code 0.
import { begin, moment } from '../scene.js';

const { engine, abort, prompt } = await begin();
await moment();
for await (const _ of engine.generate({ prompt, maxTokens: 900, ignoreEnd: true })) break;
abort.abort();
