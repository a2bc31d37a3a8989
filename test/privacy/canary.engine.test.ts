import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { found, type Markers } from './markers.js';
import { type Patient, patientIn, places } from './patient.js';
import { type Ended, hasStrace, networkOf, type Running, root, Sandbox } from './watched.js';

const sandbox = new Sandbox();
/** What is given to the commands, and what they are told to write: nobody searches there. */
const given = `${sandbox.folder}-given`;
let patient: Patient;
let planted: Markers;

beforeAll(async () => {
  mkdirSync(given);
  patient = await patientIn(given);
  planted = patient.planted;
});
afterAll(() => {
  if (process.env.MEDITRON_LONG !== undefined) console.log(JSON.stringify(searched));
  sandbox.remove(given);
});

/** How much was searched: prompts and files with markers are new in every run of this file, answers in every process. */
const searched = { processes: 0, markers: places.length, answers: 0, streams: 0, files: 0, programs: 0, deaths: 0 };

/** Where markers were found, of those that are nowhere to be but in the output and in what was asked for. */
function leaks({ stderr, seen }: Ended, all: Markers): string[] {
  const files = sandbox.files();
  searched.processes++;
  searched.answers += Object.keys(all).length - Object.keys(planted).length;
  searched.streams++;
  searched.files += files.length;
  searched.programs += seen?.started.length ?? 0;
  const inFiles = files.flatMap(path => found(readFileSync(path), all).map(what => `${path}: ${what}`));
  const started = (seen?.started ?? []).filter(line => !/"[^"]*bin\/meditron\.js"/.test(line));
  return [
    ...found(stderr, all).map(what => `standard error: ${what}`),
    ...found(started.join('\n'), all).map(what => `what was started: ${what}`),
    ...inFiles,
  ];
}

/** What was written where nobody searches, and was not asked for. */
const elsewhere = ({ seen }: Ended) =>
  (seen?.written ?? []).filter(path => !path.startsWith(sandbox.folder) && !path.startsWith(given));

