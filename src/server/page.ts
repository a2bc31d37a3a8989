import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Hono } from 'hono';
import { packageFolder } from '../check/project.js';

/** What a page may load: its own files, and pictures that it has made itself. No script in the page's text, no frame around it. */
export const pagePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

/** The page's files, read once: a request names one of them, and reaches nothing else. */
export function pageRoutes(folder = join(packageFolder(), 'dist', 'page')): Hono {
  const routes = new Hono();
  for (const [path, file] of pageFiles(folder)) {
    routes.get(path, c => {
      const headers = { ETag: file.etag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': pagePolicy };
      if (c.req.header('If-None-Match') === file.etag) return c.body(null, 304, headers);
      return c.body(file.bytes, 200, { ...headers, 'Content-Type': file.type });
    });
  }
  return routes;
}

function pageFiles(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  if (existsSync(join(folder, 'index.html'))) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = types[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/');
      files.set(path, fileOf(readFileSync(join(folder, path)), type));
    }
    files.set('/', files.get('/index.html')!);
  } else files.set('/', fileOf(Buffer.from(noPage), types['.html']!));
  return files;
}

function fileOf(bytes: Uint8Array, type: string): PageFile {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
  return { bytes: new Uint8Array(bytes), type, etag };
}

const noPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Meditron</title>
<h1>Meditron answers here</h1>
<p>The page has not been built in this copy. Programs can use the server: <a href="/openapi.json">what it understands</a>,
<a href="/v1/models">its models</a>.</p>
</html>
`;
