// Shows the chains while they are written, the votes as they come, and leaves after ten seconds with the vote so far.
//   node examples/stream.mjs [model.gguf] [format]
import { askStream, loadModel, parseQuestion, roomFor } from 'meditron';

const [path = 'models/meditron-mini.gguf', format] = process.argv.slice(2);
const question = parseQuestion({
  question:
    'A 58-year-old woman has pneumonia: respiratory rate 26, systolic pressure 96, no confusion, fever. ' +
    "What is the patient's qSOFA score?",
  options: { A: '0', B: '1', C: '2', D: '3' },
});
const options = { samples: 3, maxTokens: 200, deadline: 10_000, format };

const model = await loadModel({ path });
const engine = await model.createEngine(await roomFor(model, question, options));
const stream = askStream(engine, question, options);
let step = await stream.next();
for (; !step.done; step = await stream.next()) {
  const event = step.value;
  if (event.type === 'text') process.stdout.write(`[${event.sample + 1}, unverified] ${JSON.stringify(event.text)}\n`);
  if (event.type === 'vote') console.log(`sample ${event.sample + 1} says ${event.answer}; so far`, event.tally);
}
const answer = step.value;
console.log(answer.answer, answer.summary);
await engine.close();
await model.close();
