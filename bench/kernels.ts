import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { addonFolders } from './llama-benches.js';

/** Microseconds, of the clock and of the processor. */
export interface Times {
  readonly wall: number;
  readonly processor: number;
}

/** What is decoded: a prompt, once for all sequences, then one token of each in every step. */
export interface Batches {
  readonly path: string;
  readonly sequences: number;
  readonly promptTokens: number;
  readonly steps: number;
}

/** llama.cpp's decode on one thread, in a process of its own that has nothing else (bench/decode.cpp). */
export class Kernels {
  readonly #process;
  readonly #lines;

  constructor({ path, sequences, promptTokens, steps }: Batches) {
    const { folder, libraries } = addonFolders();
    this.#process = spawn(
      join(folder, 'decode-bench'),
      [path, libraries, `${sequences}`, `${promptTokens}`, `${steps}`],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    this.#lines = createInterface(this.#process.stdout);
  }

  /** Microseconds a step. */
  async run(): Promise<Times> {
    this.#process.stdin.write('\n');
    const [line] = (await once(this.#lines, 'line')) as [string];
    const [wall, processor] = line.split(' ').map(Number);
    return { wall: wall!, processor: processor! };
  }

  [Symbol.dispose](): void {
    this.#process.stdin.end();
  }
}
