import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { afterAll } from 'vitest';
import { platforms } from '../../scripts/platforms.js';
import { version } from './tarballs.js';

interface Published {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly bytes: Buffer;
  readonly file: string;
}

/**
 * A registry with these tarballs; what it does not have is where npm's own configuration says. With it every command is the one that
 * users will type.
 *
 * @returns its URL
 */
export async function registry(tarballs: readonly string[]): Promise<string> {
  const published = tarballs.map(read);
  const upstream = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname).slice(1);
    const file = published.find(one => path.endsWith(`/-/${one.file}`));
    const ours = published.filter(({ manifest }) => manifest.name === path);
    if (file) return void response.end(file.bytes);
    if (ours.length > 0) {
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify(packument(ours, `http://${request.headers.host}`)));
    }
    const other = platforms.find(({ name }) => path === `@meditron/${name}`);
    if (other) {
      // Packed elsewhere; nobody here asks for more than its description.
      const { os, cpu, libc } = other;
      const manifest = { name: path, version, os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) };
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify(packument([{ manifest, bytes: Buffer.alloc(0), file: 'none.tgz' }], '')));
    }
    if (path === 'meditron' || path.startsWith('@meditron/')) return void response.writeHead(404).end('{}');
    response.writeHead(302, { location: new URL(request.url!.slice(1), upstream).href }).end();
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  afterAll(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function read(tarball: string): Published {
  const { stdout } = spawnSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' });
  return { manifest: JSON.parse(stdout), bytes: readFileSync(tarball), file: basename(tarball) };
}

function packument(versions: readonly Published[], url: string): object {
  const { name, version } = versions.at(-1)!.manifest;
  const entries = versions.map(({ manifest, bytes, file }) => {
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    const shasum = createHash('sha1').update(bytes).digest('hex');
    return [manifest.version, { ...manifest, dist: { tarball: `${url}/${name}/-/${file}`, integrity, shasum } }];
  });
  const time = Object.fromEntries(versions.map(({ manifest }) => [manifest.version, '2026-01-01T00:00:00.000Z']));
  return { name, 'dist-tags': { latest: version }, versions: Object.fromEntries(entries), time };
}
