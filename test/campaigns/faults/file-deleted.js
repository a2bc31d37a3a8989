// The file goes while the model is used: what is loaded goes on; a process that dies then cannot be replaced, and says so.
import { rmSync } from 'node:fs';
import { attempt, children, compute, copyOf, goesOn, isolated, load, models, share } from './scene.js';

const path = copyOf(models.mini);
const model = await load({ path, loadMode: share < 0.5 ? 'mmap' : 'read' });
const engine = await model.createEngine({ threads: 1, contextSize: 512 });
rmSync(path);
await compute(engine);
await attempt('load', async () => (await load({ path })).close(), ['ERR_MODEL_FILE']);
if (isolated && process.platform === 'linux') {
  for (const pid of children()) process.kill(pid, 'SIGKILL');
  await attempt('after its death', () => compute(engine), ['ERR_ENGINE_DIED', 'ERR_ENGINE_DOWN', 'ERR_MODEL_FILE']);
  await attempt('again', () => compute(engine), ['ERR_ENGINE_DIED', 'ERR_ENGINE_DOWN', 'ERR_MODEL_FILE']);
}
await goesOn();
await model.close();
