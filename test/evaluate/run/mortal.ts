import type { Death } from '../../../src/check/died.js';
import { EngineDied } from '../../../src/check/died.js';
import type { GenerateOptions } from '../../../src/engine/jobs/options.js';
import { FakeEngine, type Line, texts } from '../../ask/fake.js';

export function deathBy(signal: string, more: Partial<Death> = {}): Death {
  return {
    ...{ signal, exitCode: null, phase: 'decode', unresponsive: false, devices: ['CUDA0'], lastLines: ['CUDA error'] },
    external: signal === 'SIGKILL' || signal === 'SIGTERM',
    model: { path: '/models/fake.gguf', sha256: null },
    ...more,
  };
}

/** A scripted engine whose process dies when it is told to; the work it was doing ends, and it goes on in a new one. */
export class MortalEngine extends FakeEngine {
  /** Texts of the prompts that are being worked on. */
  readonly running: string[] = [];
  /** Most of them at once. */
  most = 0;
  /** Asked at every step, and when a job starts. */
  fate: () => Death | undefined = () => undefined;
  #life = 0;
  #ended: EngineDied | undefined;

  constructor(says: (sample: number, prompt: string) => Line) {
    super(says);
  }

  override async *generate(job: GenerateOptions): ReturnType<FakeEngine['generate']> {
    const text = texts(job.prompt as Int32Array);
    const life = this.#life;
    this.running.push(text);
    this.most = Math.max(this.most, this.running.length);
    try {
      for await (const event of super.generate(job)) {
        if (life === this.#life) this.#die(this.fate());
        if (life !== this.#life) throw this.#ended!;
        yield event;
      }
    } finally {
      this.running.splice(this.running.indexOf(text), 1);
    }
  }

  #die(death: Death | undefined): void {
    if (!death) return;
    this.#life++;
    this.#ended = new EngineDied(death);
  }
}
