import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { held, holdAt, holdable } from '../host/hold.js';
import { meditron, model, start } from './command.js';
import { childrenOf, hasProc, stateOf, until } from './processes.js';
import { serve } from './serving.js';

const post = (url: string, body: object, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), ...init });

const question = { kind: 'choice', question: 'Which one?', options: ['one', 'two'] };

test('it prints one line, answers, and ends at Ctrl-C with its streams and its processes', async () => {
  const { child, url, ended } = await serve(['-m', model, '--threads', '1']);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  expect((await fetch(`${url}/`)).headers.get('Content-Type')).toContain('text/html');
  const ask = { question, format: 'raw', mode: 'cot', maxTokens: 400 };
  const stream = await post(`${url}/v1/meditron/ask`, ask, {
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
  });
  const reader = stream.body!.getReader();
  await reader.read();
  const engines = hasProc ? childrenOf(child.pid!) : [];
  child.kill('SIGINT');
  for (;;) {
    const { done } = await reader.read().catch(() => ({ done: true }));
    if (done) break;
  }
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'meditron: Interrupted\n' });
  expect(stdout.split('\n')).toHaveLength(2);
  await until(() => engines.every(pid => !childrenOf(1).includes(pid) && !childrenOf(process.pid).includes(pid)));
});

test.skipIf(!hasProc)(
  'it ends at Ctrl-C while a model is loading, whoever waits for it, and though the engine is stopped',
  async () => {
    const hold = join(mkdtempSync(join(tmpdir(), 'meditron-loading-')), 'hold');
    const { child, url, ended } = await serve(['-m', model], holdable(hold));
    holdAt(hold, 'load');
    const waiting = [
      post(`${url}/v1/meditron/ask`, { question, format: 'raw' }),
      post(`${url}/v1/completions`, { prompt: 'Once', stream: true }),
      post(`${url}/v1/completions`, { prompt: 'Once', echo: true, logprobs: 1, max_tokens: 1 }),
      post(`${url}/tokenize`, { prompt: 'Once' }),
    ].map(answer => answer.then(each => each.text()).catch((error: Error) => error.name));
    await held(hold);
    const [engine] = childrenOf(child.pid!) as [number];
    process.kill(engine, 'SIGSTOP');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'meditron: Interrupted\n' });
    for (const answer of await Promise.all(waiting)) expect(answer).toMatch(/ERR_CLOSED|TypeError/);
    expect(stateOf(engine)).toBeUndefined();
  },
);

test('without --model the model that ships answers, and --json prints an object', async () => {
  const { child, ended } = start(['serve', '--port', '0', '--json']);
  const [line] = (await once(child.stdout!, 'data')) as [string];
  const { url, page, port } = JSON.parse(line) as Record<string, string>;
  expect(page).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/#key=[\\w-]{43}$`));
  const state = (await (await fetch(`${url}/v1/meditron/state`)).json()) as { models: { name: string; path: null }[] };
  expect(state.models).toMatchObject([{ name: 'meditron-mini', path: null }]);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(143);
});

test('--open has the system open an address that leads to the page once, and the key is not in it', async () => {
  const place = mkdtempSync(join(tmpdir(), 'meditron-opener-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const told = join(place, 'told');
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(join(place, name), `#!/bin/sh\necho "$@" > "${told}.new" && mv "${told}.new" "${told}"\n`);
    chmodSync(join(place, name), 0o755);
  }
  const { url, pageKey } = await serve(['-m', model, '--open'], { PATH: `${place}${delimiter}${process.env.PATH}` });
  await until(() => {
    try {
      return readFileSync(told).length > 0;
    } catch {
      return false;
    }
  });
  const opened = readFileSync(told, 'utf8').trim();
  expect(opened.startsWith(`${url}/open/`)).toBe(true);
  expect(opened).not.toContain(pageKey);
  const first = await fetch(opened, { redirect: 'manual' });
  expect([first.status, first.headers.get('Location')]).toEqual([303, `/#key=${pageKey}`]);
  expect((await fetch(opened, { redirect: 'manual' })).status).toBe(410);
  const authorized = { headers: { Authorization: `Bearer ${pageKey}` } };
  const state = await (await fetch(`${url}/v1/meditron/state`, authorized)).json();
  expect(state).toMatchObject({ features: { files: true }, models: [{ path: model }] });
});

test('without a browser the address is said', async () => {
  const { child, ended } = start(['serve', '--port', '0', '-m', model, '--open'], { env: { PATH: '/nowhere' } });
  const [said] = (await once(child.stderr!, 'data')) as [string];
  expect(said).toMatch(
    /^meditron: warning: No browser could be opened .*: open http:\/\/127\.0\.0\.1:\d+\/#key=[\w-]{43} yourself\n$/,
  );
  child.kill('SIGINT');
  await ended;
});

test('a port that is taken is a sentence', async () => {
  const { url } = await serve(['-m', model]);
  const { code, stderr } = await meditron(['serve', '--port', new URL(url).port, '-m', model]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `meditron: Port ${new URL(url).port} of 127.0.0.1 is taken by another program. Choose another \`--port\`, or 0 for any that is free\n`,
  });
});

test.each([
  [['--host', '0.0.0.0'], 2, /--key.*--host/],
  [['--key', 'short'], 2, /8 to 256/],
  [['--port', '70000'], 2, /65535/],
  [['-m', 'nowhere.gguf'], 4, /nowhere\.gguf/],
  [['-m', 'package.json'], 4, /package\.json/],
])('%j is refused before anything is answered', async (args, code, why) => {
  const ended = await meditron(['serve', '--port', '0', ...args]);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toMatch(why);
  expect(ended.stdout).toBe('');
});
