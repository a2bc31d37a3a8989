// The file of a mapped model is cut while it is used: reading what is gone ends the process that reads it.
import { statSync, truncateSync } from 'node:fs';
import { attempt, compute, goesOn, load, mapped, share } from './scene.js';

const path = await mapped();
const model = await load({ path, loadMode: 'mmap' });
const engine = await model.createEngine({ threads: 1, contextSize: 512 });
const before = attempt('running', () => compute(engine));
if (share > 0.5) await before; // else in the middle of it
truncateSync(path, Math.floor(share * statSync(path).size));
await before;
await attempt('next', () => compute(engine));
await attempt('new engine', async () => compute(await model.createEngine({ threads: 1, contextSize: 512 })));
await attempt('load', async () => (await load({ path })).close(), ['ERR_MODEL_FORMAT']);
await goesOn();
await model.close();
