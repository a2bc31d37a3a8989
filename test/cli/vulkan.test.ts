import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { vulkan } from '../engine/software.js';
import { meditron, model, preloaded } from './command.js';

const args = ['run', '-m', model, '-p', '', '--max-tokens', '300', '--threads', '1'];

test.skipIf(!vulkan)(
  'an engine that dies on a Vulkan device is replaced by one on the CPU',
  async () => {
    const died = join(mkdtempSync(join(tmpdir(), 'meditron-vulkan-')), 'died');
    const env = preloaded('dying.mjs', { ...vulkan, MEDITRON_TEST_DIED: died, MEDITRON_TEST_GPU: '' });
    const { code, stdout, stderr } = await meditron(args, '', env);
    const [broken, text] = stdout.split(/\n\[The engine died here\..*\]\n/);
    const plain = await meditron([...args, '--gpu-layers', '0']);
    expect({ code, text }).toEqual({ code: 0, text: plain.stdout });
    expect(broken).not.toBe('');
    expect(stderr).toMatch(/^meditron: warning: The engine's process was ended by SIGABRT.* on .*Vulkan0.*CPU alone/);
  },
  600_000, // the first run compiles every shader on the CPU
);
