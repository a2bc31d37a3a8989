// Ends with code 1.
import { begin, moment } from '../scene.js';

await begin();
await moment();
Promise.reject(new Error('mine'));
