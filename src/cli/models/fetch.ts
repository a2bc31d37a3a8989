import { type FileHandle, open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EnvHttpProxyAgent, request } from 'undici';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { replace } from '../../check/outputs.js';
import { inBytes } from '../../check/words.js';
import { hashFile } from '../../models/hash.js';

// The one file that fetches anything, loaded by `models get --download` alone. undici is what Node's own `fetch` is made of: it can be told
// of a proxy by the usual variables, shows redirects (in whose headers a hub says size and hash), and tells a cut connection from an end.

export interface DownloadOptions {
  readonly url: URL;
  /** Where the file is to lie; beside it lies `….part` until it is whole. */
  readonly to: string;
  /** What it has to be; otherwise what the server says of it. */
  readonly sha256?: string | undefined;
  /** The first pause before it goes on after a cut, milliseconds; doubled each time. */
  readonly retryMs?: number | undefined;
  readonly onProgress?: ((what: 'fetching' | 'hashing', done: number, total: number) => void) | undefined;
  /** Called with a sentence whenever it goes on after a cut. */
  readonly onRetry?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What the hash was compared with; null if neither we nor the server knew one. */
  readonly comparedWith: 'published' | 'server' | null;
  /** The server's revision of the repository, where it names one. */
  readonly revision: string | null;
}

/** Cuts one after the other without a byte in between. */
const mostCuts = 6;
const mostRedirects = 5;
const longestPause = 30_000;
/** Milliseconds without a byte. */
const silence = 60_000;

/** What is kept beside an unfinished file: what it is the beginning of. */
const begun = v.strictObject({
  url: v.string(),
  /** The server's validator of the file, for `If-Range`. */
  etag: v.string(),
  size: v.nullable(v.number()),
  sha256: v.nullable(v.string()),
  revision: v.nullable(v.string()),
});
type Begun = v.InferOutput<typeof begun>;

/**
 * Fetches a model file: resumes what an earlier call began, goes on after cuts, and compares size and SHA-256 before the file gets its name.
 *
 * @throws MeditronError `ERR_OUTPUT` if it is there already, there is no room or it cannot be written; `ERR_ENDPOINT` if the server refuses or
 *   cannot be reached; `ERR_INPUT` if what came is another file; the signal's reason
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { to } = options;
  if (await stat(to).catch(() => undefined)) {
    throw new MeditronError(
      'ERR_OUTPUT',
      `${to} is there already; \`meditron models add\` checks it, or name another folder with --to`,
    );
  }
  const dispatcher = new EnvHttpProxyAgent({
    headersTimeout: silence,
    bodyTimeout: silence,
    connectTimeout: silence / 2,
  });
  try {
    const transfer = await Transfer.open(options, dispatcher);
    try {
      await transfer.run();
    } finally {
      await transfer.close();
    }
    return await finish(options, transfer);
  } finally {
    await dispatcher.destroy();
  }
}

/** One file, over as many connections as it takes. */
class Transfer {
  #have: number;
  #known: Begun | undefined;

  private constructor(
    private readonly options: DownloadOptions,
    private readonly dispatcher: EnvHttpProxyAgent,
    private readonly file: FileHandle,
    known: Begun | undefined,
    have: number,
  ) {
    this.#known = known;
    this.#have = have;
  }

  static async open(options: DownloadOptions, dispatcher: EnvHttpProxyAgent): Promise<Transfer> {
    const part = partOf(options.to);
    const known = await readBegun(options);
    try {
      const file = await open(part, known ? 'r+' : 'w', 0o600);
      return new Transfer(options, dispatcher, file, known, known ? (await file.stat()).size : 0);
    } catch (cause) {
      throw new MeditronError('ERR_OUTPUT', `${part} cannot be written: ${(cause as Error).message}`, { cause });
    }
  }

  get sizeBytes(): number {
    return this.#have;
  }

  /** What the server says of the file. */
  get said(): Pick<Begun, 'sha256' | 'revision'> {
    return this.#known ?? { sha256: null, revision: null };
  }

