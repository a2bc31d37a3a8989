// What an app does with a patient's words: everything that the library offers, well and wrongly, and on request in a process whose
// engine is killed. Reads its part from standard input; writes answers to standard output, and to standard error what an app
// that logs every error would log.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { ask, buildPrompt, formatByName, loadModel, parseQuestionText, replay } from '../../dist/index.js';
import { childrenOf } from '../host/children.js';
import { held, holdAt, holdable } from '../host/hold.js';

const { patient, isolate, deaths, end } = JSON.parse(await text(process.stdin));
const { planted } = patient;
const hold = join(tmpdir(), 'hold');
if (deaths) Object.assign(process.env, holdable(hold));
const say = (what, value) => process.stdout.write(`${what} ${JSON.stringify(value)}\n`);
const log = error => process.stderr.write(`${inspect(error, { depth: 9, showHidden: true })}\n`);

/** The answer is forty letters and digits that nobody can know before. */
const grammar = `root ::= letter{40} | "${planted.grammar}${planted.grammar}"\nletter ::= [A-Za-z0-9]`;
const system = planted.system;
const question = {
  kind: 'choice',
  question: `What does ${planted.question} have?`,
  options: [`gout ${planted.option}`, 'none'],
};
const prompt = [{ text: `A patient, ${planted.prompt}, is told:`, template: false }];
const job = () => ({
  prompt,
  samplers: [{ temperature: 20, grammar }],
  seed: Math.floor(Math.random() * 2 ** 40),
  maxTokens: 60,
  stop: [planted.stop],
});

const onDeath = death => {
  log(death);
  say('died', { signal: death.signal, phase: death.phase });
};
const load = () => loadModel({ path: patient.model, isolate: isolate && { onDeath } });
const open = model =>
  model.createEngine({ threads: 1, contextSize: 4096, maxSequences: 4, loras: [{ path: patient.adapter }] });

async function answered(engine, during = () => {}) {
  let answer = '';
  for await (const event of engine.generate(job())) {
    if (event.type === 'text') answer += event.text;
    during(event);
  }
  say('answer', answer);
}

const asking = { mode: 'free', format: 'chatml', system, samples: 2, temperature: 2, maxTokens: 30, seed: Date.now() };

async function well(model, engine) {
  await answered(engine);
  const answer = await ask(engine, question, asking);
  for (const sample of answer.samples) say('answer', sample.text);
  say('top-token', (await ask(engine, question, { mode: 'top-token', format: 'raw' })).answer);
  say('tokens', (await model.tokenize(prompt)).length);
  await engine.score({ prompt, continuations: [` ${planted.continuation}`, ' no'] });
  (await engine.prefix(prompt)).release();
  return answer;
}

