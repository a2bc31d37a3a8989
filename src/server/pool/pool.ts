import type { Engine } from '../../engine/engine.js';
import type { Model } from '../../engine/model.js';
import type { EngineCounters } from '../../engine/settings.js';
import type { Scorer } from './scorer.js';

/** A model that a server answers for, whether it is in memory or not. */
export interface ServedModel {
  /** What requests call it: the file's name without `.gguf`. */
  readonly name: string;
  /** Path of the file, which is told to nobody without the page's key. */
  readonly path: string;
  readonly state: 'unloaded' | 'loading' | 'loaded';
  /** Of its mapped weights that are to stay, the bytes that the system counts as available nevertheless; 0 while it is not in memory. */
  readonly keptBytes: number;
  /** Requests that use it. */
  readonly requests: number;
  /** Requests that wait for it. */
  readonly waiting: number;
  /** Sequences that are computed for them now. */
  readonly sequences: number;
  /** When the file was last written, in seconds since 1970, as OpenAI's `created`. */
  readonly created: number;
  /** What its engines have computed since the server was started. */
  readonly counters: Readonly<EngineCounters>;
  /** Times that it was loaded, and that its process died. */
  readonly loads: number;
  readonly deaths: number;
}

/** A request's share of a model, which stays in memory until it is disposed of. A request takes one, never a second while it holds one. */
export interface Use extends AsyncDisposable {
  readonly name: string;
  readonly model: Model;
  /** Shared by all requests on the model: they are in one batch. Never closed by a request. */
  readonly engine: Engine;
  /** Where prompts are scored. */
  readonly scorer: Scorer;
  /** Loads the model once more, with the CPU alone, for whoever goes on when its GPU fails, and closes it. Absent where layers were put on a GPU by number. */
  readonly loadOnCpu?: ((signal?: AbortSignal) => Promise<Model>) | undefined;
}

/** How a request uses a model. */
export interface UseOptions {
  /** Whether it computes, and takes a place in line for that. False for what only tokenizes or reads. Default true. */
  readonly computes?: boolean | undefined;
  /** Milliseconds that it waits for a place and the model; then `ERR_BUSY`. Default: as long as it takes. */
  readonly waitMs?: number | undefined;
}

/** The models of a server by name, loaded on demand. */
export interface Pool extends AsyncDisposable {
  /** In the order they were given; the first answers where no name is given. */
  readonly models: readonly ServedModel[];

  /**
   * Waits for a place and for the model to be loaded.
   *
   * @throws MeditronError `ERR_UNKNOWN_MODEL`, which lists the names there are; `ERR_QUEUE_FULL`; `ERR_BUSY` if `waitMs` have passed; what
   *   loading throws; `ERR_CLOSED`; the signal's reason
   */
  use(name: string | undefined, signal: AbortSignal, options?: UseOptions): Promise<Use>;

  /** The model of this name, or the first; it is not loaded. @throws MeditronError `ERR_UNKNOWN_MODEL` */
  find(name: string | undefined): ServedModel;

  /** Adds the model in this file; one that is there already is given back as it is. @throws MeditronError `ERR_MODEL_FILE`, `ERR_OPTION` */
  add(path: string): Promise<ServedModel>;

  /** Frees a model's memory as soon as nobody uses it. It is loaded again by the next request. */
  unload(name: string): Promise<void>;
}
