import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type DownloadOptions, download } from '../../src/cli/models/fetch.js';
import { scratch } from '../gguf/sample.js';

const dir = scratch();
const bytes = Buffer.concat([
  Buffer.from('GGUF'),
  Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251)),
]);
const sha256Of = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const sha256 = sha256Of(bytes);

/** A hub on this machine: answers ranges, redirects to where its files lie, and breaks off after so many bytes of each answer. */
class Hub {
  readonly asked: { readonly range: string | undefined; readonly status: number }[] = [];
  data = bytes;
  etag = '"one"';
  /** Bytes of each answer after which the connection is cut; then answers are whole. */
  cuts: number[] = [];
  statuses: number[] = [];
  /** After so many bytes of the first answer nothing comes any more. */
  silentAfter: number | undefined;
  linked: string | undefined = sha256;
  #server = createServer((request, response) => this.#answer(request, response));

  async open(): Promise<this> {
    await new Promise<void>(done => this.#server.listen(0, '127.0.0.1', done));
    return this;
  }

  url(path = '/maker/model/resolve/main/model.gguf'): URL {
    return new URL(path, `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url!.includes('/resolve/')) {
      const headers = {
        location: '/files/1',
        'x-repo-commit': 'c0ffee',
        ...(this.linked && { 'x-linked-etag': `"${this.linked}"` }),
      };
      response.writeHead(302, headers).end();
      return;
    }
    const { range, 'if-range': ifRange } = request.headers;
    const status = this.statuses.shift();
    if (status !== undefined) {
      this.asked.push({ range, status });
      response.writeHead(status).end();
      return;
    }
    const start = range !== undefined && ifRange === this.etag ? Number(/\d+/.exec(range)![0]) : 0;
    const body = this.data.subarray(start);
    const isPart = start > 0;
    const headers = { etag: this.etag, 'content-length': body.length };
    this.asked.push({ range, status: isPart ? 206 : 200 });
    response.writeHead(isPart ? 206 : 200, {
      ...headers,
      ...(isPart && { 'content-range': `bytes ${start}-${this.data.length - 1}/${this.data.length}` }),
    });
    const cut = this.cuts.shift();
    const silent = this.silentAfter;
    this.silentAfter = undefined;
    if (silent !== undefined) response.write(body.subarray(0, silent));
    else if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
  }
}

const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});
async function hubWith(settings: Partial<Hub> = {}): Promise<Hub> {
  const hub = await new Hub().open();
  hubs.push(hub);
  return Object.assign(hub, settings);
}

let made = 0;
const fetched = (hub: Hub, options: Partial<DownloadOptions> = {}) =>
  download({ url: options.url ?? hub.url(), to: dir.path(`${made++}.gguf`), retryMs: 1, ...options });

describe('a download', () => {
  test('is whole whatever is cut, and asks for no byte twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 5 }), async cuts => {
        const hub = await hubWith({ cuts: [...cuts] });
        const told: string[] = [];
        const { path, ...done } = await fetched(hub, { onRetry: message => told.push(message) });
        expect(done).toEqual({ sizeBytes: bytes.length, sha256, comparedWith: 'server', revision: 'c0ffee' });
        expect(readFileSync(path).equals(bytes)).toBe(true);
        expect([existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false]);
        const starts = hub.asked.map(({ range }) => Number(/\d+/.exec(range ?? '0')![0]));
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
        expect(told).toHaveLength(hub.asked.length - 1);
      }),
      { numRuns: 15 },
    );
  });

  test('goes on where an earlier command was stopped', async () => {
    const hub = await hubWith({ silentAfter: 100_000 });
    const to = dir.path('stopped.gguf');
    const stop = new AbortController();
    const stopped = fetched(hub, { to, signal: stop.signal, onProgress: () => stop.abort(new Error('Ctrl-C')) });
    await expect(stopped).rejects.toThrow('Ctrl-C');
    expect(existsSync(to)).toBe(false);
    const kept = readFileSync(`${to}.part`).length;
    expect(kept).toBeGreaterThan(0);
    await fetched(hub, { to });
    expect(hub.asked.at(-1)).toEqual({ range: `bytes=${kept}-`, status: 206 });
    expect(readFileSync(to).equals(bytes)).toBe(true);
  });

  test('begins anew where the file on the server is another, or what was kept is not ours', async () => {
    const other = Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(50_000, 7)]);
    const hub = await hubWith({ cuts: [100_000] });
    const to = dir.path('another.gguf');
    const change = () => Object.assign(hub, { data: other, etag: '"two"', linked: sha256Of(other) });
    await fetched(hub, { to, onRetry: change });
    expect(readFileSync(to).equals(other)).toBe(true);
    const stray = dir.path('stray.gguf');
    writeFileSync(`${stray}.part`, 'something else');
    await fetched(hub, { to: stray });
    expect(readFileSync(stray).equals(other)).toBe(true);
  });

  test('that is another file than was wanted is taken away', async () => {
    const hub = await hubWith();
    const to = dir.path('wrong.gguf');
    const wrong = fetched(hub, { to, sha256: 'a'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_INPUT', message: expect.stringContaining(sha256) });
    hub.linked = 'b'.repeat(64);
    await expect(fetched(hub, { to })).rejects.toMatchObject({ code: 'ERR_INPUT' });
    expect([to, `${to}.part`, `${to}.part.json`].some(existsSync)).toBe(false);
    hub.linked = undefined;
    expect(await fetched(hub, { to })).toMatchObject({ comparedWith: null, sha256 });
    expect(await fetched(hub, { sha256 })).toMatchObject({ comparedWith: 'published' });
  });

  test('is tried again where the server is busy, and given up where nothing comes', async () => {
    const busy = await hubWith({ statuses: [503, 429] });
    expect(await fetched(busy)).toMatchObject({ sha256 });
    const dead = await hubWith({ cuts: Array(20).fill(0) });
    await expect(fetched(dead)).rejects.toMatchObject({
      code: 'ERR_ENDPOINT',
      message: expect.stringContaining('cut off'),
    });
    const gone = await hubWith();
    const url = gone.url();
    gone.close();
    await expect(fetched(gone, { url })).rejects.toMatchObject({ code: 'ERR_ENDPOINT' });
  });

  test.each([
    [401, 'ERR_ENDPOINT', /sign in/],
    [403, 'ERR_ENDPOINT', /accept the model’s terms/],
    [404, 'ERR_ENDPOINT', /is not there/],
    [418, 'ERR_ENDPOINT', /status 418/],
  ])('that is refused with status %d says what to do', async (status, code, message) => {
    const hub = await hubWith({ statuses: [status] });
    await expect(fetched(hub)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(hub.asked).toHaveLength(1);
  });

  test('takes no page for a model, no file for its own, and no address that anybody may change', async () => {
    const page = await hubWith({ data: Buffer.from('<html>Sign in to the hospital’s network') });
    await expect(fetched(page)).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining('sign-in'),
    });
    const to = dir.path('mine.gguf');
    writeFileSync(to, 'mine');
    await expect(fetched(page, { to })).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(readFileSync(to, 'utf8')).toBe('mine');
    await expect(fetched(page, { url: new URL('http://192.0.2.1/model.gguf') })).rejects.toMatchObject({
      code: 'ERR_OPTION',
    });
    await expect(fetched(page, { to: join(dir.path('no'), 'where', 'x.gguf') })).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
  });
});
