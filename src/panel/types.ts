import type { AskOptions } from '../ask/options.js';
import type { Answer, AskEvent, Evidence } from '../ask/types.js';
import type { EngineOptions } from '../engine/model.js';
import type { LoadOptions } from '../host/load.js';
import type { FormatName, Mode, Protocol } from '../prompt/format/format.js';
import type { MergedRanking } from '../vote/count/ranking.js';
import type { Family } from './family.js';
import type { FamilyVerdict, PanelVerdict } from './rule.js';

/** Models of a panel: with one there is no second opinion, and more than these nobody reads side by side. */
export const membersOfPanel = { least: 2, most: 8 } as const;

/** A model of a panel. */
export interface PanelMember {
  /** Its GGUF file; of a split model the first part. */
  readonly path: string;
  /** The family it counts in. Default: what is known of the file (see `Family`). */
  readonly family?: string | undefined;
  /** How it is prompted. Default: the option `format` of the panel, else the format known for the model. */
  readonly format?: FormatName | undefined;
}

/** What a panel may be told besides how its question is asked. */
export interface PanelOptions extends AskOptions {
  /** How the models are loaded; `isolate` runs each in a process of its own, so that the death of one ends no other. */
  readonly load?: Omit<LoadOptions, 'path' | 'onProgress' | 'signal'> | undefined;
  /** What their engines are like. */
  readonly engine?: Omit<EngineOptions, 'maxSequences'> | undefined;
  /** What is known of the accuracy of models; a panel shows those of its own, found by the hash of their files. */
  readonly measured?: readonly Measurement[] | undefined;
  /** Called with what happens meanwhile. */
  readonly onEvent?: ((event: PanelEvent) => void) | undefined;
}

/** How often a model was right in an evaluation. */
export interface Measurement {
  /** SHA-256 of the model's file, of a split one of its parts. */
  readonly sha256: readonly string[];
  /** What was evaluated: the title of the report. */
  readonly title: string;
  /** When it was begun: ISO 8601. */
  readonly created: string;
  /** How it was asked, as reports show it: `SC-CoT, 5 samples`. */
  readonly run: string;
  /** The mode it was asked in. */
  readonly mode: Mode;
  /** The protocol it was asked under. */
  readonly protocol: Protocol;
  /** Samples of a question. */
  readonly samples: number;
  /** Questions with a known answer. */
  readonly n: number;
  /** Those it answered right. */
  readonly correct: number;
  /** Lower 95 % bound of its accuracy, 0 to 1. */
  readonly low: number;
  /** Upper 95 % bound. */
  readonly high: number;
}

/** What happens while a panel answers. Text is unverified until the panel has come to its end. */
export type PanelEvent =
  | {
      /** A model is being loaded. */
      readonly type: 'loading';
      /** Its place in the panel. */
      readonly member: number;
      /** 0 to 1. */
      readonly fraction: number;
    }
  | {
      /** What the model does: see {@link AskEvent}. */
      readonly type: 'ask';
      /** Its place in the panel. */
      readonly member: number;
      /** As `askStream` yields it. */
      readonly event: AskEvent;
    }
  | {
      /** The model has answered. */
      readonly type: 'answered';
      /** Its place in the panel. */
      readonly member: number;
      /** What it came to. */
      readonly answer: Answer;
    }
  | {
      /** The model could not be asked; the panel goes on without it. */
      readonly type: 'failed';
      /** Its place in the panel. */
      readonly member: number;
      /** Which and why, in a sentence that stands among the answer's warnings too. */
      readonly message: string;
    };

/** What became of one model of a panel. */
export interface MemberReport {
  /** What it is called here: its file's name, with a number where two have the same. */
  readonly name: string;
  /** Its file's name. */
  readonly file: string;
  /** The family that its caller named; null: none. */
  readonly called: string | null;
  /** Null if its file could not be read, and its caller names none. */
  readonly family: Family | null;
  /** Null: it was not measured, in this way of asking. */
  readonly measured: Measurement | null;
  /** `failed`: it could not be loaded or asked, or died. `not-asked`: the panel was stopped before its turn. */
  readonly state: 'answered' | 'failed' | 'not-asked';
  /** Why it failed. */
  readonly error: {
    /** For programs: see `MeditronError`. */
    readonly code: string;
    /** For people. */
    readonly message: string;
  } | null;
}

/** An answer to be read beside the others, with the text of the model that gives most for it. */
export interface Position {
  /** An original letter, yes/no/maybe, or the name of a diagnosis. */
  readonly answer: string;
  /** Families that decided so. */
  readonly families: readonly string[];
  /** Names of the models that give it, whether they agree with themselves or not. */
  readonly members: readonly string[];
  /**
   * Who says so: a family that decided; a model that does not agree with itself enough, or whose family contradicts itself; or only a
   * minority of the chains of a model.
   */
  readonly standing: 'decided' | 'undecided' | 'minority';
  /** The reason it gives. */
  readonly rationale: {
    /** Name of the model. */
    readonly member: string;
    /** Index of its sample. */
    readonly sample: number;
    /** All that it said; what it wrote to think is left out. */
    readonly text: string;
  } | null;
}

/** What the models of a panel come to together; follows from what each came to. */
export interface PanelConclusion extends Omit<PanelVerdict, 'decision' | 'families'> {
  /** `agree`, `split` or `abstain`, by the rule of `panelVerdict`; null where nothing is voted on. */
  readonly decision: PanelVerdict['decision'] | null;
  /** The counts in words. */
  readonly summary: string;
  /** In the order of their first models. */
  readonly families: readonly FamilyVerdict[];
  /** For `answer`; null if there is none. */
  readonly support: Position | null;
  /** Against it, those that decided first. */
  readonly dissent: readonly Position[];
  /** In mode `ranked`: the lists of the families, merged; `index` in its mentions is the place of a family. */
  readonly ranking: MergedRanking | null;
}

/** What a panel came to. Plain data, which prints as JSON. */
export interface PanelAnswer extends PanelConclusion {
  /** The models, in the order in which they were given. */
  readonly members: readonly (MemberReport & {
    /** As `ask` gives it; null if the model did not answer. */
    readonly answer: Answer | null;
  })[];
  /** What was asked for and not met, or limits what the answer is worth: one sentence each. */
  readonly warnings: readonly string[];
  /** What models are and are not. */
  readonly notice: string;
  /** All that is needed to run it again and to compare. */
  readonly evidence: PanelRecord;
}

export const panelSchema = 'meditron.panel.v1';

/** All that is needed to run a panel again. Plain data. */
export interface PanelRecord {
  /** Which fields a record has: another version is refused by `replayPanel`. */
  readonly schema: typeof panelSchema;
  /** Version of this package that made it. */
  readonly meditron: string;
  /** When it was made: ISO 8601, UTC. */
  readonly created: string;
  /** What stopped it before all models had been heard. */
  readonly interrupted: 'deadline' | 'aborted' | null;
  /** The models, in the order in which they were given. */
  readonly members: readonly (MemberReport & {
    /** As `ask` keeps it; null if the model did not answer. */
    readonly evidence: Evidence | null;
  })[];
  /** What the answer said. */
  readonly result: PanelConclusion;
  /** Of all the rest as JSON, the keys of its objects in alphabetical order. */
  readonly sha256: string;
}
