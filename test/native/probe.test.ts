import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ProbeSettings, probeBackend } from '../../src/native/prober.js';
import { isAccidental } from '../../src/native/report.js';
import { stateOf, until } from '../cli/processes.js';
import { build, buildStandIn, reason, root } from './stand-in/build.js';

if (reason) console.warn(`Probes of backends that die are not tested here: ${reason}`);

const folder = mkdtempSync(join(tmpdir(), 'meditron-probe-'));
const backend = join(folder, 'libggml-cuda.so');
const program = join(root, 'dist', 'native', 'probe.js');
const subject = {
  program,
  addon: build.addon,
  libraries: build.libraries,
  backend,
  model: join(root, 'models', 'probe.gguf'),
};

beforeAll(() => {
  if (!reason) buildStandIn(backend);
});
afterEach(() => {
  delete process.env.GGML_STAND_IN;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function probe(does: string, settings: ProbeSettings = {}) {
  process.env.GGML_STAND_IN = does;
  const pids: number[] = [];
  const report = await probeBackend(subject, {
    ...settings,
    onStart: pid => {
      pids.push(pid);
      settings.onStart?.(pid);
    },
  });
  for (const pid of pids) expect(isRunning(pid)).toBe(false);
  return { ...report, started: pids.length, verdicts: report.devices.map(device => device.verdict) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(reason !== undefined)('a probe of a backend', () => {
  test('that computes finds the CPU’s numbers', async () => {
    const { failure, verdicts } = await probe('works');
    expect(failure).toBeNull();
    expect(verdicts).toEqual([{ outcome: 'works', difference: expect.any(Number) }]);
  });

  test('that kills at its first step is told with the signal and what was printed', async () => {
    const { verdicts } = await probe('aborts');
    expect(verdicts).toEqual([
      {
        outcome: 'died',
        how: 'SIGABRT',
        during: expect.stringContaining('computing'),
        lines: expect.arrayContaining([expect.stringContaining('unsupported toolchain')]),
      },
    ]);
  });

  test('that kills when it is loaded', async () => {
    const { failure, devices } = await probe('dies');
    expect(failure).toMatchObject({ outcome: 'died', how: 'SIGABRT', during: 'loading the backend' });
    expect(devices).toEqual([]);
  });

  test('that says it is for another system', async () => {
    expect((await probe('stays away')).failure).toMatchObject({
      outcome: 'refuses',
      text: expect.stringContaining('NULL'),
    });
  });

  test('that has no memory left says so', async () => {
    expect((await probe('refuses')).verdicts).toMatchObject([
      { outcome: 'refuses', text: expect.stringContaining('unable to allocate CUDA0 buffer') },
    ]);
  });

  test('that computes nothing is wrong', async () => {
    expect((await probe('zeros')).verdicts).toMatchObject([
      { outcome: 'wrong', text: expect.stringMatching(/differ by \d/) },
    ]);
  });

  test('that hangs, stopped even, is ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { verdicts } = await probe('hangs', {
      silenceSeconds: 120,
      onStart: pid => void untilStopped(pid).then(() => vi.advanceTimersByTime(120_000)),
    });
    expect(verdicts).toMatchObject([{ outcome: 'hangs', seconds: 120, during: expect.stringContaining('computing') }]);
  });

  test('judges every card, whatever became of the one before', async () => {
    const { verdicts, started } = await probe('aborts,works,aborts,zeros');
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['died', 'works', 'died', 'wrong']);
    expect(started).toBe(3);
  });

  test('that somebody ends is no finding', async () => {
    const report = await probe('hangs', {
      onStart: pid => {
        void untilStopped(pid).then(() => process.kill(pid, 'SIGKILL'));
      },
    });
    expect(report.verdicts).toMatchObject([{ outcome: 'died', how: 'SIGKILL' }]);
    expect(isAccidental(report)).toBe(true);
    expect(isAccidental(await probe('aborts'))).toBe(false);
  });

  test('without its program says so', async () => {
    const { failure } = await probeBackend({ ...subject, program: join(folder, 'nowhere.js') });
    expect(failure).toMatchObject({ outcome: 'died', how: 'exit code 1', during: 'starting' });
  });

  test('ends with its process when it is aborted', async () => {
    const abort = new AbortController();
    process.env.GGML_STAND_IN = 'hangs';
    let pid = 0;
    const work = probeBackend(subject, {
      signal: abort.signal,
      onStart: started => {
        pid = started;
        abort.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
    expect(isRunning(pid)).toBe(false);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('ends when its parent is ended by %s', async signal => {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { probeBackend } from ${JSON.stringify(join(root, 'dist', 'native', 'prober.js'))};
         probeBackend(${JSON.stringify(subject)}, { onStart: pid => console.log(pid) });`,
      ],
      { env: { ...process.env, GGML_STAND_IN: 'hangs' }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const pid = Number(String((await once(parent.stdout!, 'data'))[0]));
    await untilStopped(pid);
    parent.kill(signal);
    await once(parent as ChildProcess, 'exit');
    await until(() => !isRunning(pid));
  });
});

/** Until the process has been stopped, in the middle of a step. */
const untilStopped = (pid: number) => until(() => stateOf(pid) === 'T');

describe.skipIf(reason !== undefined)('on a machine whose CUDA backend is the stand-in', () => {
  const machine = join(folder, 'machine');
  const state = join(folder, 'state');
  const libraries = join(folder, 'libraries');

  beforeAll(() => {
    // An installed package: the backend's package carries the stand-in, and the libraries that it asks for are there by name.
    mkdirSync(join(machine, 'build'), { recursive: true });
    for (const name of ['package.json', 'bin', 'dist'])
      cpSync(join(root, name), join(machine, name), { recursive: true });
    symlinkSync(join(root, 'models'), join(machine, 'models'));
    const { libraries: _, ...record } = JSON.parse(readFileSync(join(root, 'build', 'addon.json'), 'utf8'));
    writeFileSync(
      join(machine, 'build', 'addon.json'),
      JSON.stringify({ ...record, addon: build.addon, libraries: build.libraries }),
    );
    const packages = join(machine, 'node_modules');
    mkdirSync(join(packages, '@node-llama-cpp', 'linux-x64-cuda', 'bins', 'linux-x64-cuda'), { recursive: true });
    const carrier = join(packages, '@node-llama-cpp', 'linux-x64-cuda');
    cpSync(backend, join(carrier, 'bins', 'linux-x64-cuda', 'libggml-cuda.so'));
    writeFileSync(
      join(carrier, 'package.json'),
      JSON.stringify({ name: '@node-llama-cpp/linux-x64-cuda', version: '3.21.1' }),
    );
    const metadata = { buildOptions: { llamaCpp: { release: build.release } } };
    writeFileSync(join(carrier, 'bins', 'linux-x64-cuda', '_nlcBuildMetadata.json'), JSON.stringify(metadata));
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      mkdirSync(join(packages, name, '..'), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(packages, name));
    }
    mkdirSync(libraries);
    for (const name of ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13']) writeFileSync(join(libraries, name), '');
  });

  function meditron(does: string, args: readonly string[], input = '') {
    const env = { ...process.env, GGML_STAND_IN: does, MEDITRON_STATE: state, LD_LIBRARY_PATH: libraries };
    const result = spawnSync(process.execPath, [join(machine, 'bin', 'meditron.js'), ...args], {
      env,
      input,
      encoding: 'utf8',
    });
    return { ...result, json: result.stdout.startsWith('{') ? JSON.parse(result.stdout) : undefined };
  }
  const question = 'Which of these is an antibiotic?\nA. aspirin\nB. amoxicillin\n';
  const ask = ['ask', '-', '--mode', 'top-token', '--json'];

  test('that dies at its first step, `ask` answers on the CPU and says why, at once the second time', () => {
    const first = meditron('aborts', ask, question);
    expect(first.stderr).not.toMatch(/SIGABRT|CUDA error/);
    expect(first.status).toBe(0);
    const why =
      /CUDA0 \(Stand-in card\) is listed but could not compute: it died with SIGABRT .*unsupported toolchain.*Models run on the CPU\. Build from source/;
    expect(first.json.warnings).toContainEqual(expect.stringMatching(why));
    const remembered = readFileSync(join(state, 'devices.json'), 'utf8');
    const second = meditron('aborts', ask, question);
    expect(second.json.warnings).toContainEqual(expect.stringMatching(why));
    expect(readFileSync(join(state, 'devices.json'), 'utf8')).toBe(remembered);
    for (const secret of ['amoxicillin', 'antibiotic', root, folder]) expect(remembered).not.toContain(secret);
  });

  test('that works, models are put on it', () => {
    const { status, json } = meditron('works', ['devices', '--json']);
    expect(status).toBe(0);
    expect(json.devices).toContainEqual(expect.objectContaining({ name: 'CUDA0', used: true }));
    expect(meditron('works', ask, question).json.warnings.join()).not.toContain('CUDA');
  });

  test('`devices` shows every card with its verdict, and tries again when asked', () => {
    const shown = meditron('works,aborts', ['devices']);
    expect(shown.status).toBe(0);
    expect(shown.stdout).toMatch(/^CUDA0 .*works: computed on \d{4}-\d\d-\d\d$/m);
    expect(shown.stdout.replace(/\s+/g, ' ')).toMatch(/CUDA1 Stand-in card by CUDA: died with SIGABRT while computing/);
    expect(shown.stdout).toContain('Models run on CUDA0 with');
    const at = (args: string[]) => meditron('works,aborts', ['devices', '--json', ...args]).json.backends[0].report.at;
    const before = at([]);
    expect(at([])).toBe(before);
    expect(at(['--probe'])).not.toBe(before);
  });

  test('`--gpu-layers 0` tries nothing', () => {
    rmSync(state, { recursive: true });
    expect(meditron('aborts', [...ask, '--gpu-layers', '0'], question).json.warnings.join()).not.toContain('CUDA');
    expect(existsSync(join(state, 'devices.json'))).toBe(false); // what is remembered of backends
  });
});
