// The bytes of a mapped model are overwritten while it is used.
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { attempt, compute, goesOn, load, mapped, share } from './scene.js';

const path = await mapped();
const model = await load({ path, loadMode: 'mmap' });
const engine = await model.createEngine({ threads: 1, contextSize: 512 });
const before = attempt('running', () => compute(engine));
const file = openSync(path, 'r+');
const from = Math.floor(share * statSync(path).size);
writeSync(file, Buffer.alloc(statSync(path).size - from, Math.floor(share * 251)), 0, undefined, from);
closeSync(file);
await before;
await attempt('next', () => compute(engine));
await attempt('new engine', async () => compute(await model.createEngine({ threads: 1, contextSize: 512 })));
await attempt('load', async () => (await load({ path })).close());
await goesOn();
await model.close();
