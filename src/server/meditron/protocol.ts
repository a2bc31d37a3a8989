import type { AskOptions } from '../../ask/options.js';
import type { PartialRecord } from '../../ask/record/partial.js';
import type { Replay } from '../../ask/record/replay.js';
import type { Answer, AskEvent, Evidence } from '../../ask/types.js';
import type { ErrorCode } from '../../check/errors.js';
import type { RunReport } from '../../evaluate/report/types.js';
import type { RunOptions } from '../../evaluate/run/options.js';
import type { Comparison, Rate } from '../../evaluate/score/measure.js';
import type { ReadRow } from '../../evaluate/score/read.js';
import type { Accuracy } from '../../evaluate/score/statistics.js';
import type { Inspection } from '../../models/inspect.js';
import type { FormatChoice } from '../../models/known.js';
import type { Family } from '../../panel/family.js';
import type { PanelReplay } from '../../panel/record/replay.js';
import type { MemberReport, PanelConclusion, PanelEvent, PanelRecord } from '../../panel/types.js';
import type { FormatName } from '../../prompt/format/format.js';
import type { Message, Question } from '../../prompt/question/question.js';
import type { QuestionReading } from '../../prompt/question/text.js';

/**
 * What is sent to the routes below `/v1/meditron` and what they answer: plain data, as it stands in JSON. What is `undefined` in the library's types is
 * left out, and what is not finite is null. Routes that are marked *key* need the key of the page as `Authorization: Bearer KEY`. A `POST` has a body of
 * JSON, `{}` if it says nothing. A stream is `text/event-stream`, where the request's `Accept` asks for it: a `data:` line of JSON an event, told apart by
 * `type`; those of asks and evaluations have an `id:` line, counted from 1, to go on behind with the header `Last-Event-ID`. After its last event it ends.
 */

/** What a request that fails is answered with, whatever the route. */
export interface ErrorBody {
  readonly error: Failure;
}

/** Why something failed. */
export interface Failure {
  /** For people: what was expected, what came, what to do. */
  readonly message: string;
  /** OpenAI's word for the kind: `invalid_request_error`, `authentication_error`, `not_found_error`, `rate_limit_error`, `server_error`. */
  readonly type: string;
  /** The field that is wrong, where it is one. */
  readonly param: string | null;
  /** For programs; `ERR_FAULT` is a fault of the server itself. */
  readonly code: ErrorCode | 'ERR_FAULT';
  /** Of an engine whose process died, the last lines that it printed. */
  readonly details?: readonly string[];
}

/** `GET state`. Nothing is loaded for it. */
export interface ServerState {
  /** Version of Meditron. */
  readonly version: string;
  /** Said with every answer: what a language model is not. */
  readonly notice: string;
  readonly machine: MachineState;
  /** In the order in which they were given; the first answers where none is named. */
  readonly models: readonly ModelState[];
  readonly features: Features;
}

/** The machine, its memory as it is now. */
export interface MachineState {
  /** `process.platform` and `process.arch`, as `linux x64`. */
  readonly platform: string;
  readonly processor: string;
  /** That are really there for this process. */
  readonly cores: number;
  /** Bytes in all, and bytes that are free for models now. */
  readonly memoryBytes: number;
  readonly availableBytes: number;
}

/** What this request may do. */
export interface Features {
  /** Whether the request came with the page's key, without which nothing is read by path and nothing kept. */
  readonly files: boolean;
  /** Whether history is kept; false also where nobody has turned it on. */
  readonly history: boolean;
}

/** A model that can be asked. */
export interface ModelState {
  /** What requests call it. */
  readonly name: string;
  /** `general.name` of the file, or null. */
  readonly title: string | null;
  /** Null without the page's key. */
  readonly path: string | null;
  readonly state: 'unloaded' | 'loading' | 'loaded';
  readonly sizeBytes: number;
  readonly architecture: string | null;
  /** The family that it counts in beside others, and how that is known; null if its file cannot be read. */
  readonly family: Family | null;
  readonly parameters: number;
  readonly quantization: string;
  /** Trained context in tokens. */
  readonly contextLength: number | null;
  /** `general.license` of the file, or null. */
  readonly licence: string | null;
  /** The format it is asked in, and how that is known; null if it is not: a format has to be named. */
  readonly format: FormatChoice | null;
  /** Whether its format has conversations. Null where the format is not known. */
  readonly chats: boolean | null;
  /** The model that ships: six clinical scores and nothing else. */
  readonly demonstration: boolean;
  /** Why it cannot be used; empty if it can. */
  readonly problems: readonly string[];
  /** Reckoned from its header and the memory that is free now. Null if it cannot be used. */
  readonly fits: ModelFit | null;
  /** As it was measured here since the server started; null: not measured. */
  readonly speed: ModelSpeed | null;
  readonly hash: ModelHash;
  /** What evaluations of this server found of it, the newest first. Empty: not measured on this machine. */
  readonly measured: readonly MeasuredAccuracy[];
}

