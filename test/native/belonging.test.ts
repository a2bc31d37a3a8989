import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'test', 'native', 'belonging.js');
const stories = join(root, 'models', 'stories260K.gguf');
const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one way to its end. `atReady` is told the id of the process once it waits. */
async function run(way: string, model = '', atReady?: (pid: number) => void) {
  const child = spawn(process.execPath, [script, way, model], { env: { ...process.env, GGML_NO_BACKTRACE: '1' } });
  if (atReady) child.stdout.once('data', () => atReady(child.pid!));
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode, signal] = await closed;
  return { exitCode, signal, stdout, stderr };
}

/** A model that llama.cpp asserts on in the first step: its norm divides by the root of less than nothing. */
function asserting(): string {
  const bytes = readFileSync(stories);
  const key = 'attention.layer_norm_rms_epsilon';
  bytes.writeFloatLE(-1, bytes.indexOf(key) + key.length + 4);
  const path = join(folder, 'asserting.gguf');
  writeFileSync(path, bytes);
  return path;
}

describe.runIf(posix)('a process of the engine', () => {
  test.each(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE'] as const)(
    'that another one sends %s dies of it and names the sender',
    async signal => {
      const ended = await run('wait', '', pid => process.kill(pid, signal));
      expect(ended).toMatchObject({ signal, stderr: `meditron: ${signal} from process ${process.pid}\n` });
    },
  );

  test('that ends itself says so', async () => {
    expect(await run('fault')).toMatchObject({
      signal: 'SIGSEGV',
      stderr: 'meditron: SIGSEGV raised by the process itself\n',
    });
    const aborted = await run('abort');
    expect(aborted.signal).toBe('SIGABRT');
    expect(aborted.stderr).toMatch(/meditron: SIGABRT raised by the process itself\n$/);
  });

  test('still has the faults of WebAssembly mended by V8', async () => {
    expect(await run('trap')).toEqual({ exitCode: 0, signal: null, stdout: 'true\ntrue\ntrue\n', stderr: '' });
  });

  test('that llama.cpp aborts leaves the text of the assertion, and nothing else by itself', async () => {
    const { signal, stderr } = await run('assertion', asserting());
    expect(signal).toBe('SIGABRT');
    expect(stderr).toMatch(
      /^\S+ggml.*: GGML_ASSERT\(eps >= 0.*\) failed\nmeditron: SIGABRT raised by the process itself\n$/,
    );
  });

  test('ends at once if its parent is gone already', async () => {
    expect(await run('orphan')).toEqual({ exitCode: 1, signal: null, stdout: '', stderr: '' });
  });
});

test("llama.cpp's warnings and errors come on the error stream when asked for, in whole lines, and nothing less", async () => {
  const path = join(folder, 'cut.gguf');
  writeFileSync(path, readFileSync(stories).subarray(0, 200_000));
  const silent = await run('assertion', path);
  const echoed = await run('echo', path);
  const lines = /^llama_model_load: error loading model: .*\nllama_model_load_from_file_impl: failed to load model\n/m;
  expect(silent.stderr).not.toMatch(lines);
  expect(echoed.stderr).toMatch(lines);
  expect(echoed.stderr).not.toMatch(/^(print_info|llama_model_loader: - kv)/m);
});

describe.runIf(linux)('a process of the engine on Linux', () => {
  test('is killed with its parent', async () => {
    const parent = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(script)}, 'wait'], { stdio: 'inherit' })`;
    const child = spawn(process.execPath, ['-e', `${parent}; setInterval(() => {}, 1000)`]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    const [, signal] = await once(child, 'close'); // when both have let go of the stream
    expect(signal).toBe('SIGKILL');
  });

  test('leaves no core dump', async () => {
    let limits = '';
    await run('wait', '', pid => {
      limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
      process.kill(pid, 'SIGKILL');
    });
    expect(limits).toMatch(/Max core file size +0 +0 /);
  });

  // What belongs to root in /proc cannot be dumped. Root's own tells nothing: another user has to be able to read this folder.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const reads = spawnSync(process.execPath, ['-e', `fs.accessSync(${JSON.stringify(script)})`], user).status === 0;
  test.runIf(reads)('cannot be read by other processes of its user', () => {
    const { stdout } = spawnSync(process.execPath, [script, 'owner'], { encoding: 'utf8', ...user });
    expect(stdout).toBe(`${user.uid ?? process.getuid!()} then 0\n`);
  });

  test('loads a model through its handle all the same, whoever its user is', async () => {
    const path = join(folder, 'model.gguf');
    copyFileSync(stories, path);
    chmodSync(folder, 0o755);
    if (process.getuid!() === 0) chownSync(folder, 65534, 65534);
    const { stdout, stderr, exitCode } = await run('nobody', path);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'loaded\n', stderr: '', exitCode: 0 });
  });
});
