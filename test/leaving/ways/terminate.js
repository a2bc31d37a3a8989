// Ends by SIGTERM.
import { begin, moment } from '../scene.js';

await begin();
await moment();
process.kill(process.pid, 'SIGTERM');
