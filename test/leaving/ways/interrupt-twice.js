// Ends with code 130.
import { begin, moment } from '../scene.js';

const { engine, abort } = await begin();
process.once('SIGINT', () => {
  abort.abort();
  engine.close();
  process.once('SIGINT', () => process.exit(130));
  process.kill(process.pid, 'SIGINT');
});
await moment();
process.kill(process.pid, 'SIGINT');
setInterval(() => {}, 1000); // a signal does not keep the process until it is handled
