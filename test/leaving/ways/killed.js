// Ends by SIGKILL.
import { begin, moment } from '../scene.js';

await begin();
await moment();
process.kill(process.pid, 'SIGKILL');
