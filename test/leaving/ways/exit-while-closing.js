// Ends with code 7.
import { begin, moment } from '../scene.js';

const { engine, model } = await begin();
await moment();
engine.close();
model.close();
process.exit(7);