  async run(): Promise<void> {
    const { signal, retryMs = 1000, onRetry, url } = this.options;
    for (let cuts = 0; ; ) {
      const before = this.#have;
      signal?.throwIfAborted();
      let why: string;
      try {
        await this.#once();
        if (this.#known!.size === null || this.#have === this.#known!.size) return await this.file.sync();
        why = 'the connection ended early';
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof MeditronError) throw error;
        why = (error as Error).message || String((error as { code?: string }).code);
      }
      cuts = this.#have > before ? 1 : cuts + 1;
      if (cuts > mostCuts) {
        throw new MeditronError(
          'ERR_ENDPOINT',
          `${url.origin} was cut off ${mostCuts} times without sending more: ${why}. ${inBytes(this.#have)} are kept in ${partOf(this.options.to)}; the same command goes on from there`,
        );
      }
      onRetry?.(`${url.origin}: ${why}; going on from ${inBytes(this.#have)}`);
      const wait = Math.min(retryMs * 2 ** (cuts - 1), longestPause);
      await pause(wait, undefined, { ...(signal && { signal }) }).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  async #once(): Promise<void> {
    const resumed = this.#known !== undefined && this.#have > 0;
    const { response, said } = await this.#ask(
      resumed ? { range: `bytes=${this.#have}-`, 'if-range': this.#known!.etag } : {},
    );
    const { statusCode, headers, body } = response;
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers['content-range'] ?? ''));
    // At the end already, or beyond: what is there is looked at, or begun anew.
    if (statusCode === 416 && this.#known?.size === this.#have)
      return body.destroy().on('error', () => {}) && undefined;
    const goesOn = statusCode === 206 && resumed && Number(range?.[1]) === this.#have;
    if (!goesOn) {
      if (statusCode !== 200 && statusCode !== 206 && statusCode !== 416) {
        await refuse(this.options.url, statusCode, body);
      }
      await this.file.truncate(0);
      this.#have = 0;
      if (statusCode !== 200) {
        this.#known = undefined;
        body.destroy().on('error', () => {});
        throw new Error('the file on the server is another now');
      }
      const length = Number(headers['content-length'] ?? Number.NaN);
      const size = said.size ?? (Number.isSafeInteger(length) ? length : null);
      const etag = String(headers.etag ?? headers['last-modified'] ?? '');
      this.#known = { url: this.options.url.href, etag: etag.startsWith('W/') ? '' : etag, size, ...said.of };
      await this.#checkRoom();
      await writeFile(begunOf(this.options.to), JSON.stringify(this.#known), { mode: 0o600 });
    }
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (this.#have === 0) checkMagic(this.options.url, chunk, String(headers['content-type'] ?? ''));
      await this.#write(chunk);
      this.options.onProgress?.('fetching', this.#have, this.#known!.size ?? this.#have);
    }
  }

  async #write(chunk: Buffer): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        done += (await this.file.write(chunk, done, chunk.length - done, this.#have + done)).bytesWritten;
      }
    } catch (cause) {
      throw new MeditronError(
        'ERR_OUTPUT',
        `${partOf(this.options.to)} cannot be written: ${(cause as Error).message}`,
        { cause },
      );
    }
    this.#have += chunk.length;
  }