/** Whether five chains on a typical question fit in memory. */
export interface ModelFit {
  /** `yes` with room to spare, `tight` without, `no`. */
  readonly fits: 'yes' | 'tight' | 'no';
  /** Whether it takes the layout for little memory. */
  readonly lowMemory: boolean;
  /** Chains at once. */
  readonly samples: number;
  /** All that it takes, and what is free now. */
  readonly memoryBytes: number;
  readonly availableBytes: number;
}

/** How fast a model is here. */
export interface ModelSpeed {
  /** Tokens a second: of one chain alone, and of five together. */
  readonly one: number;
  readonly five: number;
  /** Prompt tokens a second. */
  readonly prompt: number;
  /** Until a typical question with five chains is answered. */
  readonly questionSeconds: number;
  /** ISO 8601. */
  readonly measured: string;
}

/** What is known of the bytes of a model file. */
export interface ModelHash {
  /** Of its file, or of the parts' hashes one a line; null until it has been read (`POST models/:name/hash`, or an ask with a record). */
  readonly sha256: string | null;
  /** Whether that is the hash of a published file or of what ships: `verified`; `unknown` to Meditron; or `unread`. */
  readonly known: 'verified' | 'unknown' | 'unread';
}

/** An accuracy that was measured here. */
export interface MeasuredAccuracy {
  /** Of the evaluation, as `MedQA (test), meditron-7b`. */
  readonly title: string;
  /** As `SC-CoT, 5 samples`. */
  readonly run: string;
  readonly accuracy: Accuracy;
  /** When it was begun: ISO 8601. */
  readonly created: string;
}

/** `POST read`: how a text would be read as a question. No model is needed. Answered with {@link Reading}. */
export interface ReadRequest {
  readonly text: string;
  /** `open` takes all of the text as one open question. Default: by what stands in it. */
  readonly as?: 'open' | undefined;
}

/** How a text was read. `POST ask` takes its `question`, as it is or corrected. */
export interface Reading extends QuestionReading {
  /** In one line, as `a question with 4 options`, and what each line was read as. */
  readonly summary: string;
}

/** The options of the library's `ask()` as far as they are data. */
export type AskSettings = Omit<AskOptions, 'until' | 'signal'>;

/**
 * `POST ask`. With `Accept: text/event-stream` answered with {@link AskStreamEvent}s, else with the {@link Answer}. Without an id the ask ends when
 * its client leaves.
 */
export interface AskRequest extends AskSettings {
  /** Default: the first of the server's. */
  readonly model?: string | undefined;
  /** The question as text, read as `POST read` reads it; or `question`. */
  readonly text?: string | undefined;
  /** The question as JSON; or `text`. */
  readonly question?: Question | undefined;
  /**
   * Keeps the ask in memory under this name, 16 to 64 letters, digits, `-` and `_` that nobody can guess: `GET asks/:id` watches it again after a
   * reload. The same id with the same body watches what runs; with another body it is refused (409).
   */
  readonly id?: string | undefined;
}

/** What `POST ask` and `GET asks/:id` stream: what `askStream` yields as it is, between an event before and one behind it. */
export type AskStreamEvent = AskedEvent | AskEvent | AnswerEvent | FailedEvent;

/** The question has been taken; the model may have to be loaded, or others be waited for, until `plan` comes. */
export interface AskedEvent {
  readonly type: 'asked';
  /** Null if it was given none. */
  readonly id: string | null;
  readonly model: string;
  /** As it is asked. */
  readonly question: Question;
  /** How it was read; null if it came as JSON. */
  readonly reading: Reading | null;
  /** Whether the model is in memory. */
  readonly loaded: boolean;
  /** ISO 8601. */
  readonly created: string;
}

/** The last event of an ask that was answered, stopped ones included. */
export interface AnswerEvent {
  readonly type: 'answer';
  readonly answer: Answer;
}

/** The last event of whatever failed. */
export interface FailedEvent {
  readonly type: 'failed';
  readonly error: Failure;
}

/**
 * `GET asks`. Those that have an id are told to nobody who does not know it: this is how many there are. `GET asks/:id` streams {@link AskStreamEvent}s
 * from the first, or from behind `Last-Event-ID`; with `Accept: application/json` it answers an {@link AskState}. `DELETE asks/:id` stops one that runs:
 * its watchers get the answer of what there is; one that has ended is forgotten.
 */
