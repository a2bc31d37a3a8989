import { hashOfFiles } from '../../ask/record/hashes.js';
import { MeditronError } from '../../check/errors.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableBeside } from '../../engine/capacity/memory.js';
import { outlookOf } from '../../engine/capacity/outlook.js';
import { type GgufFile, readGguf } from '../../gguf/reader.js';
import { type Header, headerOf, recognised } from '../../models/header.js';
import { hashProgress, identityAt, identityText } from '../../models/identity.js';
import type { Inspection } from '../../models/inspect.js';
import { isDemonstration } from '../../models/known.js';
import { isPublished } from '../../models/shipped.js';
import { type Family, familyOf, identityOf } from '../../panel/family.js';
import { formatByName } from '../../prompt/format/formats.js';
import type { Pool, ServedModel } from '../pool/pool.js';
import type { MeasuredAccuracy, ModelFit, ModelHash, ModelSpeed, ModelState, Whereabouts } from './protocol.js';

/** What is told of a file by its header. */
interface ReadFile {
  readonly header: Header;
  /** Null if the header does not tell. */
  readonly family: Family | null;
}

/** What there is to say of the models of a server. Headers are read once for every state of a file; nothing is loaded. */
export class Catalogue {
  readonly #read = new Map<string, Promise<ReadFile>>();
  /** By the path of the file. */
  readonly speeds = new Map<string, ModelSpeed>();

  constructor(
    private readonly pool: Pool,
    private readonly measured: (model: string) => readonly MeasuredAccuracy[] = () => [],
  ) {}

  /** Paths of files are told to whoever has the page's key alone. */
  list(paths: boolean): Promise<ModelState[]> {
    return Promise.all(this.pool.models.map(model => this.describe(model, paths)));
  }

  async describe(model: ServedModel, paths: boolean): Promise<ModelState> {
    const { name, path, state } = model;
    const common = {
      ...{ name, path: paths ? path : null, state },
      speed: this.speeds.get(path) ?? null,
      measured: this.measured(name),
    };
    try {
      const { header, family } = await this.#fileOf(path);
      const { sizeBytes, architecture, parameters, quantization, contextLength, licence, problems } = header;
      const hash = await hashOf(header);
      const format = recognised(header, hash.sha256).choice ?? null;
      return {
        ...common,
        ...{ family, title: header.name, sizeBytes, architecture, parameters, contextLength, licence, format, hash },
        quantization: quantization.name,
        chats: format && formatByName(format.format).accepts.chat,
        demonstration: isDemonstration([header.name, path]),
        problems: problems.map(({ message }) => message),
        fits: problems.length > 0 ? null : fitOf(header, model),
      };
    } catch (error) {
      if (!(error instanceof MeditronError)) throw error;
      return { ...common, ...unreadable, problems: [paths ? error.message : error.message.replaceAll(path, name)] };
    }
  }

  /** @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT` */
  async headerOf(path: string): Promise<Header> {
    return (await this.#fileOf(path)).header;
  }

  /** Null if the file cannot be read. */
  async familyOf(path: string): Promise<Family | null> {
    return orNull(async () => (await this.#fileOf(path)).family);
  }

  /** What was read of a file in the state that it is in; what could not be read is tried again. */
  #fileOf(path: string): Promise<ReadFile> {
    const key = `${identityText(identityAt(path))} ${path}`;
    const file = this.#read.get(key) ?? readGguf(path).then(told);
    this.#read.set(key, file);
    file.catch(() => this.#read.delete(key));
    return file;
  }
}

async function told(file: GgufFile): Promise<ReadFile> {
  return { header: headerOf(file), family: await orNull(async () => familyOf(identityOf(file))) };
}

/** Null where the model is at fault. */
async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MeditronError) return null;
    throw error;
  }
}

const unreadable = {
  ...{ title: null, sizeBytes: 0, architecture: null, parameters: 0, quantization: 'unknown', contextLength: null },
  ...{ family: null, licence: null, format: null, chats: null, demonstration: false, fits: null },
  hash: { sha256: null, known: 'unread' },
} as const;

/** What is known already: nothing is read for it. */
export async function hashOf({ files }: Pick<Inspection, 'files'>): Promise<ModelHash> {
  const hashes = hashProgress({ files }).files;
  if (!hashes) return { sha256: null, known: 'unread' };
  const sha256 = hashOfFiles(hashes);
  return { sha256, known: (await isPublished(sha256)) ? 'verified' : 'unknown' };
}

/** Where the model of a record is here, and whether it is the file that the record was made with. Nothing is read for it but headers. */
export async function whereabouts(
  catalogue: Catalogue,
  model: ServedModel | undefined,
  recorded: string | null,
): Promise<Whereabouts> {
  if (!model) return { model: null, sameFile: null };
  const { sha256 } = await hashOf(await catalogue.headerOf(model.path));
  return { model: model.name, sameFile: sha256 === null || recorded === null ? null : sha256 === recorded };
}

/** What a loaded model takes is there for it. */
function fitOf(header: Header, model: ServedModel): ModelFit {
  const cores = availableCores();
  const free = availableBeside(model);
  const availableBytes = model.state === 'loaded' ? free + outlookOf(header, free, cores).memoryBytes : free;
  const { fits, lowMemory, samples, memoryBytes } = outlookOf(header, availableBytes, cores);
  return { fits, lowMemory, samples, memoryBytes, availableBytes };
}
