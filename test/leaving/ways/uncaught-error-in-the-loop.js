// Ends with code 1.
import { begin, moment } from '../scene.js';

const { engine, prompt } = await begin();
await moment();
for await (const _ of engine.generate({ prompt, maxTokens: 900, ignoreEnd: true })) throw new Error('mine');
