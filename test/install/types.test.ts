import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { installed, project, run, workFolder } from './shell.js';
import { root } from './tarballs.js';

const folder = workFolder('types');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const app = join(folder, 'app');

const usage = `
export async function vote(path: string): Promise<string | null> {
  const model: Model = await loadModel({ path, isolate: true });
  const question = parseQuestion({ question: 'Which?', options: { A: 'this', B: 'that' } });
  const engine = await model.createEngine(await roomFor(model, question, { samples: 5 }));
  try {
    for await (const event of askStream(engine, question, { samples: 5 })) if (event.type === 'text') console.log(event.text);
    const answer: Answer = await ask(engine, question);
    return answer.answer;
  } catch (error) {
    if (error instanceof MeditronError && error.code === 'ERR_ENGINE_DIED') return null;
    throw error;
  } finally {
    await engine.close();
  }
}
`;
const names = 'type Answer, ask, askStream, loadModel, MeditronError, type Model, parseQuestion, roomFor';

beforeAll(async () => {
  installed(app);
  cpSync(join(root, 'node_modules', '@types', 'node'), join(app, 'node_modules', '@types', 'node'), {
    recursive: true,
  });
  cpSync(join(root, 'node_modules', 'undici-types'), join(app, 'node_modules', 'undici-types'), { recursive: true });
});

const strict = { strict: true, skipLibCheck: false, noEmit: true, target: 'ES2022', types: ['node'] };
const check = async (name: string, file: string, text: string, options: object) => {
  const place = project(join(app, name), file.endsWith('.cts') ? {} : { type: 'module' });
  writeFileSync(join(place, file), text);
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }),
  );
  const { status, stdout } = await run('node', [tsc, '-p', place], { cwd: place });
  return { status, stdout };
};

describe('an app that imports the installed package', () => {
  const esm = `import { ${names} } from 'meditron';\n${usage}`;
  test.each([
    ['node16', 'app.mts', { module: 'node16', moduleResolution: 'node16' }],
    ['nodenext', 'app.mts', { module: 'nodenext', moduleResolution: 'nodenext' }],
    ['bundler', 'app.ts', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('is type-checked under %s', async (name, file, options) => {
    expect(await check(name, file, esm, options)).toEqual({ status: 0, stdout: '' });
  });

  test('as CommonJS is type-checked where TypeScript knows that Node can require ES modules', async () => {
    const options = { module: 'nodenext', moduleResolution: 'nodenext' };
    expect(await check('cjs', 'app.cts', esm, options)).toEqual({ status: 0, stdout: '' });
  });

  test('as CommonJS of older rules imports it when it needs it', async () => {
    const text =
      "export async function version(path: string) { const { inspectFile } = await import('meditron'); return inspectFile(path); }";
    const options = { module: 'node16', moduleResolution: 'node16' };
    expect(await check('cjs16', 'app.cts', text, options)).toEqual({ status: 0, stdout: '' });
  });

  test('misspelt is told so', async () => {
    const { status, stdout } = await check('wrong', 'app.mts', "import { loadModell } from 'meditron';\nloadModell;", {
      module: 'node16',
    });
    expect(status).not.toBe(0);
    expect(stdout).toContain('loadModell');
  });
});
