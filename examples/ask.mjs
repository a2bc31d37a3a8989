// Asks a multiple-choice question five times over and prints how far the answers agree.
//   node examples/ask.mjs [model.gguf] [format]
import { ask, loadModel, parseQuestion, roomFor } from 'meditron';

const [path = 'models/meditron-mini.gguf', format] = process.argv.slice(2);
const question = parseQuestion({
  question:
    'A 58-year-old woman has pneumonia: respiratory rate 26, systolic pressure 96, no confusion, fever. ' +
    "What is the patient's qSOFA score?",
  options: { A: '0', B: '1', C: '2', D: '3' },
});
const options = { samples: 5, seed: 7, maxTokens: 200, format };

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
