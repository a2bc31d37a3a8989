// Ends with code 7.
import { begin, moment } from '../scene.js';

const { engine, prompt } = await begin();
const over = moment().then(() => 'over');
for await (const _ of engine.generate({ prompt, maxTokens: 900, ignoreEnd: true })) {
  if ((await Promise.race([over, undefined])) === 'over') process.exit(7);
}
await over;
process.exit(7);
