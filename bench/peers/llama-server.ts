import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpuVariantOf } from '../machine.js';
import { answer, readJob } from './job.js';

const job = readJob();
const port = await freePort();
const context = Math.ceil((job.prompt.length + job.samples * (job.tokens + 8)) / 256) * 256;
const started = performance.now();
const server = spawn(
  job.server!,
  `-m ${job.model} -c ${context} -np ${job.samples} --kv-unified -b 512 -ub 512 -t ${job.threads} -tb ${job.threads} -fa auto -ngl ${job.gpu ? 99 : 0} --fit off --cache-ram 0 --no-slots --no-ui --offline --host 127.0.0.1 --port ${port}`.split(
    ' ',
  ),
  { stdio: ['ignore', 'ignore', 'ignore'] },
);
try {
  for (;;) {
    const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (health?.ok) break;
    if (server.exitCode !== null) throw new Error(`llama-server ended with ${server.exitCode}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const loadMs = performance.now() - started;
  await run(2);
  answer({ loadMs, ...(await run(job.tokens)), peakRss: peak(server.pid!), cpuVariant: cpuVariantOf(server.pid!) });
} finally {
  server.kill();
}

async function run(tokens: number) {
  const start = performance.now();
  let firstTokenMs = 0;
  const response = await fetch(`http://127.0.0.1:${port}/completion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      prompt: job.prompt,
      n_predict: tokens,
      n_cmpl: job.samples,
      temperature: 0.8,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      seed: job.seed,
      samplers: ['temperature'],
      ignore_eos: true,
      cache_prompt: false,
      return_tokens: true,
      stream: true,
    }),
  });
  if (!response.ok) throw new Error(await response.text());
  const texts = new Map<number, string>();
  let sampledTokens = 0;
  let rest = '';
  for await (const chunk of response.body!) {
    firstTokenMs ||= performance.now() - start;
    rest += Buffer.from(chunk).toString('utf8');
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const event = JSON.parse(line.slice(6)) as { index?: number; tokens?: number[]; stop?: boolean };
      if (event.stop) continue;
      sampledTokens += event.tokens?.length ?? 0;
      texts.set(event.index ?? 0, `${texts.get(event.index ?? 0) ?? ''},${event.tokens?.join()}`);
    }
  }
  return {
    wallMs: performance.now() - start,
    firstTokenMs,
    promptTokens: job.prompt.length,
    sampledTokens,
    distinct: new Set(texts.values()).size,
  };
}

function peak(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as { port: number };
      probe.close(() => resolve(free));
    });
  });
}
