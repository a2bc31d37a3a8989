import { optionError } from '../check/errors.js';
import { asNumber, decimal, type Kind, listOf, text, whole, yesNo } from '../check/kinds.js';
import { string } from '../check/options.js';
import type { Checked, Given, Table } from '../check/table.js';

const key: Kind<string> = {
  check(name, value) {
    const given = string(name, value);
    if (/^[\x21-\x7e]{8,256}$/.test(given)) return given;
    throw optionError(name, '8 to 256 visible ASCII characters without blanks', given);
  },
  read: typed => typed,
};

const address: Kind<string> = {
  check(name, value) {
    const given = string(name, value);
    if (/^[A-Za-z0-9.:_-]{1,255}$/.test(given)) return given;
    throw optionError(name, 'an address of this machine or a host name, as 127.0.0.1', given);
  },
  read: typed => typed,
};

/** Requests: who may send them, how large, how many, how slowly. */
export const accessOptions = {
  /** Asked of every request as `Authorization: Bearer KEY`, the page's files and `/health` excepted. Default: none on this machine alone. */
  key: {
    kind: key,
    flag: '--key <key>',
    help: 'ask every request for this key, as `Authorization: Bearer KEY` (default: none while only this machine is answered)',
    stored: false,
  },
  /** Names beside its addresses by which this machine may be called. A request for another is refused: it would be another site's. */
  hostNames: {
    kind: { check: listOf(address, 0, 64).check, read: (typed: string) => [typed] },
    default: [],
    flag: '--host-name <name>',
    help: 'a name by which other machines call this one; may be repeated',
    stored: false,
  },
  /** Bytes of a request's body at most. Default 4 MB. */
  maxBody: {
    kind: whole(1024, 1 << 30),
    default: 4 << 20,
    flag: '--max-body <bytes>',
    help: 'most bytes of a request (default: 4 MB)',
    stored: false,
  },
} as const satisfies Table;

/** Models: how many at once, for how many requests, how exactly. */
const poolOptions = {
  /**
   * Computes in full precision: the cache in f32, without flash attention, which adds up in half precision on a CPU. Log-probabilities of an echoed prompt are those of
   * `Engine.score` either way, of an engine with the same settings. Default false.
   */
  exact: {
    kind: yesNo,
    default: false,
    flag: '--exact',
    help: 'compute in full precision, as --kv-type f32 --flash-attention off',
    stored: false,
  },
  /** Requests of one model that wait beside those that run. One more is answered with 429. Default 64. */
  maxQueue: {
    kind: whole(0, 100_000),
    default: 64,
    flag: '--max-queue <n>',
    help: 'requests that may wait for a model; more are told to come again later (default: 64)',
    stored: false,
  },
  /** Sequences computed at once on a model, of all requests together. A question of five chains with four options takes up to ten. Default 32. */
  parallel: {
    kind: whole(1, 256),
    default: 32,
    flag: '--parallel <n>',
    help: 'samples computed at once on a model, of all requests together (default: 32)',
    stored: false,
  },
  /** Models in memory at once. The least recently used leaves. Default: as many as fit. */
  maxModels: {
    kind: whole(1, 64),
    flag: '--max-models <n>',
    help: 'models in memory at once; the least recently used leaves (default: as many as fit)',
    stored: false,
  },
} as const satisfies Table;

/** Sockets. */
const listenOptions = {
  /** Address to answer on. Another than a loopback address takes a key. Default 127.0.0.1. */
  host: {
    kind: address,
    default: '127.0.0.1',
    flag: '--host <address>',
    help: 'address to answer on; any but this machine’s own takes --key (default: 127.0.0.1)',
    stored: false,
  },
  /** 0 takes a free one. Default 8080. */
  port: {
    kind: whole(0, 65_535),
    default: 8080,
    flag: '--port <n>',
    help: 'port to answer on; 0 takes a free one (default: 8080)',
    stored: false,
  },
  /** Connections at once. Default 512. */
  maxConnections: {
    kind: whole(1, 65_535),
    default: 512,
    flag: '--max-connections <n>',
    help: 'connections at once (default: 512)',
    stored: false,
  },
  /** Seconds that a client may take to send a request, or take nothing of an answer. Default 30. */
  patience: {
    kind: { check: decimal(0.1, 3600).check, read: asNumber },
    default: 30,
    flag: '--patience <s>',
    help: 'seconds a client may take to send a request, or take nothing of an answer, before it is cut off (default: 30)',
    stored: false,
  },
} as const satisfies Table;

/** Files of models, the first of which answers where a request names none. */
export const modelPaths = listOf(text, 1, 256);

export const appOptions = { ...accessOptions, ...poolOptions } as const satisfies Table;
export const serverOptions = { ...appOptions, ...listenOptions } as const satisfies Table;

export type AccessOptions = Checked<typeof accessOptions>;
export type PoolOptions = Checked<typeof poolOptions>;
export type ListenOptions = Checked<typeof listenOptions>;
export type GivenServerOptions = Given<typeof serverOptions>;