export interface AsksState {
  readonly running: number;
  readonly ended: number;
  /** How long one goes on without a watcher, and how long one that has ended is kept, in memory. */
  readonly unwatchedSeconds: number;
  readonly keptSeconds: number;
}

/** An ask by its id. */
export interface AskState {
  readonly id: string;
  readonly state: 'running' | 'stopping' | 'answered' | 'failed';
  readonly model: string;
  readonly watchers: number;
  /** Number of the last event. */
  readonly events: number;
  /** Null until it is answered. */
  readonly answer: Answer | null;
}

/** `DELETE` of an ask or a run: what became of it. */
export interface Stopped {
  readonly id: string;
  /** `stopping`: it ended within a step, its watchers get the rest. `forgotten`: it had ended, and is gone. */
  readonly state: 'stopping' | 'forgotten';
}

/**
 * `POST panel`: what several models come to together, by the rule of panels: models of one family count once. They were asked one question, one after
 * the other or at once, in asks that have ended and are still kept. Answered with {@link PanelTold}.
 */
export interface PanelRequest {
  /** Ids of the asks. */
  readonly asks: readonly string[];
  /** Models that were not asked any more, because it was stopped. 2 to 8 models in all. */
  readonly unasked?: readonly string[] | undefined;
}

/** What several models come to; the answer of each is that of its ask. */
export interface PanelTold extends PanelConclusion {
  /** In the order of the request: its asks, then those that were not asked. */
  readonly members: readonly MemberReport[];
  /** All that is needed to run it again with `meditron replay`. */
  readonly evidence: PanelRecord;
}

/** `POST replay`: a record again, of one model or of a panel. Nothing is loaded by the path that a record names. */
export interface ReplayRequest {
  /** A record, or an answer that holds one. */
  readonly record: unknown;
  /** Default: the model of the record's file name, else the first. None for a panel, all of whose models have to be served under their file names. */
  readonly model?: string | undefined;
}

/** What `POST replay` streams. Without `Accept: text/event-stream` the {@link Replay} alone is answered. */
export type ReplayStreamEvent = AskEvent | { readonly type: 'replayed'; readonly replay: Replay } | FailedEvent;

/** The same of a panel, whose models come one after the other; then the {@link PanelReplay}. */
export type PanelReplayStreamEvent =
  | Extract<PanelEvent, { type: 'ask' }>
  | { readonly type: 'replayed'; readonly replay: PanelReplay }
  | FailedEvent;

/** `POST records`: whether a record is as it was written, and says nothing that contradicts itself. Nothing is run. */
export interface RecordRequest {
  readonly record: unknown;
}

/** A record that is as it was written; one that is not is refused with `ERR_INPUT` and the field. */
export interface RecordCheck extends Whereabouts {
  readonly evidence: Evidence;
  /** Null if it does not contradict itself. */
  readonly contradiction: Replay | null;
}

/** The same of the record of a panel. */
export interface PanelCheck {
  readonly panel: PanelRecord;
  /** Null if it does not contradict itself. */
  readonly contradiction: PanelReplay | null;
  /** Where each of its models is, in its order. */
  readonly members: readonly Whereabouts[];
}

/** Where the model of a record is here. */
export interface Whereabouts {
  /** Which of the server's models has the file of that name; null: none. */
  readonly model: string | null;
  /** Whether it is the same file, by SHA-256; null: not known yet. */
  readonly sameFile: boolean | null;
}

/** `POST inspect`: a model of the server's, or (*key*) a file. Answered with {@link Inspection}. */
export interface InspectRequest {
  readonly model?: string | undefined;
  readonly path?: string | undefined;
  /** Reads all of the file. Default false. */
  readonly hash?: boolean | undefined;
}

/** `GET files?folder=` (*key*). Without a folder: where to begin, the person's own folder and what is mounted. */
export interface FolderState {
  readonly folder: string;
  /** Null at the top. */
  readonly parent: string | null;
  /** Where else to begin: the person's folder, the models that ship, sticks, drives. */
  readonly places: readonly { readonly name: string; readonly path: string }[];
  /** Folders first, then files that may be of use, by name; nothing hidden. */
  readonly entries: readonly FolderEntry[];
  /** True if there were more than are listed. */
  readonly cut: boolean;
}

export interface FolderEntry {
  readonly name: string;
  readonly path: string;
  /** By its ending: a model that `POST models` may add, or a file that `POST runs` may read. */
  readonly kind: 'folder' | 'model' | 'questions';
  /** Null of a folder. */
  readonly sizeBytes: number | null;
}

