import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../../../check/errors.js';
import { makeFolder, writeOutput } from '../../../check/outputs.js';
import { isSealed, sealed } from '../../../check/seal.js';
import { stateFolder } from '../../../check/state.js';
import { RequestError } from '../../error.js';
import type { AddEntryRequest, HistoryEntry, HistoryItem, HistoryState } from '../protocol.js';
import { boxSchema, decrypt, encrypt, keyOf, newRecipe, recipeSchema } from './cipher.js';

/** Entries that are kept; then somebody has to delete some. */
const mostEntries = 10_000;

const settingsName = 'settings.json';

const settingsSchema = v.object({
  format: v.literal('meditron-history'),
  version: v.literal(1),
  on: v.boolean(),
  /** Null while it is not encrypted. `check` is a known text, by which a passphrase is known to be the right one. */
  encryption: v.nullable(v.object({ recipe: recipeSchema, check: boxSchema })),
});
type Settings = v.InferOutput<typeof settingsSchema>;

const fresh: Settings = { format: 'meditron-history', version: 1, on: false, encryption: null };

const entrySchema = v.object({
  id: v.string(),
  kind: v.picklist(['ask', 'chat']),
  title: v.string(),
  created: v.string(),
  data: v.unknown(),
  sha256: v.string(),
});
const fileSchema = v.union([v.object({ entry: v.unknown() }), v.object({ box: boxSchema })]);

/** What is encrypted to know a passphrase again. */
const known = 'meditron';

/** What was kept for a person who wanted it kept: a file an entry, in the state folder, for its owner alone. One thing is done at a time. */
export class History {
  #key: Buffer | undefined;
  readonly #items = new Map<string, HistoryItem>();
  #last: Promise<unknown> = Promise.resolve();

  /** `folder`: undefined where nothing is to be kept. */
  constructor(private readonly folder: string | undefined) {}

  state(): Promise<HistoryState> {
    return this.#alone(() => this.#state());
  }

