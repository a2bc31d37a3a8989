// Ends with code 0.
import { begin, moment } from '../scene.js';

const { engine, model, abort } = await begin();
await moment();
await model.close();
await engine.close();
abort.abort();
