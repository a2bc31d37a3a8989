/** What every contender is asked to do, passed as JSON on its command line. */
export interface PeerJob {
  readonly model: string;
  /** Prompt token ids, the same for all. */
  readonly prompt: readonly number[];
  readonly samples: number;
  readonly tokens: number;
  readonly threads: number;
  readonly seed: number;
  /** On a GPU, as many layers as fit; otherwise on the CPU alone. */
  readonly gpu: boolean;
  /** Evaluate the prompt once and give the other sequences its state by a file, for node-llama-cpp. */
  readonly byState?: boolean;
  /** Multiply by llama.cpp's kernels alone, for Meditron. */
  readonly kernels?: 'llama.cpp';
  /** llama-server's program, for that contender. */
  readonly server?: string;
}

/** What it answers, as one line of JSON. */
export interface PeerResult {
  readonly loadMs: number;
  /** From asking to the last token of the last sample, prompt included. */
  readonly wallMs: number;
  readonly firstTokenMs: number;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  readonly distinct: number;
  /** Peak resident memory of the process that computes, in bytes. */
  readonly peakRss: number;
  /** llama.cpp's CPU variant; null where its kernels are inside the program. */
  readonly cpuVariant: string | null;
}

export const readJob = (): PeerJob => JSON.parse(process.argv[2]!) as PeerJob;
export const answer = (result: PeerResult): void => console.log(JSON.stringify(result));
