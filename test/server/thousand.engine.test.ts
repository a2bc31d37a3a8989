import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request as send } from 'node:http';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { childrenOf, hasProc } from '../cli/processes.js';
import { type Started, serve } from '../cli/serving.js';

const models = ['stories260K', 'meditron-mini'].map(name => resolve('models', `${name}.gguf`));
/** Requests at once, each over a connection of its own. */
const requests = 1000;
/** Megabytes that the server and its engines may grow by for all of them. */
const most = 300;

const prompt = { prompt: 'Once upon a time', max_tokens: 8, model: 'stories260K' };
const chat = {
  messages: [{ role: 'user', content: 'Hello' }],
  max_tokens: 4,
  model: 'meditron-mini',
  chat_format: 'chatml',
};
const ask = {
  question: { kind: 'choice', question: 'Which one is it?', options: ['one', 'two', 'three'] },
  ...{ instruction: 'Choose.', format: 'raw', samples: 2, maxTokens: 8, model: 'stories260K' },
};
const events = { Accept: 'text/event-stream' };

/** What clients ask for, and what a whole answer ends with. */
const kinds: readonly {
  readonly path: string;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ends: RegExp;
}[] = [
  { path: '/v1/chat/completions', body: chat, ends: /"total_tokens":.*\}$/ },
  {
    path: '/v1/chat/completions',
    body: { ...chat, stream: true },
    ends: /"finish_reason":"\w+".*data: \[DONE\]\n\n$/s,
  },
  { path: '/v1/completions', body: prompt, ends: /"total_tokens":.*\}$/ },
  { path: '/v1/completions', body: { ...prompt, n: 2 }, ends: /"index":1.*\}$/ },
  { path: '/v1/completions', body: { ...prompt, stream: true }, ends: /"finish_reason":"\w+".*data: \[DONE\]\n\n$/s },
  {
    path: '/v1/completions',
    body: { ...prompt, max_tokens: 1, echo: true, logprobs: 1 },
    ends: /"token_logprobs":\[null,-.*\}$/,
  },
  { path: '/v1/meditron/ask', body: ask, headers: events, ends: /"type":"answer".*\n\n$/ },
  { path: '/tokenize', body: { prompt: 'Once upon a time', model: 'stories260K' }, ends: /"tokens":\[\d.*\}$/ },
];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function sent(url: string, { path, body, headers }: (typeof kinds)[number]): Promise<Answer> {
  return new Promise((answered, failed) => {
    const request = send(`${url}${path}`, {
      ...{ method: 'POST', agent: false },
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    request.on('error', failed);
    request.on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', piece => {
        text += piece;
      });
      response.on('error', failed);
      response.on('end', () => answered({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.end(JSON.stringify(body));
  });
}

/** All of them at once, of every kind in turn. */
function all(url: string): Promise<Answer[]> {
  return Promise.all(Array.from({ length: requests }, (_, i) => sent(url, kinds[i % kinds.length]!)));
}

function start(...args: readonly string[]): Promise<Started> {
  return serve(['--threads', '1', '--max-connections', '1100', ...models.flatMap(model => ['-m', model]), ...args]);
}

/** Of the server's process and of its engines', at their most. */
function megabytesOf({ child }: Started): number {
  const peak = (pid: number) => Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return hasProc ? [child.pid!, ...childrenOf(child.pid!)].reduce((sum, pid) => sum + peak(pid), 0) / 1024 : 0;
}

/** Nobody is waited for, nothing is computed, and everything is answered as before. */
async function atRest(server: Started): Promise<void> {
  for (const kind of kinds) {
    const { status, text } = await sent(server.url, kind);
    expect([status, text], kind.path).toEqual([200, expect.stringMatching(kind.ends)]);
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const name of ['model_requests', 'queue_length', 'sequences_live', 'engine_deaths_total'])
    expect(metrics.match(new RegExp(`^meditron_${name}\\{.*$`, 'gm')), metrics).toEqual(
      ['stories260K', 'meditron-mini'].map(model => `meditron_${name}{model="${model}"} 0`),
    );
}

async function endsQuietly({ child, ended }: Started): Promise<void> {
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'meditron: Interrupted\n' });
}

test('of a thousand requests at once each is answered whole, or told to come again', async () => {
  const server = await start();
  await atRest(server);
  const before = megabytesOf(server);
  const answers = await all(server.url);
  for (const [i, { status, headers, text }] of answers.entries()) {
    if (status === 200) expect(text).toMatch(kinds[i % kinds.length]!.ends);
    else {
      expect([status, headers['retry-after']], text).toEqual([429, '1']);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'ERR_QUEUE_FULL', type: 'rate_limit_error' } });
    }
  }
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  expect(count(429)).toBeGreaterThan(0);
  expect(count(200)).toBeGreaterThan(2 * 32); // at least those that have a place at once, on both models
  await atRest(server);
  expect(megabytesOf(server) - before).toBeLessThan(most);
  await endsQuietly(server);
});

test('where a thousand may wait, each is answered whole, models that are not loaded yet included', async () => {
  const server = await start('--max-queue', String(requests));
  const answers = await all(server.url);
  for (const [i, { status, text }] of answers.entries())
    expect([status, text]).toEqual([200, expect.stringMatching(kinds[i % kinds.length]!.ends)]);
  await atRest(server);
  await endsQuietly(server);
});
