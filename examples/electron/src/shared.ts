// What the two sides say to each other. Everything is plain data, as structured clone carries it.
import type { Answer, AskEvent, ErrorCode } from 'meditron';

export const channels = {
  model: 'meditron:model',
  ask: 'meditron:ask',
  next: 'meditron:next',
  stop: 'meditron:stop',
} as const;

/** An error as data: across the bridge an Error loses its class and every field but its message. */
export interface Failure {
  /** The library's codes, and the app's own. */
  readonly code: ErrorCode | 'APP_BUSY' | 'APP_REQUEST' | 'APP_REFUSED' | 'APP_FAULT';
  /** For people. It names places, lengths and files, never words of a question. */
  readonly message: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export interface ModelFacts {
  readonly name: string;
  readonly devices: readonly string[];
  /** What could not be done as asked when it was loaded. */
  readonly warnings: readonly string[];
}

export const mostCharacters = 20_000;
export const mostSamples = 9;

export interface AskRequest {
  /** A question with its options, as people write it. */
  readonly text: string;
  /** How often it is asked: an odd number from 1 to 9. */
  readonly samples: number;
}

/** The question as it was read, before anything is computed. */
export interface Asked {
  readonly question: string;
  readonly options: readonly { readonly label: string; readonly text: string }[];
  /** What was taken off or noticed, in words. */
  readonly findings: readonly string[];
  readonly samples: number;
}

export type Progress = Exclude<AskEvent, { type: 'plan' }> | { readonly type: 'waiting' } | { readonly type: 'begun' };

/** Of an answer what a window shows. The evidence, with every token, stays on the other side. */
export type Shown = Pick<
  Answer,
  'answer' | 'decision' | 'reason' | 'summary' | 'votes' | 'rationale' | 'dissent' | 'warnings' | 'notice'
> & {
  readonly samples: readonly Pick<
    Answer['samples'][number],
    'index' | 'text' | 'answer' | 'forced' | 'conflict' | 'finish'
  >[];
};

/** What has happened since the page asked last; `answer` with the last of them. */
export interface Step {
  readonly events: readonly Progress[];
  readonly answer: Shown | null;
}

/** What the preload script gives the page, and all it gives. Nothing here rejects. */
export interface MeditronApi {
  /** Settles when the model is loaded, or cannot be. */
  model(): Promise<Result<ModelFacts>>;
  /** Asks, and tells how it was read and what happens until the answer is there. One question a window at a time. */
  ask(
    request: AskRequest,
    on: { readonly asked: (asked: Asked) => void; readonly progress: (events: readonly Progress[]) => void },
  ): Promise<Result<Shown>>;
  /** Closes the vote: the answer is what there is. */
  stop(): Promise<void>;
}
