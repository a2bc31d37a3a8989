// Keeps the engine in a worker thread, as a desktop application (Electron: a utility process) would: the window stays
// responsive, questions go in as messages, events and answers come out. Both sides are in this file.
//   node examples/worker.mjs [model.gguf] [format]
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

if (isMainThread) {
  const [path = 'models/meditron-mini.gguf', format] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: { path, format } });
  worker.on('message', message => {
    if (message.type === 'vote') console.log(`sample ${message.sample + 1}: ${message.answer}`);
    if (message.type === 'answer') console.log(message.answer.answer, message.answer.summary);
    if (message.type === 'error') console.error(`${message.code}: ${message.message}`);
    if (message.type === 'answer' || message.type === 'error') worker.postMessage({ type: 'close' });
  });
  worker.postMessage({
    type: 'ask',
    question: {
      question:
        'A 58-year-old woman has pneumonia: respiratory rate 26, systolic pressure 96, no confusion, fever. ' +
        "What is the patient's qSOFA score?",
      options: { A: '0', B: '1', C: '2', D: '3' },
    },
  });
} else {
  const { askStream, loadModel, parseQuestion, roomFor } = await import('meditron');
  const model = await loadModel({ path: workerData.path });

  parentPort.on('message', async message => {
    if (message.type === 'close') {
      await model.close();
      parentPort.close();
      return;
    }
    try {
      const question = parseQuestion(message.question);
      const options = { samples: 3, maxTokens: 200, format: workerData.format };
      const engine = await model.createEngine(await roomFor(model, question, options));
      try {
        const stream = askStream(engine, question, options);
        for (;;) {
          const { done, value } = await stream.next();
          parentPort.postMessage(done ? { type: 'answer', answer: value } : value);
          if (done) break;
        }
      } finally {
        await engine.close();
      }
    } catch ({ code, message }) {
      parentPort.postMessage({ type: 'error', code, message });
    }
  });
}
