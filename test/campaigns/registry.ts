import type { Campaign } from './campaign.js';

export interface Entry {
  readonly about: string;
  /** Trials of the short form, which takes seconds, and of the long one. */
  readonly short: number;
  readonly long: number;
  /** The module that exports it as `campaign`. */
  readonly home: string;
}

/** Every campaign by name. */
export const campaigns: Readonly<Record<string, Entry>> = {
  gguf: {
    about: 'load changed models and adapters, compute with them and close them, file after file, in one app',
    short: 500,
    long: 50_000,
    home: '../gguf/campaign/campaign.ts',
  },
  kill: {
    about: 'kill or stop the process of the engine at random moments',
    short: 20,
    long: 2000,
    home: '../host/campaign.ts',
  },
  evaluate: {
    about: 'kill the process of the engine every second of an evaluation; its rows are those of one left alone',
    short: 8,
    long: 200,
    home: '../evaluate/campaign.ts',
  },
  terminate: {
    about: 'terminate a worker while it loads, computes or closes',
    short: 30,
    long: 1000,
    home: '../leaving/terminate.ts',
  },
  exit: {
    about: 'leave the process in every way, in the middle of everything',
    short: 60,
    long: 600,
    home: '../leaving/campaign.ts',
  },
  abort: {
    about: 'abort in the prompt or at a random token; the engine is free at once and its next text is right',
    short: 60,
    long: 5000,
    home: './abort.ts',
  },
  state: {
    about: 'change files of ours; none is accepted',
    short: 300,
    long: 10_000,
    home: '../state/campaign.ts',
  },
  soak: {
    about: 'generate again and again on one engine; memory, threads, handles and listeners stay as they are',
    short: 600,
    long: 100_000,
    home: './soak.ts',
  },
  serve: {
    about: 'two hundred connections to a server, of which every second leaves at a random moment',
    short: 600,
    long: 50_000,
    home: '../server/campaign.ts',
  },
  faults: {
    about: 'too little memory, full disk, no permission, files that change or go, too many open files, a closed output',
    short: 30,
    long: 500,
    home: './faults.ts',
  },
};

export async function campaignOf(name: string): Promise<Campaign> {
  const module = (await import(new URL(campaigns[name]!.home, import.meta.url).href)) as { campaign: Campaign };
  return module.campaign;
}
