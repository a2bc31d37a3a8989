export {
  type Answer,
  type AnswerSample,
  type AnswerScore,
  type AskEvent,
  notice,
  type VoteCounts,
} from './ask/answer.js';
export { ask, askStream } from './ask/ask.js';
export type { Evidence } from './ask/evidence.js';
export type { AskOptions } from './ask/options.js';
export type { Plan } from './ask/prepare.js';
export { type Difference, type Replay, type ReplayOptions, replay, replayOn } from './ask/replay.js';
export { roomFor } from './ask/room.js';
export type { AskEngine, AskModel } from './ask/surface.js';
export { type HashOptions, hashFile } from './catalog/hash.js';
export { type Inspection, inspectFile } from './catalog/inspect.js';
export { Engine } from './engine/engine.js';
export type { GenerateEvent, SampleEnd } from './engine/generation.js';
export { Held } from './engine/held.js';
export type { BosRule, GenerateOptions, Prompt, ScoreOptions } from './engine/job.js';
export { type EngineOptions, type LoadOptions, loadModel, Model, type ModelInfo } from './engine/model.js';
export { type SamplingOptions, samplingDefaults } from './engine/sampling.js';
export type { Score } from './engine/scoring.js';
export type { EngineCounters, EngineSettings } from './engine/settings.js';
export { type ErrorCode, exitCodes, MeditronError } from './errors.js';
export { chooseDemonstrations, type Demonstration } from './prompt/demonstration.js';
export type { FormatName, Mode, PromptFormat, PromptInput, Protocol, Task } from './prompt/format.js';
export { formatByName, formats } from './prompt/formats.js';
export type { Finding } from './prompt/hygiene.js';
export { buildPrompt, type Prompt as BuiltPrompt } from './prompt/prompt.js';
export { parseQuestion, type Question } from './prompt/question.js';
export { type FormatChoice, formatForModel, type ModelIdentity } from './prompt/registry.js';
export { parseQuestionText } from './prompt/text.js';
export type { Finish, Sampling, Segment } from './types.js';
export { placePrior } from './vote/debias.js';
export { type AnswerForm, type Extraction, extract } from './vote/extract.js';
export { type MergedRanking, mergeRankings } from './vote/ranking.js';
export { type StopRule, stopping } from './vote/stopping.js';
export { summarize, type VoteReport } from './vote/summary.js';
export { type Ballot, settled, type Vote, vote } from './vote/tally.js';
export { wilson } from './vote/uncertainty.js';
