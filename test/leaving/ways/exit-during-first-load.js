// Ends with code 7.
import { begin, moment } from '../scene.js';

begin();
await moment();
process.exit(7);
