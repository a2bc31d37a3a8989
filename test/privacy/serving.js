// Sends words of a patient to the routes of the server, in requests that are answered, refused, aborted and under which the engine dies.
import { text } from 'node:stream/consumers';
import { serverApp } from '../../dist/server/index.js';

const { planted, model, isolate } = JSON.parse(await text(process.stdin));
const tell = (what, value) => console.log(`${what} ${JSON.stringify(value)}`);

/** Its process is killed when it is told to. */
let child;
const launch = async () => (await import('../../dist/host/launch.js')).launchNode;
const launchNode = isolate ? await launch() : undefined;
const watched = options => {
  child = launchNode(options);
  return child;
};

const app = await serverApp({
  models: [model],
  load: { gpuLayers: 0 },
  engine: { threads: 1 },
  isolate: isolate && { launch: watched },
});
const send = (path, body, { headers = {}, ...more } = {}) =>
  app.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...more,
    }),
  );
const words = Object.values(planted).join(' ');
const question = { kind: 'choice', question: words, options: [`${words} one`, `${words} two`] };
const ask = { question, format: 'chatml', mode: 'cot', maxTokens: 8 };

// Answered.
for (const [path, body, headers] of [
  ['/v1/meditron/ask', ask],
  ['/v1/meditron/ask', ask, { Accept: 'text/event-stream' }],
  ['/v1/meditron/ask', { ...ask, id: 'an-id-that-nobody-guesses' }, { Accept: 'text/event-stream' }],
  ['/v1/meditron/read', { text: `${words}\nA. ${words}\nB. other` }],
  ['/v1/completions', { prompt: words, max_tokens: 8 }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: words }], max_tokens: 8, chat_format: 'chatml' }],
]) {
  const response = await send(path, body, { headers });
  const said = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${said}`);
  tell('answered', path);
}

// Refused.
for (const [path, body, more] of [
  ['/v1/meditron/ask', { ...ask, [words]: words }],
  ['/v1/meditron/ask', { ...ask, mode: words }],
  ['/v1/meditron/ask', { ...ask, question: { ...question, options: words } }],
  ['/v1/meditron/ask', { ...ask, question: { ...question, question: `${words} `.repeat(5000) } }],
  ['/v1/meditron/ask', { text: `${words}\nA. ${words}\nA. ${words}` }],
  ['/v1/meditron/ask', `{"text": "${words}`],
  ['/v1/meditron/ask', `{"text": ${words}}`],
  ['/v1/meditron/ask', `${'['.repeat(100)}"${words}"${']'.repeat(100)}`],
  ['/v1/meditron/read', { text: words, as: words }],
  ['/v1/meditron/replay', { record: { [words]: words } }],
  ['/v1/meditron/records', { record: words }],
  ['/v1/meditron/inspect', { path: words }],
  ['/v1/completions', { prompt: { [words]: words } }],
  ['/v1/chat/completions', { messages: words }],
  ['/v1/chat/completions', { messages: [{ role: words, content: words }], chat_format: 'chatml' }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: words }], chat_format: 'chatml', grammar: words }],
  [
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: words }] },
    { headers: { 'Content-Type': 'text/plain' } },
  ],
]) {
  const response = await send(path, body, more);
  const said = await response.text();
  if (response.status < 400 || response.status === 500) throw new Error(`${path}: ${response.status}`);
  tell('refused', said);
}

// Left in the middle.
const gone = new AbortController();
const left = await send(
  '/v1/meditron/ask',
  { ...ask, maxTokens: 400 },
  { headers: { Accept: 'text/event-stream' }, signal: gone.signal },
);
await left.body.getReader().read();
gone.abort();

// Under which the engine dies, once the last request is gone: so many chains that they live when they are first seen, on a busy machine too.
if (isolate) {
  const metrics = async () => (await app.fetch(new Request('http://127.0.0.1/metrics'))).text();
  const live = async () => Number(/^meditron_sequences_live\{.*\} (\d+)/m.exec(await metrics())[1]);
  const pause = () => new Promise(resolve => setTimeout(resolve, 10));
  while ((await live()) > 0) await pause();
  let response;
  const dying = send('/v1/meditron/ask', { ...ask, mode: 'sc-cot', samples: 200, stop: 'none' }).then(it => {
    response = it;
  });
  while ((await live()) === 0) {
    if (response) throw new Error(`answered before it was seen to run: ${response.status} ${await response.text()}`);
    await pause();
  }
  process.kill(child.pid, 'SIGSEGV');
  await dying;
  tell('died', response.status);
}
tell('metrics', await (await app.fetch(new Request('http://127.0.0.1/metrics'))).text());
await app.close();
