// Ends with code 7.
import { begin, moment } from '../scene.js';

const { engine, model } = await begin();
process.on('exit', () => {
  engine.score({ prompt: 'a', continuations: ['b'] });
  model.tokenize('a');
  engine.close();
  model.close();
});
await moment();
process.exit(7);
