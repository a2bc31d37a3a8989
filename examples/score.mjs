// Compares continuations of a text by their exact log-probability: the text is evaluated once for all of them.
//   node examples/score.mjs [model.gguf]
import { loadModel } from 'meditron';

const [path = 'models/stories260K.gguf'] = process.argv.slice(2);
const model = await loadModel({ path });
const engine = await model.createEngine({ contextSize: 512 });
const continuations = [' park', ' house', ' hospital'];
const scores = await engine.score({ prompt: 'One day, Lily went to the', continuations });
scores.forEach(({ logprob, tokens }, i) => {
  console.log(`${continuations[i]}: ln p = ${logprob.toFixed(3)} (${tokens.length} tokens)`);
});
await engine.close();
await model.close();
