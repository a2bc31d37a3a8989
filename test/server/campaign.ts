import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as send } from 'node:http';
import { resolve } from 'node:path';
import { uniform } from '../../src/random/splitmix.js';
import { type Campaign, quantile, rounded, Tally } from '../campaigns/campaign.js';
import { childrenOf, hasProc } from '../cli/processes.js';

const root = resolve(import.meta.dirname, '..', '..');
const models = ['stories260K', 'meditron-mini'].map(name => resolve(root, 'models', `${name}.gguf`));
/** Connections at once. */
const connections = 200;
/** No answer takes longer on a machine that others use too. */
const limitMs = 120_000;
/** Megabytes that the server and its engines may grow, all together, in 1,000 requests once they are warm. */
const most = 2;
/** Memory is looked at after so many requests each. */
const lookEvery = 500;
/** Requests before that is so: until then caches are filled for the first time. */
const warm = 20_000;

/** All that it may say on its error stream. */
const interrupted = '{"error":{"code":"ERR_ABORTED","message":"Interrupted"}}\n';

const question = { kind: 'choice', question: 'Which one is it?', options: ['one', 'two', 'three'] };
const ask = { question, format: 'raw', samples: 3, maxTokens: 40, model: 'stories260K' };
const prompt = { prompt: 'Once upon a time', max_tokens: 40, n: 2, model: 'stories260K' };
const messages = {
  messages: [{ role: 'user', content: 'Hello' }],
  max_tokens: 20,
  model: 'meditron-mini',
  chat_format: 'chatml',
};

/** What a client may do. Statuses are those that it may be answered with beside 429 and, with a reason, 503. */
interface Kind {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes nothing of its answer. */
  readonly deaf?: boolean;
  readonly status: number;
  /** What a whole answer ends with. */
  readonly ends?: RegExp;
}

const events = { Accept: 'text/event-stream' };
const kinds: readonly Kind[] = [
  { path: '/v1/meditron/ask', body: ask, status: 200, ends: /\}$/ },
  { path: '/v1/meditron/ask', body: ask, headers: events, status: 200, ends: /"type":"answer".*\n\n$/ },
  { path: '/v1/meditron/ask', body: { ...ask, maxTokens: 400, mode: 'cot' }, headers: events, deaf: true, status: 200 },
  { path: '/v1/completions', body: prompt, status: 200, ends: /\}$/ },
  { path: '/v1/completions', body: { ...prompt, stream: true }, status: 200, ends: /data: \[DONE\]\n\n$/ },
  { path: '/v1/completions', body: { ...prompt, max_tokens: 1, echo: true, logprobs: 1 }, status: 200, ends: /\}$/ },
  { path: '/v1/chat/completions', body: { ...messages, stream: true }, status: 200, ends: /data: \[DONE\]\n\n$/ },
  { path: '/tokenize', body: { prompt: 'Once upon a time' }, status: 200, ends: /\}$/ },
  { path: '/v1/models', status: 200, ends: /\}$/ },
  { path: '/v1/meditron/state', status: 200, ends: /\}$/ },
  { path: '/v1/completions', body: { ...prompt, model: 'gpt-4' }, status: 404, ends: /ERR_UNKNOWN_MODEL.*\}$/ },
  { path: '/v1/completions', body: '{"prompt": "Once', status: 400, ends: /ERR_\w+.*\}$/ },
  { path: '/v1/models', headers: { Origin: 'http://evil.example' }, status: 403, ends: /ERR_REQUEST.*\}$/ },
];

/**
 * `count` requests, or as many as `seconds` allow, over two hundred connections to one server with two models, of which every second leaves at a
 * random moment. Whoever stays is answered; in the end no sequence is taken, nobody is waited for, and memory is as it was once all was warm.
 */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const server = await started();
  const waits: number[] = [];
  const looks: { readonly after: number; readonly megabytes: number }[] = [];
  const statuses: Record<string, number> = {};
  try {
    const indices = tally.indices[Symbol.iterator]();
    const until = performance.now() + (options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    let done = 0;
    const client = async () => {
      for (const index of indices) {
        const begun = performance.now();
        if (begun > until) return;
        const { status, fault } = await tried(server.port, drawn(options.seed, index));
        if (fault) tally.fault('broken', index, fault);
        statuses[status] = (statuses[status] ?? 0) + 1;
        waits.push(performance.now() - begun);
        tally.done(performance.now() - begun);
        if (++done % lookEvery === 0) looks.push({ after: done, megabytes: megabytesOf(server.child) });
      }
    };
    await Promise.all(Array.from({ length: Math.min(connections, options.count) }, client));
    await rest(server.port, tally);
    const grown = growth(looks, done);
    if (done >= warm && grown > most) tally.fault('broken', 0, `memory grew by ${grown} MB in 1,000 requests`);
    server.child.kill('SIGINT');
    const [code] = await once(server.child, 'exit');
    if (code !== 130) tally.fault('broken', 0, `the server ended with ${code} at Ctrl-C`);
    if (server.said !== interrupted) tally.fault('broken', 0, `it printed ${JSON.stringify(server.said)}`);
    const answered = { statuses, median: rounded(quantile(waits, 0.5)), p99: rounded(quantile(waits, 0.99)) };
    return tally.outcome({ connections, ...answered, megabytes: looks.at(-1)?.megabytes ?? 0, grownPer1000: grown });
  } finally {
    server.child.kill('SIGKILL');
  }
};

