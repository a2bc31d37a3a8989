/**
 * Holds the packed model, run by llama.cpp, against what PyTorch answered greedily (compare.py):
 *
 *     npx tsx training/compare.ts --model models/meditron-mini.gguf --greedy build/mini/greedy.json
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { getLlama, type Token } from 'node-llama-cpp';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/meditron-mini.gguf' },
    greedy: { type: 'string', default: 'build/mini/greedy.json' },
  },
});
const pairs = JSON.parse(readFileSync(values.greedy, 'utf8')) as { prompt: Token[]; output: Token[] }[];
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 });
const model = await llama.loadModel({ modelPath: values.model });
const context = await model.createContext({ contextSize: 512 });
const sequence = context.getSequence();
let same = 0;
for (const { prompt, output } of pairs) {
  await sequence.clearHistory();
  const got: Token[] = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
    got.push(token);
    if (got.length >= output.length) break;
  }
  const at = output.findIndex((token, i) => token !== got[i]);
  if (at < 0) same++;
  else process.stdout.write(`differs at token ${at}:\n  ${model.detokenize(output)}\n  ${model.detokenize(got)}\n`);
}
process.stdout.write(`${same} of ${pairs.length} greedy answers are the same\n`);
await llama.dispose();
