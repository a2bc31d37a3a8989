import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { writeProbeModel } from '../../src/synth/probe.js';

test('the model of the probe is the one that src/synth makes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-probe-model-'));
  await writeProbeModel(join(folder, 'probe.gguf'));
  const shipped = readFileSync(resolve(import.meta.dirname, '../../models/probe.gguf'));
  expect(readFileSync(join(folder, 'probe.gguf')).equals(shipped)).toBe(true);
  expect(shipped.length).toBeLessThan(500_000);
  rmSync(folder, { recursive: true });
});
