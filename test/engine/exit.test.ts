import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program that has the library at hand and leaves in its own way; resolves with how it ended. */
function leave(body: string): Promise<{ code: number | null; signal: string | null; output: string }> {
  const program = `
    import { loadModel } from ${JSON.stringify(`${root}/dist/index.js`)};
    import { Worker } from 'node:worker_threads';
    const path = ${JSON.stringify(`${root}/models/stories260K.gguf`)};
    const open = async () => {
      const model = await loadModel({ path });
      const engine = await model.createEngine({ threads: 1, contextSize: 4096, beyondTraining: true });
      return { model, engine };
    };
    const endless = engine => engine.generate({ prompt: 'Once upon a time', samplers: Array(4).fill({ temperature: 1 }), maxTokens: 900, ignoreEnd: true });
    const texts = async function* (engine) { for await (const event of endless(engine)) if (event.type === 'text') yield event; };
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  child.stderr.on('data', chunk => {
    output += chunk;
  });
  return new Promise(resolve => {
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

test.each([
  ['an idle engine does not keep the process alive', `await open();`, 0],
  ['a program that ends while an engine is loading', `open(); process.exit(0);`, 0],
  [
    'process.exit in the middle of a step',
    `const { engine } = await open(); for await (const _ of texts(engine)) process.exit(7);`,
    7,
  ],
  [
    'process.exit between steps, later',
    `const { engine } = await open(); let n = 0; for await (const _ of texts(engine)) if (++n > 50) process.exit(0);`,
    0,
  ],
  [
    'an uncaught error in the loop',
    `const { engine } = await open(); for await (const _ of texts(engine)) throw new Error('mine');`,
    1,
  ],
  ['leaving the loop and returning', `const { engine } = await open(); for await (const _ of texts(engine)) break;`, 0],
  [
    'closing the engine in the loop',
    `const { engine } = await open(); try { for await (const _ of texts(engine)) engine.close(); } catch (e) { process.exitCode = e.code === 'ERR_CLOSED' ? 0 : 9; }`,
    0,
  ],
  [
    'closing the model first, in the loop',
    `const { model, engine } = await open(); let n = 0; for await (const _ of texts(engine)) { await model.close(); if (++n > 20) break; } await engine.close();`,
    0,
  ],
  [
    'closing twice and in both orders',
    `const { model, engine } = await open(); await Promise.all([model.close(), engine.close(), model.close(), engine.close()]);`,
    0,
  ],
  [
    'dropping everything and collecting garbage',
    `import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--expose-gc'); const gc = (await import('node:vm')).runInNewContext('gc'); for (let i = 0; i < 5; i++) { await open(); gc(); await new Promise(r => setTimeout(r, 5)); gc(); }`,
    0,
  ],
  [
    'a promise that is waited for survives garbage collection',
    `import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--expose-gc'); const gc = (await import('node:vm')).runInNewContext('gc'); setInterval(gc, 1).unref(); let n = 0; for await (const _ of texts((await open()).engine)) if (++n > 100) break; console.log('done');`,
    0,
  ],
  [
    'a worker that ends by itself',
    `const w = new Worker(new URL('data:text/javascript,' + encodeURIComponent("import { loadModel } from 'file://${root}/dist/index.js'; const m = await loadModel({ path: '" + path + "' }); const e = await m.createEngine({ threads: 1 }); for await (const _ of e.generate({ prompt: 'Once', maxTokens: 20 })); await e.close();"))); w.on('exit', code => { process.exitCode = code; });`,
    0,
  ],
])('%s ends with a clean code', async (_, body, expected) => {
  const { code, signal, output } = await leave(body);
  expect({ signal, code }, output).toEqual({ signal: null, code: expected });
});

test('SIGTERM in the middle of a step ends the process', async () => {
  const result = await leave(
    `const { engine } = await open(); for await (const _ of texts(engine)) process.kill(process.pid, 'SIGTERM');`,
  );
  expect(result.signal).toBe('SIGTERM');
});

test('terminating workers at any moment of a generation does not take the process along', async () => {
  const { code, signal, output } = await leave(`
    const code = "import { loadModel } from 'file://${root}/dist/index.js'; import { parentPort } from 'node:worker_threads'; const m = await loadModel({ path: '" + path + "' }); const e = await m.createEngine({ threads: 1, contextSize: 4096, beyondTraining: true }); parentPort.postMessage('go'); for await (const _ of e.generate({ prompt: 'Once upon a time', samplers: Array(4).fill({ temperature: 1 }), maxTokens: 900, ignoreEnd: true }));";
    for (let i = 0; i < 40; i++) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
      worker.on('error', error => { throw error; });
      if (i % 4 === 0) await new Promise(r => setTimeout(r, i));
      else await new Promise(r => worker.once('message', r));
      await new Promise(r => setTimeout(r, (i * 7) % 23));
      await worker.terminate();
    }
    console.log('alive');`);
  expect({ code, signal }, output).toEqual({ code: 0, signal: null });
  expect(output).toContain('alive');
});
