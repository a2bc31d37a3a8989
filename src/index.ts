/** @module meditron */

export type {
  After,
  Answerer,
  AnswererModel,
  Choice,
  CompleteOptions,
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
export { type Calibration, type CalibrationGroup, type CalibrationTerms, readCalibration } from './ask/calibration.js';
export type { AskOptions, Debias, PromptSettings, StoredAsk } from './ask/options.js';
export type { Difference } from './ask/record/difference.js';
export { type Replay, type ReplayOptions, replay, replayOn } from './ask/record/replay.js';
export { roomFor } from './ask/room.js';
export type { AnswerSet } from './ask/sets.js';
export {
  type Answer,
  type AnswerSample,
  type AnswerScore,
  type AskEvent,
  type CutSample,
  type Evidence,
  notice,
  type Plan,
  type PromptRecord,
  type Rationale,
  type VoteCounts,
} from './ask/types.js';
export { type MeasuredWidth, measuredWidth, type WidthOptions } from './ask/width.js';
export { type Death, EngineDied, type Phase } from './check/died.js';
export { type ErrorCode, exitCodes, MeditronError } from './check/errors.js';
export type { Lora } from './check/machine.js';
export { Engine } from './engine/engine.js';
export { Held } from './engine/held.js';
export type { LoadedModel } from './engine/info.js';
export type {
  GenerateEvent,
  PromptEvent,
  PromptLogprobs,
  SampleEnd,
  TextEvent,
  TextToken,
} from './engine/jobs/generation.js';
export type {
  BosRule,
  GenerateOptions,
  PrefixOptions,
  Prompt,
  RestoreOptions,
  SaveOptions,
  ScoreOptions,
  TokenizeOptions,
} from './engine/jobs/options.js';
export { type SamplingOptions, samplingDefaults } from './engine/jobs/sampling.js';
export type { Score } from './engine/jobs/scoring.js';
export { Lease, type LeaseSize } from './engine/lease.js';
export { type EngineOptions, Model, type ModelInfo } from './engine/model.js';
export type { EngineCounters, EngineSettings } from './engine/settings.js';
export type { Problem } from './gguf/checklist.js';
export type { IsolateOptions } from './host/host.js';
export { type LoadOptions, loadModel } from './host/load.js';
export type { End, Launch, LaunchOptions, Transport } from './host/transport.js';
export type { ModelBase } from './models/bases.js';
export { type HashOptions, hashFile } from './models/hash.js';
export type { FileHash } from './models/identity.js';
export {
  type Inspection,
  type InspectOptions,
  inspectFile,
  type KvBytes,
  type Quantization,
  type Vocabulary,
  type VocabularyToken,
} from './models/inspect.js';
export { type FormatChoice, formatForModel, type ModelIdentity } from './models/known.js';
export type { GgufSource, ModelFacts } from './models/registry.js';
export type { AddonBuild, Device } from './native/addon.js';
export type { Family } from './panel/family.js';
export { panel } from './panel/panel.js';
export { type PanelReplay, type PanelReplayOptions, replayPanel } from './panel/record/replay.js';
export { type FamilyVerdict, type Opinion, type PanelReason, type PanelVerdict, panelVerdict } from './panel/rule.js';
export type {
  Measurement,
  MemberReport,
  PanelAnswer,
  PanelConclusion,
  PanelEvent,
  PanelMember,
  PanelOptions,
  PanelRecord,
  Position,
} from './panel/types.js';
export { chooseDemonstrations, type Demonstration } from './prompt/format/demonstration.js';
export {
  type FormatName,
  formatNames,
  type Mode,
  modes,
  type PromptFormat,
  type PromptInput,
  type Protocol,
  protocols,
  type Stops,
  type Task,
  tasks,
} from './prompt/format/format.js';
export { formatByName, formats } from './prompt/format/formats.js';
export type { JinjaOptions } from './prompt/format/jinja.js';
export type { Finding, FindingKind } from './prompt/hygiene/hygiene.js';
export type { Marker } from './prompt/hygiene/marker.js';
export { buildPrompt, type Prompt as BuiltPrompt, type Reask } from './prompt/prompt.js';
export {
  type BooleanQuestion,
  type ChatQuestion,
  type ChoiceQuestion,
  type Message,
  type OpenQuestion,
  parseQuestion,
  type Question,
} from './prompt/question/question.js';
export type { ReadingFinding, ReadingKind } from './prompt/question/reading.js';
export type { ReadLine } from './prompt/question/text/draft.js';
export { parseQuestionText, type QuestionReading, readQuestionText } from './prompt/question/text.js';
export type { Finish, Sampling, Segment, TokenLogprob } from './types.js';
export { placePrior } from './vote/count/debias.js';
export type { AbstainReason, Interruption } from './vote/count/decision.js';
export {
  type Mention,
  type MergedRanking,
  mergeRankings,
  type RankedItem,
  type RankedList,
  type RankingOptions,
} from './vote/count/ranking.js';
export { type StopDecision, type StopRule, stopping } from './vote/count/stopping.js';
export { type AnswerReport, type SummaryOptions, summarize, type VoteReport } from './vote/count/summary.js';
export { type AnswerCount, type Ballot, settled, type Vote, vote } from './vote/count/tally.js';
export { type Interval, wilson } from './vote/count/uncertainty.js';
export {
  type AnswerForm,
  type Extraction,
  type ExtractOptions,
  type ExtractRule,
  extract,
  type ReadingRules,
} from './vote/read/extract.js';
export { splitThinking, type ThinkingParts } from './vote/read/thinking.js';
