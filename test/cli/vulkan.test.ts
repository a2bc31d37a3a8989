import { once } from 'node:events';
import { expect, test } from 'vitest';
import { vulkan } from '../engine/software.js';
import { meditron, model, start } from './command.js';
import { childrenOf, hasProc } from './processes.js';

const args = ['run', '-m', model, '-p', '', '--max-tokens', '300', '--threads', '1'];

test.skipIf(!vulkan || !hasProc)(
  'an engine that dies on a Vulkan device is replaced by one on the CPU',
  async () => {
    const { child, ended } = start(args, { env: vulkan });
    await once(child.stdout!, 'data');
    for (const engine of childrenOf(child.pid!)) process.kill(engine, 'SIGSEGV');
    const { code, stdout, stderr } = await ended;
    const [broken, text] = stdout.split(/\n\[The engine died here\..*\]\n/);
    const plain = await meditron([...args, '--gpu-layers', '0']);
    expect({ code, text }).toEqual({ code: 0, text: plain.stdout });
    expect(broken).not.toBe('');
    expect(stderr).toMatch(/^meditron: warning: The engine's process was ended by SIGSEGV.* on .*Vulkan0.*CPU alone/);
  },
  600_000, // the first run compiles every shader on the CPU
);
