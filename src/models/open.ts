import { existsSync, fstatSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeditronError } from '../check/errors.js';
import { type AdapterBase, checkAdapter } from '../gguf/adapter.js';
import { stringAt } from '../gguf/metadata.js';
import { type GgufFile, type GgufPart, type OpenGguf, openGguf, type ReadOptions } from '../gguf/reader.js';
import { identityAt, identityText, type ModelFiles, moved } from './identity.js';

/**
 * A file that is checked and then loaded. Its parts stay open in between, so that what was checked is what is loaded. On Linux
 * llama.cpp opens the very same file through `/proc/self/fd`, whatever its path leads to by then, and a small file, which
 * can be rewritten in place at one stroke, through a private copy. Elsewhere llama.cpp opens the path, and
 * {@link unchanged} compares the two.
 */
export class OpenModel implements AsyncDisposable {
  readonly file: GgufFile;
  /** Names to open the parts by. Good until {@link close}. */
  readonly paths: readonly string[];
  readonly #open: OpenGguf;
  readonly #copies: readonly FileHandle[];

  private constructor(open: OpenGguf, copies: readonly FileHandle[]) {
    this.#open = open;
    this.#copies = copies;
    this.file = open.file;
    const handles = copies.length > 0 ? copies : open.handles;
    this.paths = open.file.parts.map((part, i) => throughHandle(handles[i]!) ?? part.path);
  }

  /**
   * Reads the header and leaves the parts open. Waits until the file has been at rest for a moment.
   *
   * @throws MeditronError as {@link openGguf}
   */
  static async at(path: string, options: ReadOptions = {}): Promise<OpenModel> {
    const found = await openGguf(path, options);
    const bytes = found.file.parts.reduce((sum, part) => sum + part.size, 0);
    const small = bytes <= smallBytes && throughHandle(found.handles[0]!) !== undefined;
    const opened = new OpenModel(found, small ? await copiesOf(found.handles) : []);
    try {
      // A copy holds what was checked if nothing has changed by its end.
      for (const [i, part] of found.file.parts.entries()) checkSame(part, found.handles[i]!);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /**
   * Call it right before the file is loaded and when it has been. Waits for nothing, so that nothing comes between.
   *
   * @throws MeditronError `ERR_MODEL_FILE` if a part was changed in place or, where paths are opened again, replaced
   */
  unchanged(): void {
    if (this.#copies.length > 0) return;
    for (const [i, part] of this.file.parts.entries()) {
      checkSame(part, this.#open.handles[i]!);
      const again = this.paths[i] === part.path;
      if (again && identityText(identityAt(part.path)) !== identityText(part.identity))
        throw moved(part.path, 'checked');
    }
  }

  /** Whether the parts themselves are loaded, not private copies. */
  get itself(): boolean {
    return this.#copies.length === 0;
  }

  /** Of the first part. */
  get handle(): FileHandle {
    return this.#open.handles[0]!;
  }

  /** An error in whose message the names of {@link paths} are turned back into those of the files. */
  plainly(error: unknown): unknown {
    if (error instanceof Error) {
      for (const [i, part] of this.file.parts.entries()) {
        error.message = error.message.replaceAll(this.paths[i]!, part.path);
      }
    }
    return error;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const copy of this.#copies) await copy.close();
    await this.#open.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What adapters of a model have to fit. */
export function baseOf(file: GgufFile): AdapterBase {
  const architecture = stringAt(file.metadata, 'general.architecture') ?? '';
  return { architecture, tensors: new Map(file.tensors.map(tensor => [tensor.name, tensor])) };
}

/** LoRA adapters that have been checked against their model, open until they are loaded. */
export class OpenAdapters implements AsyncDisposable {
  readonly warnings: readonly string[];
  readonly #files: readonly OpenModel[];

  private constructor(files: readonly OpenModel[], warnings: readonly string[]) {
    this.#files = files;
    this.warnings = warnings;
  }

  /** @throws MeditronError `ERR_LORA` if one does not fit; `ERR_MODEL_FILE` if one cannot be read */
  static async at(paths: readonly string[], base: AdapterBase): Promise<OpenAdapters> {
    const files: OpenModel[] = [];
    const warnings: string[] = [];
    try {
      for (const path of paths) {
        const opened = await OpenModel.at(path).catch(error => {
          throw error instanceof MeditronError && error.code === 'ERR_MODEL_FORMAT'
            ? new MeditronError('ERR_LORA', error.message, { cause: error })
            : error;
        });
        files.push(opened);
        warnings.push(...(await checkAdapter(opened.file, opened.handle, base)));
        opened.unchanged();
      }
      return new OpenAdapters(files, warnings);
    } catch (error) {
      for (const file of files) await file.close();
      throw error;
    }
  }

  /** Names to open the adapters by, in order. Good until {@link close}. */
  get paths(): readonly string[] {
    return this.#files.map(file => file.paths[0]!);
  }

  /** Which files they are, for their hashes. */
  get files(): ModelFiles['files'] {
    return this.#files.flatMap(({ file }) =>
      file.parts.map(({ path, size, identity }) => ({ path, sizeBytes: size, identity: identityText(identity) })),
    );
  }

  /** @throws MeditronError `ERR_MODEL_FILE` as {@link OpenModel.unchanged} */
  unchanged(): void {
    for (const file of this.#files) file.unchanged();
  }

  plainly(error: unknown): unknown {
    return this.#files.reduce((same: unknown, file) => file.plainly(same), error);
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Opening this name opens the same file anew. On macOS `/dev/fd` shares the position, which is of no use. */
function throughHandle(handle: FileHandle): string | undefined {
  const name = `/proc/self/fd/${handle.fd}`;
  return process.platform === 'linux' && existsSync(name) ? name : undefined;
}

/** The time of the last status change is left out: being renamed or replaced changes it, and this file is open still. */
function checkSame(part: GgufPart, handle: FileHandle): void {
  const now = fstatSync(handle.fd, { bigint: true });
  if (now.size !== part.identity.size || now.mtimeNs !== part.identity.mtimeNs) throw moved(part.path, 'checked');
}

/**
 * Files up to this size are copied. A larger one takes time to be rewritten, and llama.cpp refuses it while it is shorter than its
 * header says.
 */
const smallBytes = 32 << 20;

/**
 * Files without a name, for this process alone; none if there is no room for them. The name goes before anything is written: whatever ends
 * the process leaves no copy.
 */
async function copiesOf(handles: readonly FileHandle[]): Promise<readonly FileHandle[]> {
  const copies: FileHandle[] = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), 'meditron-'));
    try {
      for (const i of handles.keys()) copies.push(await open(join(folder, String(i)), 'wx+', 0o600));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    for (const [i, from] of handles.entries()) await copyBytes(from, copies[i]!);
    return copies;
  } catch {
    for (const copy of copies) await copy.close();
    return [];
  }
}

async function copyBytes(from: FileHandle, to: FileHandle): Promise<void> {
  const chunk = Buffer.allocUnsafe(1 << 20);
  for (let done = 0; ; ) {
    const { bytesRead } = await from.read(chunk, 0, chunk.length, done);
    if (bytesRead === 0) return;
    await to.appendFile(chunk.subarray(0, bytesRead));
    done += bytesRead;
  }
}
