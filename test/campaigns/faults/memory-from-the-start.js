// The engine's process may have so much address space and no more.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, compute, folder, goesOn, load, models, share } from './scene.js';

const execPath = join(folder, 'node');
const kilobytes = Math.round((0.2 + 3 * share) * 2 ** 20);
writeFileSync(execPath, `#!/bin/sh\nulimit -v ${kilobytes}\nexec '${process.execPath}' "$@"\n`);
chmodSync(execPath, 0o755);
const model = await attempt('load', () => load({ path: models.mini, isolate: { execPath } }));
const open = () => model.createEngine({ threads: 1, contextSize: 8192, maxSequences: 8, beyondTraining: true });
const engine = model && (await attempt('engine', open));
if (engine) await attempt('compute', () => compute(engine));
await goesOn();
await model?.close();
