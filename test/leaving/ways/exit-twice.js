// Ends with code 8.
import { begin, moment } from '../scene.js';

process.on('exit', () => process.exit(8));
await begin();
await moment();
process.exit(7);
