// Neither a temporary folder nor a home: nothing that computes needs one.
import { compute, goesOn, load, models } from './scene.js';

for (const name of ['TMPDIR', 'TMP', 'TEMP', 'HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME'])
  process.env[name] = '/nowhere';
const model = await load({ path: models.mini });
const engine = await model.createEngine({ threads: 1, contextSize: 512 });
await compute(engine);
await model.close();
await goesOn();
