// Ends with code 143.
import { begin, moment } from '../scene.js';

const { engine, model, abort } = await begin();
const alive = setInterval(() => {}, 1000); // a signal does not keep the process until it is handled
process.on('SIGTERM', async () => {
  process.exitCode = 143;
  clearInterval(alive);
  abort.abort();
  await engine.close();
  await model.close();
});
await moment();
process.kill(process.pid, 'SIGTERM');
