import { computed, signal } from '@preact/signals';
import type { ModelState, ServerState } from '../../src/server/meditron/protocol.js';
import { type Api, type Problem, problemOf } from './api/api.js';

/** What the server says of itself, its models and the machine. */
export class Machine {
  readonly state = signal<ServerState | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly models = computed<readonly ModelState[]>(() => this.state.value?.models ?? []);
  /** Whether this page may read files by path and keep things. */
  readonly mayRead = computed(() => this.state.value?.features.files ?? false);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The model of this name, or the one that is asked where none is named. */
  model(name: string | null | undefined): ModelState | undefined {
    return name ? this.models.value.find(model => model.name === name) : this.models.value[0];
  }

  async refresh(): Promise<void> {
    try {
      this.state.value = await this.#api.get<ServerState>('state');
      this.problem.value = null;
    } catch (error) {
      this.problem.value = problemOf(error);
    }
  }
}