/**
 * `GET models`: {@link ModelState}s. `POST models` (*key*): adds one, by the path of its file; answered with its {@link ModelState}. `POST models/:name/unload`
 * (*key*) gives its memory back once nobody uses it.
 */
export interface AddModelRequest {
  readonly path: string;
}

/** What `POST models/:name/measure` streams: half a minute of typical work on the model. Without `Accept: text/event-stream` the speed alone. */
export type MeasureStreamEvent =
  | { readonly type: 'measuring'; readonly what: 'loading' | 'prompt' | 'one' | 'five'; readonly fraction: number }
  | { readonly type: 'measured'; readonly speed: ModelSpeed }
  | FailedEvent;

/** What `POST models/:name/hash` streams. Without `Accept: text/event-stream` the {@link ModelHash} alone. */
export type HashStreamEvent =
  | { readonly type: 'hashing'; readonly fraction: number }
  | { readonly type: 'hashed'; readonly hash: ModelHash }
  | FailedEvent;

/** `POST chat/room`: what a conversation takes of the context. Answered with {@link ChatRoom}. */
export interface ChatRoomRequest {
  readonly model?: string | undefined;
  readonly messages: readonly Message[];
  /** Default: the one known for the model. */
  readonly format?: FormatName | undefined;
}

/** A conversation's room, in tokens. */
export interface ChatRoom {
  /** Of the whole prompt as the model sees it. */
  readonly used: number;
  /** For the next answer and what comes behind it. */
  readonly left: number;
  /** The longest sequence. */
  readonly context: number;
  /** About how many English words are left, in tens. */
  readonly words: number;
}

/** `GET questions` (benchmarks that can be evaluated, and where to get them). */
export interface BenchmarkState {
  readonly name: string;
  readonly title: string;
  readonly answers: 'choice' | 'yesno' | 'open';
  /** What to download on another computer, and where to put it: one sentence a line. */
  readonly download: readonly string[];
  readonly licence: string;
}

/** `POST runs` (*key*): evaluates a model on questions. Answered with its {@link RunState}; `POST runs/plan` answers {@link RunPlan} and runs nothing. */
export interface RunRequest extends RunOptions {
  /** Default: the first of the server's. */
  readonly model?: string | undefined;
  /** Questions of one's own, by path; or `benchmark`. */
  readonly file?: string | undefined;
  /** A published benchmark; its files are looked for below `data`. */
  readonly benchmark?: string | undefined;
  readonly data?: string | undefined;
  /** Draw demonstrations from this file. */
  readonly demos?: string | undefined;
  /** Where numbers that name right options count from, for files that do not tell. */
  readonly countsFrom?: 0 | 1 | undefined;
  /** Only the first so many questions. */
  readonly limit?: number | undefined;
  readonly parallel?: number | undefined;
  /** The folder of the results. Default: a temporary one, which goes with the server: nothing is kept unless it is said where. */
  readonly out?: string | undefined;
  /** Go on with the results in `out`. */
  readonly resume?: boolean | undefined;
}

/** What an evaluation would be. */
export interface RunPlan {
  readonly title: string;
  readonly questions: number;
  readonly notes: readonly string[];
  /** About; null: the model's speed has not been measured. */
  readonly seconds: number | null;
}

/** `GET runs`: all of the server's evaluations, the newest first; (*key*) as everything below `runs`. */
export interface RunState {
  readonly id: string;
  readonly model: string;
  /** Name of the file of questions; null: a benchmark. */
  readonly file: string | null;
  readonly title: string;
  readonly modes: readonly string[];
  readonly state: 'running' | 'stopping' | 'done' | 'stopped' | 'failed';
  /** The folder of the results, and whether it stays when the server ends. */
  readonly out: string;
  readonly kept: boolean;
  /** ISO 8601. */
  readonly created: string;
  /** What a reader of its figures has to know. */
  readonly notes: readonly string[];
  /** The run that goes on; null before the first. */
  readonly progress: RunProgress | null;
  /** Why it failed. */
  readonly error: Failure | null;
}

/** How far an evaluation has come. */
export interface RunProgress {
  /** As `SC-CoT, 5 samples`; `place` 1 is the first of `runs`. */
  readonly run: string;
  readonly place: number;
  readonly runs: number;
  /** Rows of this run, `resumed` of them from before. */
  readonly done: number;
  readonly resumed: number;
  readonly total: number;
  /** Of the rows that came since it began: right ones, of those with a known answer. */
  readonly right: Rate;
  /** About, until this run's last row; null while it is not known. */
  readonly secondsLeft: number | null;
}

