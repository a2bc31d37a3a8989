// Ends with code 0.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { begin, moment } from '../scene.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
(await begin()).abort.abort();
for (let i = 0; i < 3; i++) {
  await moment();
  collect();
}
