// Runs the model in a process of its own, so that nothing that happens to it ends the app. Here the process is killed in the middle
// of an answer, as a driver or the system might do it: the app is told, goes on, and asks again.
//   node examples/isolated.mjs [model.gguf]
// Electron has no plain Node to run it with: ship one and name it, isolate: { execPath: join(process.resourcesPath, 'node') }.
import { EngineDied, loadModel } from 'meditron';

const [path = 'models/meditron-mini.gguf'] = process.argv.slice(2);
const model = await loadModel({
  path,
  isolate: { onDeath: death => console.log(`(the engine was ended by ${death.signal})`) },
});
const engine = await model.createEngine({ contextSize: 512, maxSequences: 1 });

/** The model's words, piece by piece. */
async function write(onText) {
  for await (const event of engine.generate({ prompt: 'The patient', maxTokens: 60 }))
    if (event.type === 'text') onText(event.text);
}

try {
  try {
    await write(() => process.kill(model.pid, 'SIGKILL'));
  } catch (error) {
    if (!(error instanceof EngineDied)) throw error;
    console.log(`${error.code}: ${error.message}`);
  }
  // The same objects go on, in a new process.
  await write(text => process.stdout.write(text));
  console.log('\nThe app goes on.');
} finally {
  await engine.close();
  await model.close();
}
