// Writes five samples of one prompt as they come, then compares two continuations of another.
//   node examples/generate.mjs [model.gguf]
import { loadModel } from 'meditron';

const [path = 'models/stories260K.gguf'] = process.argv.slice(2);
const model = await loadModel({ path });
const engine = await model.createEngine({ contextSize: 2048, maxSequences: 5 });
try {
  const samplers = Array.from({ length: 5 }, () => ({ temperature: 0.8 }));
  for await (const event of engine.generate({ prompt: 'The patient', samplers, maxTokens: 64, seed: 42 })) {
    if (event.type === 'text') process.stdout.write(`[${event.sample}] ${event.text}\n`);
  }
  const prompt = 'Is aspirin an antibiotic? Answer:';
  const [yes, no] = await engine.score({ prompt, continuations: [' yes', ' no'] });
  console.log(`ln p: yes ${yes.logprob.toFixed(2)}, no ${no.logprob.toFixed(2)}`);
} finally {
  await engine.close();
  await model.close();
}
