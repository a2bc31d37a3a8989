import { type Protocol, protocols, type Segment } from '../../types.js';
import type { Marker } from '../hygiene/marker.js';
import type { Question } from '../question/question.js';
import type { Demonstration } from './demonstration.js';

/**
 * How a model is asked: `top-token` for one answer token, `cot` and `sc-cot` for a chain of thought (the same prompt),
 * `free` for an answer in words, `ranked` for a ranked list of diagnoses as JSON.
 */
export const modes = ['top-token', 'cot', 'sc-cot', 'free', 'ranked'] as const;
/** How a question is asked: options compared (`top-token`), one chain (`cot`), several and a vote (`sc-cot`), lists (`ranked`), text (`free`). */
export type Mode = (typeof modes)[number];

export { type Protocol, protocols };

/** What decides the instruction: a benchmark by the authors' name, `mcq` for other choices, `open` for other questions. */
export const tasks = [
  'medqa',
  'medqa4',
  'medmcqa',
  'mmlu_medical',
  'truthfulqa',
  'mcq',
  'pubmedqa',
  'medicationqa',
  'open',
] as const;
/** A benchmark or a kind of question: it decides the instruction. */
export type Task = (typeof tasks)[number];

/** Every prompt format's name. */
export const formatNames = [
  'chatml',
  'medical',
  'raw',
  'few-shot',
  'one-shot',
  'zero-shot',
  'alpaca',
  'llama-2',
  'llama-3',
  'llama-3.1',
  'apertus',
  'eurollm',
  'gemma',
  'mistral',
  'olmo',
  'phi-4',
  'pmc-llama',
  'qwen',
  'jinja',
] as const;
/** A prompt format by name: how a model was trained to be asked. */
export type FormatName = (typeof formatNames)[number];

/** What a format makes a prompt of. */
export interface PromptInput {
  /** What is asked. */
  readonly question: Question;
  /** How it is asked. */
  readonly mode: Mode;
  /** Whose wording is used. */
  readonly protocol: Protocol;
  /** Default: `medmcqa` for choices (as the authors do for MMLU), `pubmedqa` for yes/no/maybe, `open` for open questions. */
  readonly task?: Task;
  /** Takes the place of the task's instruction; an empty string leaves the instruction out. */
  readonly instruction?: string;
  /** The text of the system turn, in formats that have one. */
  readonly system?: string;
  /** Worked examples, all of which are used, in this order; in conversations as turns before the question (`strict` only). */
  readonly demonstrations?: readonly Demonstration[];
  /** How many of our own examples are shown when no demonstrations are given (`strict` only): 0 to 5; default 3 for `few-shot`, else 0. */
  readonly shots?: number;
  /** The length of the list in mode `ranked`: 1 to 20, default 5. */
  readonly items?: number;
  /** What the model has said of its answer: the prompt ends with it, and the answer goes on from there (conversations). */
  readonly begun?: string;
  /** Offers "I cannot tell" as one more option, the last (`strict` only, questions with options). Default false. */
  readonly abstainOption?: boolean;
}

/** Where generation ends. Token texts are looked up in the vocabulary; those it lacks do not matter. */
export interface Stops {
  /** Texts of tokens that end a sample. */
  readonly tokens: readonly string[];
  /** Strings that end a sample. */
  readonly texts: readonly string[];
}

/**
 * A prompt format: a pure function from a question to segments. No format writes a leading BOS: the engine puts it there, where the model
 * file says so or the format's published template does. Input is expected to be checked and cleaned, as buildPrompt (prompt.ts) does.
 */
export interface PromptFormat {
  /** What `format` options call it. */
  readonly name: FormatName;
  /** What it is, in one line. */
  readonly description: string;
  /** Where the format is published. */
  readonly source: string;
  /** What it has a place for, besides a question. */
  readonly accepts: {
    /** A conversation of several turns. */
    readonly chat: boolean;
    /** A system turn. */
    readonly system: boolean;
    /** Worked examples. */
    readonly demonstrations: boolean;
  };
  /** Literals of the format that text from outside might spell. */
  readonly markers: readonly Marker[];
  /** Whether the published template begins with the vocabulary's BOS. Undefined: it is for the model file to say. */
  bos?(input: PromptInput): boolean | undefined;
  /** Whether a blank line behind an answer ends it: what follows is then another question, invented by the model. */
  readonly blankLineEnds: boolean;
  /** Where the model's answer ends: strings and tokens. */
  stops(input: PromptInput): Stops;
  /** The prompt, as text of the format's own and text from outside. */
  build(input: PromptInput): readonly Segment[];
  /**
   * The text of an answer directly after the prompt, in mode `top-token`: `A` after a newline, ` A` after a colon. Prompt
   * and continuation belong to one run of text; tokenized apart they give other ids.
   */
  continuation(input: PromptInput, label: string): string;
}

/** True for the modes that generate reasoning before the answer. */
export function thinks(mode: Mode): boolean {
  return mode === 'cot' || mode === 'sc-cot';
}
