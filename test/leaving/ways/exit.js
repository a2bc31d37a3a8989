// Ends with code 7.
import { begin, moment } from '../scene.js';

await begin();
await moment();
process.exit(7);