  /** Whether it is kept; not where its settings cannot be read. */
  async isOn(): Promise<boolean> {
    return this.#settings().then(
      ({ on }) => on,
      () => false,
    );
  }

  /**
   * Turns it on or off, which deletes nothing. A passphrase encrypts what is there, too.
   *
   * @throws RequestError 403 for another passphrase than it has, 409 where nothing can be kept
   */
  turn(on: boolean, passphrase: string | undefined): Promise<HistoryState> {
    return this.#alone(async () => {
      const before = await this.#settings();
      let { encryption } = before;
      if (on && this.folder === undefined) throw new RequestError(409, nowhere);
      if (passphrase !== undefined && encryption) await this.#unlock(passphrase, encryption);
      else if (passphrase !== undefined) {
        const recipe = newRecipe();
        const key = await keyOf(passphrase, recipe);
        encryption = { recipe, check: encrypt(known, key, known) };
        this.#key = key;
      }
      if (this.folder !== undefined && (on || before.on)) await this.#write({ ...before, on, encryption });
      if (this.#key) await this.#encryptAll();
      return this.#state();
    });
  }

  /** @throws RequestError 403 for another passphrase, 409 if it is not encrypted */
  unlock(passphrase: string): Promise<HistoryState> {
    return this.#alone(async () => {
      const { encryption } = await this.#settings();
      if (!encryption) throw new RequestError(409, 'The history is not encrypted');
      await this.#unlock(passphrase, encryption);
      await this.#encryptAll();
      return this.#state();
    });
  }

  /** Forgets the key. */
  lock(): Promise<HistoryState> {
    return this.#alone(async () => {
      this.#key?.fill(0);
      this.#key = undefined;
      this.#items.clear();
      return this.#state();
    });
  }

  /** @throws RequestError 409 while it is off, locked or full */
  add({ kind, title, data }: AddEntryRequest): Promise<HistoryItem> {
    return this.#alone(async () => {
      const settings = await this.#settings();
      if (!settings.on) throw new RequestError(409, 'The history is off: nothing is kept');
      this.#refuseLocked(settings);
      if ((await this.#ids()).length >= mostEntries)
        throw new RequestError(409, `The history holds ${mostEntries} entries, the most it takes: delete some`);
      const id = `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`;
      const item: HistoryItem = { id, kind, title, created: new Date().toISOString() };
      await this.#writeEntry({ ...item, data });
      this.#items.set(id, item);
      return item;
    });
  }

  /** The newest first; one that cannot be read as it was written is there, as `damaged`. @throws RequestError 409 while it is locked */
  list(): Promise<HistoryItem[]> {
    return this.#alone(async () => {
      this.#refuseLocked(await this.#settings());
      const items: HistoryItem[] = [];
      for (const id of await this.#ids()) items.push(this.#items.get(id) ?? (await this.#itemOf(id)));
      return items;
    });
  }

  /** @throws RequestError 404, 409 while it is locked; MeditronError `ERR_INPUT` if it is not as it was written */
  read(id: string): Promise<HistoryEntry> {
    return this.#alone(async () => {
      this.#refuseLocked(await this.#settings());
      return this.#read(id);
    });
  }

  /** @throws RequestError 404 */
  delete(id: string): Promise<void> {
    return this.#alone(async () => {
      await this.#refuseUnknown(id);
      await rm(this.#pathOf(id), { force: true });
      this.#items.delete(id);
    });
  }

  /** All of it, its settings and its encryption. */
  deleteAll(): Promise<void> {
    return this.#alone(async () => {
      if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
      this.#key = undefined;
      this.#items.clear();
    });
  }

  async #state(): Promise<HistoryState> {
    const { on, encryption } = await this.#settings();
    const ids = await this.#ids();
    const sizes = await Promise.all(
      ids.map(id =>
        stat(this.#pathOf(id)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return {
      on,
      encrypted: encryption !== null,
      locked: this.#isLocked({ encryption }),
      entries: this.folder === undefined ? null : ids.length,
      folder: this.folder ?? null,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  /** @throws MeditronError `ERR_INPUT` if they cannot be read: nothing is kept then, and nothing is taken for not encrypted */
  async #settings(): Promise<Settings> {
    if (this.folder === undefined) return fresh;
    const path = join(this.folder, settingsName);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new MeditronError('ERR_INPUT', `${path} cannot be read: ${error.code}`);
    });
    if (text === undefined) return fresh;
    const value = parsed(text);
    const read = v.safeParse(settingsSchema, value);
    if (!read.success || !isSealed(value as object))
      throw new MeditronError(
        'ERR_INPUT',
        `${path} is not as it was written: delete the history, or take the file away`,
      );
    return read.output;
  }

  async #write(settings: Settings): Promise<void> {
    await makeFolder(this.folder!);
    await writeOutput(join(this.folder!, settingsName), `${JSON.stringify(sealed(settings))}\n`);
  }

  async #unlock(passphrase: string, { recipe, check }: NonNullable<Settings['encryption']>): Promise<void> {
    const key = await keyOf(passphrase, recipe);
    if (decrypt(check, key, known) !== known)
      throw new RequestError(403, 'It is not the passphrase that the history was encrypted with', 'passphrase');
    this.#key = key;
  }

  #isLocked({ encryption }: Pick<Settings, 'encryption'>): boolean {
    return encryption !== null && this.#key === undefined;
  }

  #refuseLocked(settings: Settings): void {
    if (this.#isLocked(settings)) throw new RequestError(409, 'The history is locked: unlock it with its passphrase');
  }

  /** The newest first. */
  async #ids(): Promise<string[]> {
    if (this.folder === undefined) return [];
    const names = await readdir(this.folder).catch(() => []);
    return names
      .flatMap(name => /^(\w{9}-[0-9a-f]{16})\.json$/.exec(name)?.[1] ?? [])
      .sort()
      .reverse();
  }

  async #refuseUnknown(id: string): Promise<void> {
    if (!(await this.#ids()).includes(id)) throw new RequestError(404, 'The history has no such entry', 'id');
  }

  async #itemOf(id: string): Promise<HistoryItem> {
    try {
      const { kind, title, created } = await this.#read(id);
      const item = { id, kind, title, created };
      this.#items.set(id, item);
      return item;
    } catch (error) {
      if (!(error instanceof MeditronError)) throw error;
      const created = new Date(Number.parseInt(id.slice(0, 9), 36)).toISOString();
      return { id, kind: 'damaged', title: '', created };
    }
  }

  async #read(id: string): Promise<HistoryEntry> {
    await this.#refuseUnknown(id);
    const file = v.safeParse(fileSchema, parsed(await readFile(this.#pathOf(id), 'utf8')));
    const boxed = file.success && 'box' in file.output ? file.output.box : undefined;
    const text = boxed && this.#key ? decrypt(boxed, this.#key, id) : undefined;
    const value =
      text !== undefined ? parsed(text) : file.success && 'entry' in file.output ? file.output.entry : undefined;
    const entry = v.safeParse(entrySchema, value);
    if (!entry.success || entry.output.id !== id || !isSealed(value as object))
      throw new MeditronError('ERR_INPUT', 'The entry is damaged: it is not as it was written');
    const { sha256: _, ...rest } = entry.output;
    return rest;
  }

  async #writeEntry(entry: HistoryEntry): Promise<void> {
    const whole = sealed(entry);
    const file = this.#key ? { box: encrypt(JSON.stringify(whole), this.#key, entry.id) } : { entry: whole };
    await writeOutput(this.#pathOf(entry.id), `${JSON.stringify(file)}\n`);
  }

  /** What was there before it was encrypted, or was left when that was interrupted. */
  async #encryptAll(): Promise<void> {
    for (const id of await this.#ids()) {
      const text = await readFile(this.#pathOf(id), 'utf8');
      if (!text.startsWith('{"entry"')) continue;
      const entry = await this.#read(id).catch(() => undefined);
      if (entry) await this.#writeEntry(entry);
    }
  }

  #pathOf(id: string): string {
    return join(this.folder!, `${id}.json`);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}

const nowhere =
  'Nothing can be kept: MEDITRON_STATE is `none`, or there is no folder for it. Start the server with a folder in MEDITRON_STATE';

/** Where it is; undefined where nothing is to be kept. */
export function historyFolder(): string | undefined {
  try {
    const folder = stateFolder();
    return folder === undefined ? undefined : join(folder, 'history');
  } catch {
    return undefined; // a user without a home
  }
}

/** Undefined if it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