/** Calls that fail, each in its own way, with a patient's words in their hands. */
function wrongly(model, engine, { evidence }) {
  const generate = async options => {
    for await (const _ of engine.generate({ ...job(), ...options }));
  };
  const long = `${planted.prompt} `.repeat(2000);
  const asked = options => ask(engine, question, { ...asking, ...options });
  const changed = change => replay(change(structuredClone(evidence)), { modelPath: patient.model });
  return {
    'a prompt that does not fit': () => generate({ prompt: long }),
    'a prompt beyond every size': () => model.tokenize(long.repeat(60)),
    'more tokens than allowed': () => model.tokenize(long, { maxTokens: 1 }),
    'a prompt of another kind': () => generate({ prompt: { text: planted.prompt } }),
    'a segment of another kind': () => generate({ prompt: [{ text: [planted.prompt], template: false }] }),
    'a segment that is no segment': () => generate({ prompt: [planted.prompt] }),
    'a segment with a key too many': () => generate({ prompt: [{ text: 'x', template: false, [planted.prompt]: 1 }] }),
    'one stop instead of a list': () => generate({ stop: planted.stop }),
    'a stop too long': () => generate({ stop: [planted.stop.repeat(9)] }),
    'stops of another kind': () => generate({ stop: [[planted.stop]] }),
    'an unknown option': () => generate({ [planted.prompt]: planted.prompt }),
    'a grammar that does not end': () => generate({ samplers: [{ grammar: `root ::= "${planted.grammar}` }] }),
    'a rule that is not defined': () =>
      generate({ samplers: [{ grammar: `root ::= x${planted.grammar.replaceAll('_', '-')}` }] }),
    'a rule that begins with itself': () => {
      const rule = `x${planted.grammar.replaceAll('_', '-')}`;
      return generate({ samplers: [{ grammar: `root ::= ${rule}\n${rule} ::= ${rule} "a"` }] });
    },
    'a grammar of another kind': () => generate({ samplers: [{ grammar: [planted.grammar] }] }),
    'one continuation instead of a list': () => engine.score({ prompt, continuations: planted.continuation }),
    'a continuation of another kind': () => engine.score({ prompt, continuations: [[planted.continuation]] }),
    'a prefix that does not fit': () => engine.prefix(long),
    'an adapter that breaks off': () => model.createEngine({ loras: [{ path: patient.damagedAdapter }] }),
    'a question of no kind': () => ask(engine, { ...question, kind: planted.question }, asking),
    'options of another kind': () => ask(engine, { ...question, options: planted.option }, asking),
    'an option of another kind': () => ask(engine, { ...question, options: [[planted.option], 'none'] }, asking),
    'a question that does not fit': () => ask(engine, { ...question, question: long }, asking),
    'a format without a system turn': () => asked({ format: 'raw' }),
    'a conversation in the wrong order': () =>
      ask(engine, { kind: 'chat', messages: [{ role: 'assistant', content: planted.question }] }, asking),
    'a conversation of an unknown role': () =>
      ask(engine, { kind: 'chat', messages: [{ role: 'user', content: { text: planted.question } }] }, asking),
    "the model's own template, where it has no conversation": () =>
      asked({ format: 'jinja', system: [planted.system] }),
    'a demonstration without an answer': async () =>
      buildPrompt(formatByName('few-shot'), {
        question,
        mode: 'cot',
        protocol: 'strict',
        demonstrations: [{ question }],
      }),
    'a pasted question with something behind it': async () =>
      parseQuestionText(`${planted.question}?\nA. ${planted.option}\nB. none\n${planted.question}`),
    'a pasted question with one option': async () => parseQuestionText(`${planted.question}?\nA. ${planted.option}`),
    'a pasted question in broken JSON': async () =>
      parseQuestionText(`{"question": "${planted.question}", "options": [${planted.option}]}`),
    'a record with a sample of another kind': () =>
      changed(record => ({
        ...record,
        samples: [{ ...record.samples[0], text: [planted.prompt], tokens: planted.prompt }],
      })),
    'a record of another question': () =>
      changed(record => ({ ...record, question: { ...record.question, question: 5, kind: planted.question } })),
    'no record': () => replay(planted.question, { modelPath: patient.model }),
    'an abort': () => generate({ signal: AbortSignal.abort() }),
  };
}

/** The process of the model's engine, where no other has one. */
function hostPid() {
  const found = childrenOf(process.pid).filter(pid =>
    /host[/\\]child\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
  );
  if (found.length !== 1) throw new Error(`Expected one process of an engine, found ${found.length}`);
  return found[0];
}

/** What the engine is killed in the middle of: the work, and what tells that it is there. */
const phases = {
  load: ['load', async () => (await load()).close()],
  // What changes nothing is done by the next process: only the death is told.
  tokenize: ['tokenize', ({ model }) => model.tokenize(`${planted.prompt} `.repeat(900))],
  prompt: [
    'prompt',
    async ({ engine }) => {
      for await (const _ of engine.generate({ ...job(), prompt: `${planted.prompt} `.repeat(60) }));
    },
  ],
  decode: ['text', ({ engine }) => answered(engine)],
};

async function killed(phase, signal, on) {
  const [told, work] = phases[phase];
  holdAt(hold, told);
  const working = work(on);
  const ended = working.then(() => Promise.reject(new Error(`It had ended before it told ${told}`)));
  process.kill(await Promise.race([held(hold), ended]), signal);
  await working;
}

if (end === 'abort while it decodes') {
  const engine = await open(await load());
  await answered(engine, event => event.type === 'text' && process.abort());
}

const model = await load();
const engine = await open(model);
if (isolate) {
  const pid = hostPid();
  say('environment', readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean));
  say('core', /^Max core file size +(\S+ +\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))[1].split(/ +/));
}
const answer = await well(model, engine);
const mistakes = wrongly(model, engine, answer);
let refused = 0;
for (const [name, call] of Object.entries(mistakes)) {
  try {
    await call();
    say('accepted', name);
  } catch (error) {
    refused++;
    log(error);
    if (typeof error.code !== 'string' && name !== 'an abort') say('without code', [name, inspect(error)]);
  }
}
say('refused', refused);
for (const { phase, signal } of deaths ?? []) {
  try {
    if (signal === 'SIGUSR1') await answered(engine, event => event.type === 'text' && process.kill(hostPid(), signal));
    else await killed(phase, signal, { model, engine });
  } catch (error) {
    log(error);
  }
  await answered(engine);
}
await engine.close();
await model.close();
for (const call of [() => answered(engine), () => model.tokenize(prompt), () => ask(engine, question, asking)])
  await call().catch(log);
if (end === 'an error that nobody catches') throw new Error('the end');