/** Lines as `what {"json": …}`, by what. */
function told({ stdout }: Ended): ReadonlyMap<string, readonly unknown[]> {
  const all = new Map<string, unknown[]>();
  for (const line of stdout.toString().split('\n').filter(Boolean)) {
    const [, what, value] = /^([\w -]+?) (["[{\d].*|null)$/.exec(line)!;
    all.set(what!, [...(all.get(what!) ?? []), JSON.parse(value!)]);
  }
  return all;
}

/** What the model answered, as markers: it is a patient's too. */
const answersOf = (texts: readonly unknown[]): Markers =>
  Object.fromEntries(texts.flatMap((text, i) => (String(text).length < 24 ? [] : [[`answer ${i}`, String(text)]])));

function scene(part: object, running: Running = {}): Promise<Ended> {
  const input = JSON.stringify({ patient, ...part });
  return sandbox.node([join(import.meta.dirname, 'scene.js')], { input, ...running });
}

const phases = ['load', 'tokenize', 'prompt', 'decode'];
const signals = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGKILL'];

/** Every phase and every signal, in another order each time; with MEDITRON_LONG every phase by every signal, many times over. */
function deaths(): { phase: string; signal: string }[] {
  const rounds = Number(process.env.MEDITRON_LONG ?? 0) * signals.length || 1;
  const turn = Math.floor(Math.random() * signals.length);
  return Array.from({ length: rounds }, (_, round) =>
    phases.map((phase, i) => ({ phase, signal: signals[(i + round + turn) % signals.length]! })),
  ).flat();
}

describe('the library', () => {
  test.each([false, true])('with isolate %s: words reach the answer alone, whatever is refused', async isolate => {
    const ended = await scene({ isolate });
    const said = told(ended);
    expect(ended.code, ended.stderr.toString()).toBe(0);
    if (isolate) expect(ended.modules.filter(line => line.endsWith('/dist/host/child.js'))).not.toEqual([]);
    expect(said.get('accepted') ?? []).toEqual([]);
    expect(said.get('without code') ?? []).toEqual([]);
    expect(said.get('refused')![0]).toBeGreaterThan(30);
    const answers = answersOf(said.get('answer')!);
    expect(Object.keys(answers).length).toBeGreaterThan(0);
    expect(leaks(ended, { ...planted, ...answers })).toEqual([]);
    expect(elsewhere(ended)).toEqual([]);
    expect(networkOf(ended)).toEqual([]);
  });

  test.each([
    ['an error that nobody catches', false],
    ['an error that nobody catches', true],
    ['abort while it decodes', false],
    ['abort while it decodes', true],
  ])('a process that ends by %s (isolate %s) leaves none behind', async (end, isolate) => {
    const ended = await scene({ isolate, end });
    expect(end === 'abort while it decodes' ? (ended.signal ?? 134 - ended.code!) : ended.code).not.toBe(0);
    expect(leaks(ended, { ...planted, ...answersOf(told(ended).get('answer') ?? []) })).toEqual([]);
    expect(elsewhere(ended)).toEqual([]);
    expect(networkOf(ended)).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'an engine that is killed in any phase leaves none behind, whatever Node was told to write (skipped where there is no /proc)',
    async () => {
      const reports = [
        '--report-on-fatalerror',
        '--report-uncaught-exception',
        '--report-on-signal',
        '--report-signal=SIGUSR2',
      ];
      const NODE_OPTIONS = [
        ...reports,
        '--heapsnapshot-signal=SIGUSR1',
        '--diagnostic-dir=.',
        '--report-directory=.',
      ].join(' ');
      const killed = deaths();
      // What Node would answer with a debugger's port and a report; the first is not heard, the second ends the process.
      const own = ['SIGUSR1', 'SIGUSR2'].map(signal => ({ phase: 'decode', signal }));
      const proxies = { HTTPS_PROXY: 'http://127.0.0.1:1', GGML_BACKEND_PATH: '/nowhere/libggml.so' };
      const ended = await scene(
        { isolate: true, deaths: [...killed, ...own] },
        { coreDumps: true, env: { NODE_OPTIONS, ...proxies } },
      );
      const said = told(ended);
      expect(ended.code, ended.stderr.toString()).toBe(0);
      const died = (said.get('died') ?? []) as { phase: string; signal: string }[];
      searched.deaths += died.length;
      expect(died.map(({ phase, signal }) => `${phase === 'start' ? 'load' : phase} ${signal}`)).toEqual(
        expect.arrayContaining([...killed, own[1]!].map(({ phase, signal }) => `${phase} ${signal}`)),
      );
      expect(leaks(ended, { ...planted, ...answersOf(said.get('answer')!) })).toEqual([]);
      expect(elsewhere(ended)).toEqual([]);
      expect(networkOf(ended)).toEqual([]);
      expect(said.get('core')).toEqual([['0', '0']]);
      const environment = said.get('environment')![0] as string[];
      expect(
        environment.filter(line => /^(https?_proxy|ggml_backend_path)=|--(inspect|report|heap|diagnostic)/i.test(line)),
      ).toEqual([]);
    },
    120_000 + Number(process.env.MEDITRON_LONG ?? 0) * 600_000,
  );
});

test('the search finds what it is there to find', async () => {
  const file = join(sandbox.cwd, 'leaks.mjs');
  writeFileSync(
    file,
    `
    import { writeFileSync } from 'node:fs';
    import { spawnSync } from 'node:child_process';
    const word = Buffer.from(process.argv[2], 'hex').toString();
    console.error(word);
    writeFileSync(process.env.XDG_CACHE_HOME + '/kept', word);
    spawnSync('true', [word], { env: { WORD: word } });`,
  );
  const ended = await sandbox.node([file, Buffer.from(planted.prompt!).toString('hex')]);
  const where = leaks(ended, planted).map(leak => leak.replace(sandbox.folder, ''));
  expect(where).toContain('standard error: prompt, plain');
  expect(where).toContain('/cache/kept: prompt, plain');
  if (hasStrace) expect(where).toContain('what was started: prompt, plain');
  if (hasStrace) expect(ended.seen!.written.map(path => path.replace(sandbox.folder, ''))).toContain('/cache/kept');
  sandbox.clear();
});

describe('the command', () => {
  const common = () => ['-m', patient.model, '--threads', '1'];
  const short = ['--max-tokens', '30', '--temperature', '1'];
  const put = (name: string, text: string) => {
    writeFileSync(join(given, name), text);
    return join(given, name);
  };
  const pasted = () => `What does ${planted.question} have?\nA. gout ${planted.option}\nB. none\nAnswer: B\n`;
  const asking = () => [...common(), '--format', 'chatml', '--system', planted.system!, ...short, '-n', '2'];
  const ndjson = () =>
    `${JSON.stringify({ question: planted.question, options: { A: planted.option, B: 'none' }, answer: 'B' })}\n`;

  const evalOf = (file: string, out: string) => [
    ...['eval', '--file', file, ...common()],
    ...['--format', 'raw', '--mode', 'top-token', '--out', join(given, out)],
  ];

  /** How each is called, and the exit code. Those that stand later may read what those before them wrote. */
  const calls: Readonly<Record<string, () => readonly [code: number, args: readonly string[], input?: string]>> = {
    'run with words on the command line': () => [0, ['run', ...common(), ...short, '-p', planted.prompt!]],
    'run with words from a file': () => [
      0,
      ['run', ...common(), ...short, '-f', put('prompt.txt', planted.prompt!), '--json'],
    ],
    'run with a grammar': () => [
      0,
      ['run', ...common(), ...short, '--grammar', put('gbnf', `root ::= "${planted.grammar}" | [a-z]{30}`)],
      planted.prompt!,
    ],
    'run with a broken grammar': () => [
      2,
      ['run', ...common(), ...short, '--grammar', put('gbnf', `root ::= "${planted.grammar}`)],
      planted.prompt!,
    ],
    'run with more words than fit': () => [5, ['run', ...common(), ...short], `${planted.prompt} `.repeat(2000)],
    'run with what is no text': () => [3, ['run', ...common(), '-f', patient.model]],
    'ask, a pasted question': () => [0, ['ask', ...asking(), '--mode', 'free', '-'], pasted()],
    'ask, with a record': () => [
      0,
      ['ask', ...asking(), '--mode', 'free', '--record', join(given, 'record.json'), '-'],
      pasted(),
    ],
    'ask, as JSON': () => [0, ['ask', ...asking(), '--mode', 'free', '--json', '-'], ndjson()],
    'ask, what cannot be read': () => [3, ['ask', ...asking(), '-'], pasted().replace('Answer', planted.question!)],
    'ask, broken JSON': () => [
      3,
      ['ask', ...asking(), '-'],
      `{"question": "${planted.question}", "options": [${planted.option}]}`,
    ],
    'ask, more than fits': () => [
      5,
      ['ask', ...asking(), '-'],
      pasted().replace('have', `have ${planted.question} `.repeat(500)),
    ],
    'ask, a format without a system turn': () => [
      2,
      ['ask', ...common(), '--format', 'raw', '--system', planted.system!, '-'],
      pasted(),
    ],
    replay: () => [0, ['replay', join(given, 'record.json')]],
    'replay of a broken record': () => [
      3,
      ['replay', put('broken.json', readFileSync(join(given, 'record.json'), 'utf8').slice(0, -200))],
    ],
    'replay of a changed record': () => {
      const text = readFileSync(join(given, 'record.json'), 'utf8');
      return [3, ['replay', put('changed.json', text.replace(/"system": "[^"]*"/, `"system": ["${planted.system}"]`))]];
    },
    prompt: () => [0, ['prompt', '-m', patient.model, '--format', 'chatml', '-'], pasted()],
    tokenize: () => [0, ['tokenize', '-m', patient.model, planted.prompt!]],
    chat: () => [
      0,
      ['chat', ...common(), '--format', 'chatml', ...short, '--system', planted.system!],
      `${planted.prompt}\n${planted.question}\n`,
    ],
    'chat with commands': () => [
      2,
      ['chat', ...common(), '--format', 'chatml', ...short],
      `/system ${planted.system}\n/${planted.prompt}\n${planted.prompt}\n`,
    ],
    'chat with more than fits': () => [
      5,
      ['chat', ...common(), '--format', 'chatml', ...short],
      `${`${planted.prompt} `.repeat(2000)}\n`,
    ],
    devices: () => [0, ['devices']],
    demo: () => [0, ['demo']],
    inspect: () => [0, ['inspect', patient.model]],
    'inspect of an adapter': () => [4, ['inspect', patient.damagedAdapter]],
    fit: () => [0, ['fit', patient.model]],
    models: () => [0, ['models', patient.model]],
    'models add and verify': () => [0, ['models', 'add', patient.model]],
    'models get': () => [0, ['models', 'get', 'meditron-7b']],
    check: () => [4, ['check', patient.model]],
    verify: () => [3, ['verify', given]],
    // What it does with words is tried without a socket, below.
    'serve for help': () => [0, ['serve', '--help']],
    // A question of many lines, ended by two empty ones; Enter asks it; then it leaves.
    menu: () => [0, ['menu'], `1\n${pasted()}\n\n\n0\n`],
    eval: () => [0, evalOf(put('own.jsonl', ndjson()), 'results')],
    'eval of what cannot be read': () => [
      3,
      evalOf(put('odd.jsonl', ndjson().replace('"B"}', `"${planted.option} or none"}`)), 'odd'),
    ],
  };

  test('every command is called', () => {
    const names = readdirSync(join(root, 'src', 'cli', 'commands')).map(name => name.replace(/\.ts$/, ''));
    expect(names.filter(name => !Object.keys(calls).some(call => call.split(/[ ,]/)[0] === name))).toEqual([]);
  });

  test.each(Object.entries(calls))('%s', async (_, call) => {
    const [code, args, input] = call();
    const ended = await sandbox.meditron(args, { input: input ?? '' });
    expect(ended.code, `${ended.stderr}`).toBe(code);
    const answers = args[0] === 'run' || args[0] === 'chat' ? answersOf([ended.stdout.toString().trim()]) : {};
    expect(leaks(ended, { ...planted, ...answers })).toEqual([]);
    expect(elsewhere(ended)).toEqual([]);
    expect(networkOf(ended)).toEqual([]);
  });
});

describe('the server', () => {
  test.each([false, true])(
    'with isolate %s: words reach the answer alone, whatever is refused, aborted or dies',
    async isolate => {
      const input = JSON.stringify({ planted, model: patient.model, isolate });
      const ended = await sandbox.node([join(import.meta.dirname, 'serving.js')], { input });
      expect(ended.code, ended.stderr.toString()).toBe(0);
      const said = told(ended);
      expect(said.get('answered')!.length).toBeGreaterThan(3);
      expect(said.get('refused')!.length).toBeGreaterThan(10);
      expect(said.get('died')).toEqual(isolate ? [503] : undefined);
      const answers = answersOf(said.get('answer') ?? []);
      expect(leaks(ended, { ...planted, ...answers })).toEqual([]);
      expect(found(JSON.stringify(said.get('metrics')), planted)).toEqual([]);
      expect(elsewhere(ended)).toEqual([]);
      expect(ended.seen?.network ?? []).toEqual([]);
    },
  );
});
