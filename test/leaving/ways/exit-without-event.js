// Ends with code 7.
import { begin, moment } from '../scene.js';

process.removeAllListeners('exit');
await begin();
await moment();
process.exit(7);
