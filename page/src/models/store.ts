import { signal } from '@preact/signals';
import type { HashStreamEvent, MeasureStreamEvent, ModelState } from '../../../src/server/meditron/protocol.js';
import { type Api, ApiError, type Problem, problemOf } from '../api/api.js';
import type { Machine } from '../machine.js';
import { paced } from '../paced.js';
import { Folders } from '../parts/files.js';

/** Work on a model that takes its time: which, and how far it has come. */
export interface Work {
  readonly model: string;
  readonly what: 'measure' | 'hash';
  readonly fraction: number;
}

/** The screen Models. */
export class ModelsStore {
  readonly folders: Folders;
  readonly work = signal<Work | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly path = signal('');
  readonly isCopied = signal(false);
  readonly #api: Api;
  readonly #machine: Machine;

  constructor(api: Api, machine: Machine) {
    this.#api = api;
    this.#machine = machine;
    this.folders = new Folders(api);
  }

  async add(path: string): Promise<void> {
    await this.#attempt(async () => {
      await this.#api.post<ModelState>('models', { path });
      this.path.value = '';
      this.folders.close();
    });
  }

  /** Half a minute of typical work, or a reading of the whole file. */
  async run(model: string, what: Work['what']): Promise<void> {
    if (this.work.value) return;
    let fraction = 0;
    const show = paced(() => {
      this.work.value = { model, what, fraction };
    });
    this.work.value = { model, what, fraction };
    await this.#attempt(async () => {
      const path = `models/${encodeURIComponent(model)}/${what}`;
      for await (const { event } of this.#api.stream<MeasureStreamEvent | HashStreamEvent>('POST', path, {
        body: {},
      })) {
        if (event.type === 'failed') throw new ApiError(event.error, 200);
        if ('fraction' in event) fraction = event.fraction;
        show(false);
      }
    });
    show.cancel();
    this.work.value = null;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.problem.value = null;
    try {
      await work();
    } catch (error) {
      this.problem.value = problemOf(error);
    }
    await this.#machine.refresh();
  }
}
