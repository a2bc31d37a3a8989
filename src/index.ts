export type {
  Answerer,
  AnswererModel,
  Choice,
  Completion,
  CompletionEvent,
  Description,
  Fit,
  Request,
  RequestedPrompt,
  RequestedSample,
  Session,
} from './answerer/answerer.js';
export { type AskEngine, answererOf, type Beginning } from './answerer/engine.js';
export type { AskModel } from './answerer/measure.js';
export { ask, askStream } from './ask/ask.js';
export type { AskOptions } from './ask/options.js';
export type { Difference } from './ask/record/difference.js';
export { type Replay, type ReplayOptions, replay, replayOn } from './ask/record/replay.js';
export { roomFor } from './ask/room.js';
export {
  type Answer,
  type AnswerSample,
  type AnswerScore,
  type AskEvent,
  type Evidence,
  notice,
  type Plan,
  type VoteCounts,
} from './ask/types.js';
export { type Death, EngineDied, type Phase } from './check/died.js';
export { type ErrorCode, exitCodes, MeditronError } from './check/errors.js';
export { Engine } from './engine/engine.js';
export { Held } from './engine/held.js';
export type { LoadedModel } from './engine/info.js';
export type { GenerateEvent, SampleEnd } from './engine/jobs/generation.js';
export type {
  BosRule,
  GenerateOptions,
  LeaseSize,
  PrefixOptions,
  Prompt,
  RestoreOptions,
  SaveOptions,
  ScoreOptions,
  TokenizeOptions,
} from './engine/jobs/options.js';
export { type SamplingOptions, samplingDefaults } from './engine/jobs/sampling.js';
export type { Score } from './engine/jobs/scoring.js';
export { Lease } from './engine/lease.js';
export { type EngineOptions, Model, type ModelInfo } from './engine/model.js';
export type { EngineCounters, EngineSettings } from './engine/settings.js';
export type { IsolateOptions } from './host/host.js';
export { type LoadOptions, loadModel } from './host/load.js';
export type { End, Launch, LaunchOptions, Transport } from './host/transport.js';
export { type HashOptions, hashFile } from './models/hash.js';
export { type Inspection, inspectFile } from './models/inspect.js';
export { type FormatChoice, formatForModel, type ModelIdentity } from './models/known.js';
export { chooseDemonstrations, type Demonstration } from './prompt/format/demonstration.js';
export type { FormatName, Mode, PromptFormat, PromptInput, Protocol, Task } from './prompt/format/format.js';
export { formatByName, formats } from './prompt/format/formats.js';
export type { Finding } from './prompt/hygiene/hygiene.js';
export { buildPrompt, type Prompt as BuiltPrompt } from './prompt/prompt.js';
export { parseQuestion, type Question } from './prompt/question/question.js';
export type { ReadingFinding } from './prompt/question/reading.js';
export { parseQuestionText, type QuestionReading, readQuestionText } from './prompt/question/text.js';
export type { Finish, Sampling, Segment } from './types.js';
export { placePrior } from './vote/count/debias.js';
export { type MergedRanking, mergeRankings } from './vote/count/ranking.js';
export { type StopRule, stopping } from './vote/count/stopping.js';
export { summarize, type VoteReport } from './vote/count/summary.js';
export { type Ballot, settled, type Vote, vote } from './vote/count/tally.js';
export { wilson } from './vote/count/uncertainty.js';
export { type AnswerForm, type Extraction, extract } from './vote/read/extract.js';
