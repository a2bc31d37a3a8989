// Asks a multiple-choice question five times over and prints how far the answers agree.
//   node examples/ask.mjs model.gguf [format]
import { ask, loadModel, parseQuestion, roomFor } from 'meditron';

const [path = 'models/stories260K.gguf', format] = process.argv.slice(2);
const question = parseQuestion({
  question: 'Which vitamin prevents scurvy?',
  options: { A: 'Vitamin A', B: 'Vitamin B12', C: 'Vitamin C', D: 'Vitamin D' },
});
const options = { samples: 5, seed: 7, maxTokens: 100, format };

const model = await loadModel({ path });
try {
  const engine = await model.createEngine(await roomFor(model, question, options));
  const answer = await ask(engine, question, options);
  await engine.close();

  console.log(answer.answer, answer.decision, answer.summary);
  console.log(answer.votes);
  console.log(answer.rationale?.text);
  for (const warning of answer.warnings) console.error(warning);
} finally {
  await model.close();
}
