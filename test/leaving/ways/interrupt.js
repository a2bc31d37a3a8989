// Ends by SIGINT.
import { begin, moment } from '../scene.js';

await begin();
await moment();
process.kill(process.pid, 'SIGINT');
