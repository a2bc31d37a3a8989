import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/native/backends.js';
import { chooseBackend, hasComputed, killsWhenListed, takeBuiltIn } from '../../src/native/choice.js';
import type { Failure, ProbedDevice, ProbeReport, Verdict } from '../../src/native/report.js';

const at = '2026-11-27T03:00:00.000Z';
const works: Verdict = { outcome: 'works', difference: 0.05 };
const lines = ['CUDA error: no kernel image is available', 'meditron: SIGABRT raised by the process itself'];
const failures: Record<string, Failure> = {
  died: { outcome: 'died', how: 'SIGABRT', during: 'computing', lines },
  refuses: { outcome: 'refuses', text: 'out of memory' },
  wrong: { outcome: 'wrong', text: 'log-probabilities differ by 3.00' },
  hangs: { outcome: 'hangs', seconds: 120, during: 'computing', lines: [] },
};

const device = (name: string, verdict: Verdict): ProbedDevice => ({
  name,
  description: `Card ${name}`,
  backend: name.replace(/\d+$/, ''),
  id: null,
  type: 'gpu',
  memoryTotal: 8e9,
  verdict,
});
const report = (...devices: ProbedDevice[]): ProbeReport => ({ at, failure: null, devices });
const failed = (failure: Failure): ProbeReport => ({ at, failure, devices: [] });
const candidate = (name: Candidate['name'], carrier: string | null, more: Partial<Candidate> = {}): Candidate => ({
  name,
  package: carrier,
  path: carrier && `/${carrier}.so`,
  missing: [],
  libraries: [],
  install: `what ${carrier} needs`,
  add: null,
  remedy:
    name === 'CUDA'
      ? 'Build from source for this card with `npm run build -- --source --cuda --cuda-arch native`'
      : "Update the card's driver",
  ...more,
});
const all = [candidate('CUDA', 'cuda'), candidate('CUDA', 'cuda-ext'), candidate('Vulkan', 'vulkan')];

/** What is chosen where probes find this, and what was probed. */
async function choose(found: Record<string, ProbeReport>, candidates = all, again = false) {
  const probed: string[] = [];
  const choice = await chooseBackend(
    candidates,
    async ({ package: name }) => {
      probed.push(name!);
      return found[name!]!;
    },
    again,
  );
  return { ...choice, probed, used: choice.backends.filter(backend => backend.used).map(backend => backend.package) };
}

test('the first backend that computes is used, and nothing behind it is tried', async () => {
  const { used, probed, devices, warnings } = await choose({ cuda: report(device('CUDA0', works)) });
  expect(used).toEqual(['cuda']);
  expect(probed).toEqual(['cuda']);
  expect(devices.map(({ name }) => name)).toEqual(['CUDA0']);
  expect(warnings).toEqual([]);
});

describe.each(Object.entries(failures))('a device that %s', (_, failure) => {
  test('has its companion tried, which takes its place without a word', async () => {
    const { used, warnings } = await choose({
      cuda: report(device('CUDA0', failure)),
      'cuda-ext': report(device('CUDA0', works)),
    });
    expect(used).toEqual(['cuda-ext']);
    expect(warnings).toEqual([]);
  });

  test('leaves Vulkan, with a warning that says what was the matter and what to do', async () => {
    const { used, warnings } = await choose({
      cuda: report(device('CUDA0', failure)),
      'cuda-ext': failed(failures.refuses!),
      vulkan: report(device('Vulkan0', works)),
    });
    expect(used).toEqual(['vulkan']);
    expect(warnings[0]).toMatch(
      /^CUDA0 \(Card CUDA0\) is listed but could not compute: it .*\. Models run on Vulkan0\. /,
    );
    expect(warnings[0]).toContain('npm run build -- --source --cuda --cuda-arch native');
    expect(warnings).toHaveLength(2);
  });

  test('leaves the CPU where nothing else is there', async () => {
    const missing = { missing: ['libvulkan.so.1'], reason: 'not found: libvulkan.so.1' };
    const { used, devices, warnings, probed } = await choose({ cuda: report(device('CUDA0', failure)) }, [
      all[0]!,
      candidate('Vulkan', 'vulkan', missing),
    ]);
    expect(used).toEqual([]);
    expect(devices).toEqual([]);
    expect(probed).toEqual(['cuda']);
    expect(warnings).toEqual([
      expect.stringMatching(/Models run on the CPU\. Build from source .*, or install what vulkan needs/),
    ]);
  });

  test('is left out where another card of the same backend computes', async () => {
    const choice = await choose({ cuda: report(device('CUDA0', failure), device('CUDA1', works)) });
    expect(choice.devices.map(({ name }) => name)).toEqual(['CUDA1']);
    expect(choice.warnings).toEqual([expect.stringContaining('Models run on CUDA1')]);
    const listed = (name: string, id: string | null = null) =>
      ({ name, description: `Card ${name}`, backend: 'CUDA', id, type: 'gpu', memoryFree: 0, memoryTotal: 0 }) as const;
    expect(hasComputed(choice, listed('CUDA0'))).toBe(false);
    expect(hasComputed(choice, listed('CUDA1'))).toBe(true);
    expect(hasComputed(choice, listed('CUDA1', 'another card'))).toBe(false);
  });

  test('is said in the words of its verdict', async () => {
    const { warnings } = await choose({ cuda: report(device('CUDA0', failure)) }, [all[0]!]);
    const words = {
      died: /died with SIGABRT while computing: CUDA error: no kernel/,
      refuses: /refuses: out of memory/,
    };
    const more = { wrong: /something else than the CPU: .* 3\.00/, hangs: /did not answer for 120 s while computing/ };
    expect(warnings[0]).toMatch({ ...words, ...more }[failure.outcome]);
  });

  test('inside the addon is left out, and where only listing it kills that is known', () => {
    const built = [candidate('CUDA', null), candidate('Vulkan', null)];
    const choice = takeBuiltIn(built, report(device('CUDA0', failure), device('Vulkan0', works)));
    expect(choice.devices.map(({ name }) => name)).toEqual(['Vulkan0']);
    expect(choice.backends.map(({ used }) => used)).toEqual([false, true]);
    expect(choice.warnings).toHaveLength(1);
    expect(killsWhenListed(failed(failure))).toBe(failure.outcome !== 'refuses');
  });
});

test('a backend that dies when it is loaded is a warning; one that finds no card is none', async () => {
  const died = await choose({ cuda: failed(failures.died!), 'cuda-ext': report(), vulkan: report() });
  expect(died.warnings).toEqual([
    expect.stringMatching(/^The GPU backend CUDA died with SIGABRT .*Models run on the CPU/),
  ]);
  const none = await choose({ cuda: report(), 'cuda-ext': report(), vulkan: report() });
  expect(none.warnings).toEqual([]);
  expect(none.backends.map(({ reason }) => reason)).toEqual(Array(3).fill('it found no GPU'));
});

test('what lacks its libraries is not tried; asked for all, what stands behind the first is', async () => {
  const [first, ...rest] = all;
  const without = [{ ...first!, reason: 'not found: libcuda.so.1' }, ...rest];
  const found = { 'cuda-ext': report(device('CUDA0', works)), vulkan: report(device('Vulkan0', works)) };
  expect((await choose(found, without)).probed).toEqual(['cuda-ext']);
  const again = await choose(found, without, true);
  expect(again.probed).toEqual(['cuda-ext', 'vulkan']);
  expect(again.used).toEqual(['cuda-ext']);
  expect(again.backends.at(-1)!.reason).toBe('it works, and CUDA is used');
});
