// Ends with code 0.
import { begin, moment } from '../scene.js';

const { engine, model, abort } = await begin();
await moment();
abort.abort();
await engine.close();
await model.close();
