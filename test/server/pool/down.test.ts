import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ModelPool } from '../../../src/server/pool/models.js';
import { ScriptedProcess, scripted } from '../../host/scripted.js';

const stories = resolve(import.meta.dirname, '..', '..', '..', 'models', 'stories260K.gguf');
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('an engine that is started no more is loaded anew by the next who asks', async () => {
  let sick = false;
  const { launch, processes } = scripted(() => new ScriptedProcess(undefined, verb => sick && verb === 'load'));
  await using pool = await ModelPool.of([stories], {
    engine: { contextSize: 512 },
    isolate: { launch },
    parallel: 4,
    maxQueue: 8,
  });
  const use = await pool.use(undefined, never);
  sick = true;
  processes[0]!.end({ signal: 'SIGSEGV', exitCode: null });
  const waiting = use.model.tokenize('Once');
  waiting.catch(() => {});
  await vi.advanceTimersByTimeAsync(30_000);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_ENGINE_DOWN' });
  expect(pool.models[0]).toMatchObject({ state: 'loaded', deaths: 8, loads: 1 });
  sick = false;
  await using next = await pool.use(undefined, never);
  expect(next.model).not.toBe(use.model);
  expect(pool.models[0]).toMatchObject({ state: 'loaded', deaths: 8, loads: 2 });
  await use[Symbol.asyncDispose]();
});