/** Whole numbers below a bound, the same for every seed and index. */
function drawn(seed: number, index: number): (below: number) => number {
  const next = uniform(seed * 1_000_003 + index);
  return below => Math.floor(next() * below);
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it printed on its error stream. */
  readonly said: string;
}

async function started(): Promise<Started> {
  const args = ['serve', '--port', '0', '--json', '--gpu-layers', '0', '--threads', '1'];
  const child = spawn(process.execPath, ['bin/meditron.js', ...args, ...models.flatMap(model => ['-m', model])], {
    cwd: root,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text;
  });
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => [`the server did not start: ${said}`]),
  ]);
  return {
    child,
    port: (JSON.parse(String(line)) as { port: number }).port,
    get said() {
      return said;
    },
  };
}

/** One request, and whether it was answered as it should be. One that left is `left`. */
async function tried(
  port: number,
  draw: (below: number) => number,
): Promise<{ status: number | 'left'; fault?: string }> {
  const kind = kinds[draw(kinds.length)]!;
  const leaves = kind.deaf || draw(2) === 0 ? draw(400) : undefined;
  const answer = await answerTo(port, kind, leaves);
  if (answer === 'left') return { status: 'left' };
  if (typeof answer === 'string') return { status: 0, fault: `${kind.path}: ${answer}` };
  const { status, text } = answer;
  const refused = status === 429 ? /ERR_QUEUE_FULL/ : status === 503 ? /ERR_\w+/ : undefined;
  const right = refused ? refused.test(text) : status === kind.status && (kind.ends?.test(text) ?? true);
  return right
    ? { status }
    : { status, fault: `${kind.path} with ${JSON.stringify(kind.body)}: ${status} ${text.slice(-300)}` };
}

type Answered = { readonly status: number; readonly text: string } | string;

/** The whole answer, `left`, or what went wrong. */
function answerTo(
  port: number,
  { path, body, headers = {}, deaf }: Kind,
  leaves: number | undefined,
): Promise<Answered> {
  return new Promise(done => {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const request = send({
      ...{ host: '127.0.0.1', port, path, agent: false, method: sent === undefined ? 'GET' : 'POST' },
      headers: { ...(sent !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    });
    const leave = (what: string) => {
      clearTimeout(timer);
      request.destroy();
      done(what);
    };
    const timer =
      leaves === undefined ? setTimeout(leave, limitMs, 'no answer in time') : setTimeout(leave, leaves, 'left');
    request.on('error', error => leave(error.message));
    request.on('response', (response: IncomingMessage) => {
      if (deaf) return response.pause();
      let text = '';
      response.setEncoding('utf8').on('data', piece => {
        text += piece;
      });
      response.on('error', error => leave(error.message));
      return response.on('end', () => {
        clearTimeout(timer);
        done({ status: response.statusCode!, text });
      });
    });
    request.end(sent);
  });
}

/** Waits until nothing is computed any more, and asks once more. */
async function rest(port: number, tally: Tally): Promise<void> {
  const until = performance.now() + limitMs;
  const idle = /meditron_(?:model_requests|queue_length|sequences_live)\{[^}]*\} [1-9]/;
  for (;;) {
    const answer = await answerTo(port, { path: '/metrics', status: 200 }, undefined);
    const text = typeof answer === 'string' ? answer : answer.text;
    if (text.includes('meditron_sequences_live') && !idle.test(text)) break;
    if (performance.now() > until) return tally.fault('broken', 0, `it does not come to rest: ${idle.exec(text)?.[0]}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const last = await answerTo(port, kinds[0]!, undefined);
  if (typeof last === 'string' || last.status !== 200)
    tally.fault('broken', 0, `the last question was not answered: ${JSON.stringify(last)}`);
}

/** Of the server and its engines. Linux only; elsewhere nothing is known. */
function megabytesOf({ pid }: ChildProcess): number {
  if (!hasProc) return 0;
  return rounded([pid!, ...childrenOf(pid!)].reduce((sum, each) => sum + residentOf(each), 0) / 1024);
}

function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // it ended meanwhile
  }
}

/** Megabytes by 1,000 requests after the first third: from the most at the beginning of the rest to the least at its end. */
function growth(looks: readonly { readonly after: number; readonly megabytes: number }[], count: number): number {
  const warm = looks.filter(({ after }) => after > count / 3);
  const third = Math.ceil(warm.length / 3);
  const [before, after] = [warm.slice(0, third), warm.slice(-third)].map(some =>
    some.map(({ megabytes }) => megabytes),
  );
  if (before === undefined || after === undefined || before.length === 0) return 0;
  return rounded((Math.min(...after) - Math.max(...before)) / ((count * 4) / 9 / 1000));
}