/**
 * What `GET runs/:id` streams: the run as it is, then what happens from then on, or from behind `Last-Event-ID` as far as it is kept. Without
 * `Accept: text/event-stream` it answers the {@link RunState}. `DELETE runs/:id` stops it, what it has stays; one that has ended is forgotten, and its
 * folder with it if it was a temporary one. `POST runs/:id/resume` goes on with one that was stopped or failed; answered with its {@link RunState}.
 */
export type RunStreamEvent =
  | { readonly type: 'run'; readonly run: RunState }
  | { readonly type: 'notes'; readonly notes: readonly string[] }
  | { readonly type: 'progress'; readonly progress: RunProgress; readonly row: RunRow | null }
  /** What befell the engine, or is to be known of the files, in a sentence. */
  | { readonly type: 'incident'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string }
  /** All is done, or it was stopped: the report is to be had of what there is. */
  | { readonly type: 'ended'; readonly run: RunState }
  | FailedEvent;

/** A question that was just answered. */
export interface RunRow {
  readonly item: string;
  readonly answer: string | null;
  /** Absent if there is no right answer to compare with. */
  readonly correct?: boolean;
  readonly decision: string | null;
  readonly error: string | null;
}

/** `GET runs/:id/report`, also while it runs, without any run before the first row; `GET runs/compare?first=ID&second=ID`, in which
 * runs of the first are marked `(1)`, those of the second `(2)`. */
export interface ReportData {
  readonly title: string;
  readonly created: string;
  readonly notes: readonly string[];
  /** What befell the engine, a sentence each. */
  readonly incidents: readonly string[];
  readonly runs: readonly Omit<RunReport, 'outcomes'>[];
  readonly comparisons: readonly Comparison[];
  /** False while rows may still come. */
  readonly complete: boolean;
  /** Rows of all runs, for `GET runs/:id/rows`. */
  readonly rows: number;
}

/**
 * `GET runs/:id/rows?from=0&count=50&run=0&only=wrong`: questions with their chains and verdicts; at most 200 at a time, `only` those that were answered
 * `wrong` or `right`, or `none` (without an answer).
 */
export interface ReportRows {
  readonly from: number;
  /** Rows that match, of which these are some. */
  readonly total: number;
  readonly rows: readonly (ReadRow & {
    /** The place of its run in the report, from 0. */
    readonly run: number;
  })[];
}

/** `GET history` (*key*, as everything below it). Off until somebody turns it on; it is in the state folder of this machine alone. */
export interface HistoryState {
  readonly on: boolean;
  readonly encrypted: boolean;
  /** Encrypted, and the passphrase has not been given since the server started: nothing can be read or added. */
  readonly locked: boolean;
  /** Entries there are; null where nothing can be kept. */
  readonly entries: number | null;
  /** Null if there is no state folder: then history cannot be turned on. */
  readonly folder: string | null;
  readonly bytes: number;
}

/** `POST history`: turns it on or off, which deletes nothing. `DELETE history` takes all of it away. Answered with {@link HistoryState}. */
export interface HistoryRequest {
  readonly on: boolean;
  /**
   * At least 8 characters: encrypts what there is and what comes (AES-256-GCM, a key by scrypt). It is kept nowhere; without it nobody can read the
   * history again.
   */
  readonly passphrase?: string | undefined;
}

/** `POST history/unlock`. `POST history/lock` has no body. */
export interface UnlockRequest {
  readonly passphrase: string;
}

/** `POST history/entries`: adds one; answered with a {@link HistoryItem}. `DELETE history/entries/:id` takes it away. */
export interface AddEntryRequest {
  readonly kind: 'ask' | 'chat';
  /** For the list: at most 200 characters. */
  readonly title: string;
  /** What the page shows of it: an {@link Answer} with its question, or a conversation. */
  readonly data: unknown;
}

/** `GET history/entries` lists them, the newest first. */
export interface HistoryItem {
  readonly id: string;
  /** `damaged`: it is not as it was written, and can only be deleted. */
  readonly kind: 'ask' | 'chat' | 'damaged';
  readonly title: string;
  /** ISO 8601. */
  readonly created: string;
}

/** `GET history/entries/:id`. `GET history/export` answers an array of all that can be read, in clear. */
export interface HistoryEntry extends HistoryItem {
  readonly data: unknown;
}

export type {
  Answer,
  AskEvent,
  Evidence,
  Inspection,
  Message,
  PanelRecord,
  PanelReplay,
  PartialRecord,
  Question,
  QuestionReading,
  Replay,
};
