import { afterAll, describe, expect, test } from 'vitest';
import { architectures } from '../../src/gguf/architecture.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { sourcesOf, type TinyOptions, tinyModel } from '../../src/synth/tiny.js';
import { Runner } from './campaign/run.js';
import { scratch } from './sample.js';

const folder = scratch();
const runner = new Runner();
afterAll(() => runner.close());

async function tried(options: TinyOptions, loadMode: 'read' | 'mmap' = 'read'): Promise<string> {
  const { metadata, tensors } = tinyModel(options);
  const path = folder.path('tiny.gguf');
  await writeGguf(path, metadata, sourcesOf(tensors), { force: true });
  const { code, message } = await runner.try({ path, loadMode });
  return `${code} ${message}`.trim();
}

// llama.cpp is the judge: it refuses a file that lacks a tensor or has one that it does not create.
describe.each([...architectures.keys()])('%s', architecture => {
  test.each(['llama', 'gpt2'] as const)('loads and computes with a %s vocabulary', async vocabulary => {
    expect(await tried({ architecture, vocabulary })).toBe('ran');
    expect(await tried({ architecture, vocabulary, type: 'q8_0' }, 'mmap')).toBe('ran');
  });

  test('loads and computes with every tensor that may be there', async () => {
    const optional = (name: string): boolean => !name.endsWith('scale');
    expect(await tried({ architecture, optional })).toBe('ran');
    expect(await tried({ architecture, optional: () => true })).toBe('ran');
    expect(await tried({ architecture, optional: () => true, fused: true })).toBe('ran');
    expect(await tried({ architecture, optional: () => true, hyper: { ropeScaling: 'longrope' } })).toBe('ran');
  });
});
