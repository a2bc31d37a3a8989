// Ends with code 0.
import { begin, moment } from '../scene.js';

const { abort } = await begin();
await moment();
abort.abort();