  async #checkRoom(): Promise<void> {
    const size = this.#known!.size;
    const room = await statfs(dirname(this.options.to)).catch(() => undefined);
    if (size === null || !room || room.bavail * room.bsize >= size) return;
    await rm(partOf(this.options.to), { force: true });
    throw new MeditronError(
      'ERR_OUTPUT',
      `The file has ${inBytes(size)}, and ${dirname(this.options.to)} has ${inBytes(room.bavail * room.bsize)} free; name another folder with --to`,
    );
  }

  /** Follows redirects, and collects what a hub says of the file on the way. */
  async #ask(headers: Readonly<Record<string, string>>) {
    let { url } = this.options;
    const of = { sha256: null as string | null, revision: null as string | null };
    let size: number | null = null;
    for (let i = 0; i <= mostRedirects; i++) {
      checkSafe(url);
      const { signal } = this.options;
      const response = await request(url, {
        ...{ dispatcher: this.dispatcher, method: 'GET', headers: { 'accept-encoding': 'identity', ...headers } },
        ...(signal && { signal }),
      });
      const linked = /^"?([0-9a-f]{64})"?$/.exec(String(response.headers['x-linked-etag'] ?? ''))?.[1];
      of.sha256 ??= linked ?? null;
      of.revision ??= typeof response.headers['x-repo-commit'] === 'string' ? response.headers['x-repo-commit'] : null;
      const told = Number(response.headers['x-linked-size'] ?? Number.NaN);
      size ??= Number.isSafeInteger(told) ? told : null;
      const target = response.headers.location;
      if (response.statusCode < 300 || response.statusCode >= 400 || typeof target !== 'string') {
        return { response, said: { of, size } };
      }
      response.body.destroy().on('error', () => {});
      url = new URL(target, url);
    }
    throw new MeditronError('ERR_ENDPOINT', `${this.options.url.origin} redirects more than ${mostRedirects} times`);
  }
}

/** Nobody between here and the server is to change what comes; on this machine there is nobody. */
function checkSafe(url: URL): void {
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected an https address, got ${url.protocol}//${url.host}: over others anybody may change the file`,
  );
}

async function refuse(url: URL, status: number, body: NodeJS.ReadableStream): Promise<never> {
  (body as unknown as { destroy(): NodeJS.ReadableStream }).destroy().on('error', () => {});
  const gated = `${url.origin} wants you to sign in (status ${status}): accept the model’s terms on its page, fetch the file with your browser or its own tool, then \`meditron models add FILE\``;
  if (status === 401 || status === 403) throw new MeditronError('ERR_ENDPOINT', gated);
  if (status === 404) {
    throw new MeditronError(
      'ERR_ENDPOINT',
      `${url.href} is not there (status 404): see the repository’s page for the names of its files, and give one with --url`,
    );
  }
  if ([408, 429, 500, 502, 503, 504].includes(status)) throw new Error(`status ${status}`);
  throw new MeditronError('ERR_ENDPOINT', `${url.origin} answers with status ${status}`);
}

function checkMagic(url: URL, chunk: Buffer, type: string): void {
  if (chunk.subarray(0, 4).toString('latin1') === 'GGUF'.slice(0, chunk.length)) return;
  throw new MeditronError(
    'ERR_INPUT',
    `Expected a GGUF file from ${url.origin}, got something else${type === '' ? '' : ` (${type.split(';')[0]})`}: a page that wants a sign-in, or one of your network’s`,
  );
}

async function finish(
  { to, sha256, onProgress, signal }: DownloadOptions,
  { sizeBytes, said }: Transfer,
): Promise<Downloaded> {
  const part = partOf(to);
  const found = await hashFile(part, {
    onProgress: (read, total) => onProgress?.('hashing', read, total),
    ...(signal && { signal }),
  });
  const wanted = sha256 ?? said.sha256;
  if (wanted !== null && found !== wanted) {
    await Promise.all([rm(part, { force: true }), rm(begunOf(to), { force: true })]);
    throw new MeditronError(
      'ERR_INPUT',
      `Expected a file with the SHA-256 ${wanted}, got one with ${found}. It was taken away: fetch it again`,
    );
  }
  await replace(part, to);
  await rm(begunOf(to), { force: true });
  const comparedWith = sha256 !== undefined ? 'published' : said.sha256 === null ? null : 'server';
  return { path: to, sizeBytes, sha256: found, comparedWith, revision: said.revision };
}

async function readBegun({ to, url }: DownloadOptions): Promise<Begun | undefined> {
  try {
    const read = v.parse(begun, JSON.parse(await readFile(begunOf(to), 'utf8')));
    return read.url === url.href && read.etag !== '' && (await stat(partOf(to))).isFile() ? read : undefined;
  } catch {
    return undefined; // nothing, or not ours: from the beginning
  }
}

function partOf(to: string): string {
  return `${to}.part`;
}

function begunOf(to: string): string {
  return `${to}.part.json`;
}
