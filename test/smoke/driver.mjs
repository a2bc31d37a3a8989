// Runs in the Node of another system: does everything that is checked, and writes down what came of it in driver.json. What is to be done
// stands in smoke.json (see smoke.ts); both lie beside this file.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const work = import.meta.dirname;
const settings = JSON.parse(readFileSync(join(work, 'smoke.json'), 'utf8'));
const { app, copy } = settings;
const installed = join(app, 'node_modules', 'meditron');
const command = join(installed, 'bin', 'meditron.js');
const stories = join(work, 'stories260K.gguf');
const found = { platform: process.platform, arch: process.arch };

function meditron(args, { input, from = command } = {}) {
  const ran = spawnSync(process.execPath, [from, ...args], { cwd: work, encoding: 'utf8', input: input ?? '' });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

const tale = ['-p', 'Once upon a time', '--temperature', '0', '--threads', '1'];

const steps = {
  devices: () => meditron(['devices', '--json']),
  golden: () => meditron(['run', '-m', stories, ...tale, '--max-tokens', '40']),
  mapped: () => meditron(['run', '-m', stories, '--load', 'mmap', ...tale, '--max-tokens', '40']),
  demo: () => meditron(['demo']),
  copy: () => meditron(['devices', '--json'], { from: join(copy, 'node_modules', 'meditron', 'bin', 'meditron.js') }),

  questions() {
    const text =
      'Which vitamin prevents scurvy in Müller’s patients?\r\nA) Vitamin A\r\nB) Vitamin C\r\nC) Vitamin D\r\n';
    writeFileSync(join(work, 'frage ü.txt'), Buffer.from(`\uFEFF${text}`, 'utf16le'));
    writeFileSync(join(work, 'cp1252.txt'), Buffer.from(text.replace('’', "'"), 'latin1'));
    writeFileSync(join(work, 'mixed.txt'), Buffer.concat([Buffer.from(text), Buffer.from('Müde', 'latin1')]));
    return {
      utf16: meditron(['prompt', 'frage ü.txt', '--json']),
      cp1252: meditron(['prompt', 'cp1252.txt', '--json']),
      mixed: meditron(['prompt', 'mixed.txt']),
      // Wine's code page for consoles is 437, in which these letters are as in 850.
      console: meditron(['prompt', '--json'], {
        input: Buffer.from(text.replace('’', "'").replace('ü', '\x81'), 'latin1'),
      }),
      piped: meditron(['prompt', '-', '--json'], { input: Buffer.from(`\uFEFF${text}`) }),
    };
  },

  async evaluation() {
    const rows = dir => {
      const file = join(work, dir, 'results.jsonl');
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(1).filter(Boolean) : [];
    };
    const always = ['--file', 'questions.jsonl', '--mode', 'cot', '--parallel', '1', '--threads', '1'];
    const args = dir => ['eval', ...always, ...settings.evaluation, '--out', dir];
    const whole = meditron(args('whole'));
    const child = spawn(process.execPath, [command, ...args('killed')], { cwd: work, stdio: 'ignore' });
    const ended = new Promise(resolve => child.on('exit', (code, signal) => resolve({ code, signal })));
    while (rows('killed').length < 2 && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 20));
    process.kill(child.pid, 'SIGKILL'); // TerminateProcess
    const end = await ended;
    const left = rows('killed').length;
    const resumed = meditron([...args('killed'), '--resume']);
    const told = dir =>
      rows(dir).map(line => {
        const { id, samples } = JSON.parse(line);
        return { id, texts: samples.map(({ text }) => text) };
      });
    return {
      whole: whole.code,
      end,
      left,
      resumed: resumed.code,
      err: whole.err + resumed.err,
      rows: [told('whole'), told('killed')],
    };
  },

  worker() {
    const ran = spawnSync(
      process.execPath,
      [join(app, 'worker.mjs'), join(installed, 'models', 'meditron-mini.gguf')],
      { cwd: app, encoding: 'utf8' },
    );
    return { code: ran.status, out: ran.stdout, err: ran.stderr };
  },

  async isolated() {
    const { loadModel } = await import(pathToFileURL(join(installed, 'dist', 'index.js')).href);
    const pids = [];
    const { launchNode } = await import(pathToFileURL(join(installed, 'dist', 'host', 'launch.js')).href);
    const launch = options => {
      const transport = launchNode(options);
      pids.push(transport.pid);
      return transport;
    };
    const model = await loadModel({ path: stories, isolate: { launch } });
    const engine = await model.createEngine({ contextSize: 512, maxSequences: 1, threads: 1 });
    const job = { prompt: 'Once upon a time', samplers: [{ temperature: 0 }], maxTokens: 60, ignoreEnd: true };
    const text = async onText => {
      let all = '';
      for await (const event of engine.generate(job)) {
        if (event.type !== 'text') continue;
        all += event.text;
        onText?.();
      }
      return all;
    };
    const before = await text();
    let error;
    try {
      await text(() => process.kill(pids.at(-1), 'SIGKILL'));
    } catch (thrown) {
      error = { code: thrown.code, message: thrown.message, death: thrown.death };
    }
    const after = await text();
    await engine.close();
    await model.close();
    return { before, error, after, processes: pids.length };
  },

  ask: () => meditron(['ask', 'question.txt', '--mode', 'top-token', '--json']),

  wrong: () => Object.fromEntries(Object.entries(settings.wrong).map(([name, args]) => [name, meditron(args)])),

  long() {
    // Longer than 260 characters, and not in ASCII.
    const folder = join(work, ...Array.from({ length: 6 }, (_, i) => `Ordner mit Ümlaut ${i} ${'x'.repeat(40)}`));
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'modèle 模型.gguf');
    writeFileSync(path, readFileSync(stories));
    return {
      length: path.length,
      ran: meditron(['run', '-m', path, ...tale, '--max-tokens', '5']),
    };
  },

  places() {
    const run = path =>
      meditron(['run', '-m', path, '-p', 'Once', '--temperature', '0', '--max-tokens', '3', '--threads', '1']);
    const verbatim = `\\\\?\\${work}`;
    const ask = ['prompt', '-m', join(installed, 'models', 'meditron-mini.gguf')];
    return {
      model: run(`${verbatim}\\stories260K.gguf`),
      question: meditron([...ask, `${verbatim}\\frage ü.txt`, '--json']),
      share: run(`\\\\?\\UNC\\localhost\\c$\\no\\such.gguf`),
      output: meditron([
        'eval',
        '--file',
        'questions.jsonl',
        '--limit',
        '1',
        '--mode',
        'top-token',
        '--threads',
        '1',
        '--out',
        `${verbatim}\\out`,
      ]),
      written: existsSync(join(work, 'out', 'results.jsonl')),
    };
  },

  state() {
    const local = join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'meditron');
    return { local, files: existsSync(local) ? readdirSync(local) : [] };
  },
};

for (const name of settings.steps) {
  const began = Date.now();
  try {
    found[name] = await steps[name]();
  } catch (error) {
    found[name] = { thrown: String(error?.stack ?? error) };
  }
  found[name].ms = Date.now() - began;
  writeFileSync(join(work, 'driver.json'), JSON.stringify(found, null, 2));
}
