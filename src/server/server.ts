import { randomBytes } from 'node:crypto';
import { MeditronError } from '../check/errors.js';
import { checkKeys, object } from '../check/options.js';
import { shippedModel } from '../check/project.js';
import { checkOptions } from '../check/table.js';
import type { EngineOptions } from '../engine/model.js';
import type { LoadOptions } from '../host/load.js';
import { makeApp } from './app.js';
import { listen } from './listen.js';
import { Openings } from './open.js';
import { appOptions, type GivenServerOptions, modelPaths, serverOptions } from './options.js';
import { ModelPool } from './pool/models.js';
import type { Pool } from './pool/pool.js';
import { routeSets } from './routes.js';
import { isLoopback, ownHost } from './safety/host.js';

/** What a server answers for, and whom. Everything has a default. */
export interface AppOptions
  extends Pick<GivenServerOptions, 'key' | 'hostNames' | 'maxBody' | 'exact' | 'maxQueue' | 'parallel' | 'maxModels'> {
  /** Model files; the first answers where a request names none. Default: the model that ships. */
  readonly models?: readonly string[] | undefined;
  /** How their weights come into memory. */
  readonly load?: Pick<LoadOptions, 'gpuLayers' | 'loadMode' | 'lowMemory' | 'lock'> | undefined;
  /** What their engines are like. `contextSize` is shared by all requests on a model; by default it follows from `parallel` and the memory. */
  readonly engine?: Omit<EngineOptions, 'maxSequences'> | undefined;
  /** Each model in a process of its own, so that what ends it does not end the server. Default true; in Electron give `{ execPath }`. */
  readonly isolate?: LoadOptions['isolate'];
}

/** What a server answers for, and where. */
export interface ServerOptions
  extends AppOptions,
    Pick<GivenServerOptions, 'host' | 'port' | 'maxConnections' | 'patience'> {}

/** The routes without a socket. */
export interface ServerApp extends AsyncDisposable {
  /** Answers one request, as `protocol.handle` of Electron and tests have it. Never rejects. */
  fetch(request: Request): Promise<Response>;
  /** What the page needs beside its address, as `#key=…` behind it: to read files by path and to keep something. Made anew for each. */
  readonly pageKey: string;
  /** Ends all requests and unloads the models. Idempotent. */
  close(): Promise<void>;
}

/** A server that answers on a port. */
export interface Server extends AsyncDisposable {
  /** The one chosen where 0 was asked for. */
  readonly port: number;
  /** As `http://127.0.0.1:8080`: what clients call the base address, followed by `/v1`. */
  readonly url: string;
  /** The page with its key: not for other people. */
  readonly pageUrl: string;
  /** An address that leads to the page once, within two minutes: for a program that opens a browser, which others can watch. */
  openUrl(): string;
  /** Ends all requests, closes the port and unloads the models. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes the routes of the server, for whoever has requests from elsewhere than a port. Models are loaded when they are first asked for.
 *
 * @throws MeditronError `ERR_OPTION`; `ERR_MODEL_FILE` and its kin if a file is no model
 */
export async function serverApp(options: AppOptions = {}): Promise<ServerApp> {
  return assemble(options, undefined);
}

/**
 * Starts a server that speaks OpenAI's language and Meditron's own, with the page at `/`. It answers only this machine unless `host` and `key`
 * say otherwise, and never what a browser sends for another site. Close it.
 *
 * @throws MeditronError `ERR_OPTION`, also if the port is taken; `ERR_MODEL_FILE` and its kin if a file is no model
 */
export async function createServer(options: ServerOptions = {}): Promise<Server> {
  const { models, load, engine, isolate, ...rest } = object('options', options) as ServerOptions;
  const given = checkOptions('createServer()', serverOptions, rest);
  if (!isLoopback(given.host) && given.key === undefined) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected \`key\` with \`host\` ${given.host}, got none: other machines reach this address, and whoever does could use the models`,
    );
  }
  const { host, port, maxConnections, patience, ...app } = given;
  const guard = ownHost(host, given.hostNames);
  const made = await assemble({ ...app, models, load, engine, isolate }, guard);
  try {
    const listening = await listen(request => made.fetch(request), { host, port, maxConnections, patience });
    const { url } = listening;
    const close = async () => {
      const closing = listening.close();
      await made.close();
      await closing;
    };
    return {
      port: listening.port,
      url,
      pageUrl: `${url}/#key=${made.pageKey}`,
      openUrl: () => url + made.openings.path(),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await made.close();
    throw error;
  }
}

async function assemble(
  options: AppOptions,
  guard: ReturnType<typeof ownHost> | undefined,
): Promise<ServerApp & { readonly openings: Openings }> {
  const { models, load, engine, isolate, ...rest } = object('options', options) as AppOptions;
  checkKeys('serverApp()', options, [...Object.keys(appOptions), 'models', 'load', 'engine', 'isolate']);
  const { key, maxBody, ...given } = checkOptions('serverApp()', appOptions, rest);
  const paths = models === undefined ? [shippedModel()] : modelPaths.check('models', models);
  const settings = given.exact ? exactly(engine) : engine;
  const pool: Pool = await ModelPool.of(paths, { ...given, weights: load, engine: settings, isolate });
  const pageKey = randomBytes(32).toString('base64url');
  const openings = new Openings(pageKey);
  const closers: (() => Promise<void>)[] = [];
  const app = makeApp({
    pool,
    pageKey,
    guard,
    access: { key, maxBody },
    routes: routeSets,
    openings,
    onClose: close => closers.push(close),
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeAll(closers, pool);
    return closed;
  };
  return { fetch: async request => app.fetch(request), pageKey, openings, close, [Symbol.asyncDispose]: close };
}

/** @throws MeditronError `ERR_OPTION` for settings that are not exact */
function exactly(engine: AppOptions['engine'] = {}): AppOptions['engine'] {
  const exact = { kvType: 'f32', flashAttention: 'off' } as const;
  for (const name of ['kvType', 'flashAttention'] as const)
    if (![undefined, exact[name]].includes(engine[name] as never))
      throw new MeditronError(
        'ERR_OPTION',
        `Expected \`${name}\` to be ${exact[name]} or left out with \`exact\`, got ${engine[name]}`,
      );
  return { ...engine, ...exact };
}

/** What runs is told first, so that its last words are of the server that closes and not of an engine that is gone. */
async function closeAll(closers: readonly (() => Promise<void>)[], pool: Pool): Promise<void> {
  const closing = Promise.allSettled(closers.map(close => close()));
  await pool[Symbol.asyncDispose]();
  await closing;
}
