// Ends with code 0.
import { begin, moment } from '../scene.js';

const { engine, model, abort } = await begin();
await moment();
await Promise.all([model.close(), engine.close(), model.close(), engine.close()]);
abort.abort();
