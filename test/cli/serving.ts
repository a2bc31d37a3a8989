import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { type Environment, start } from './command.js';

export interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly pageKey: string;
  readonly ended: ReturnType<typeof start>['ended'];
}

/** Starts `meditron serve` on a free port, and waits for the line that it prints. It is killed when the test has ended. */
export async function serve(args: readonly string[], env?: Environment): Promise<Started> {
  const { child, ended } = start(['serve', '--port', '0', '--gpu-layers', '0', ...args], { env });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(child.stdout!, 'data')) as [string];
  const [, url, pageKey] = /^Meditron answers at (http:\/\/127\.0\.0\.1:\d+)\/#key=([\w-]{43})\n$/.exec(line) ?? [];
  expect(url, line).toBeDefined();
  return { child, url: url!, pageKey: pageKey!, ended };
}
