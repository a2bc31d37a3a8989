import type { MiddlewareHandler } from 'hono';
import { inBytes } from '../../check/words.js';
import { RequestError } from '../error.js';

/** How deep arrays and objects may lie in each other. What reads them further on calls itself. */
const maxDepth = 64;

/** Reads a request's body, up to a size and a depth, and sees that it is JSON: handlers get it from `c.req.json()`. */
export function jsonBody(maxBytes: number): MiddlewareHandler {
  const tooLarge = () => new RequestError(413, `Expected a body of at most ${maxBytes} bytes (${inBytes(maxBytes)})`);
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || c.req.method === 'OPTIONS') return next();
    if (!/^(identity)?$/i.test(c.req.header('Content-Encoding') ?? ''))
      throw new RequestError(415, 'Expected a body as it is, without `Content-Encoding`');
    if (Number(c.req.header('Content-Length') ?? 0) > maxBytes) throw tooLarge();
    const bytes = await readAll(c.req.raw.body, maxBytes, tooLarge);
    const text = decoded(bytes);
    if (text.trim() !== '' || c.req.method === 'POST') checkJson(text);
    c.req.bodyCache.text = Promise.resolve(text) as never;
    await next();
  };
}

async function readAll(body: ReadableStream<Uint8Array> | null, most: number, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  while (reader) {
    const { done, value } = await reader.read().catch(() => {
      throw new RequestError(400, 'The request ended before its body did');
    });
    if (done) break;
    size += value.byteLength;
    if (size > most) {
      void drop(reader);
      throw tooLarge();
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}

/** Reads on for nothing: a client may send all of a request before it reads why it was refused. */
async function drop(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {} // it has left
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError(400, 'Expected the body to be UTF-8');
  }
}

/** What is wrong is told by its place alone: the text may be a patient's. */
function checkJson(text: string): void {
  if (depthOf(text) > maxDepth) {
    throw new RequestError(400, `Expected arrays and objects to lie at most ${maxDepth} deep in each other`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    const place = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new RequestError(
      400,
      `Expected the body to be JSON${place ? `; it is none from character ${place} on` : ''}`,
    );
  }
}

/** How deep brackets lie in each other outside of strings; of what is no JSON, some number. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}
