import { concluded } from '../../ask/record/compare.js';
import { type Difference, firstPart, inWords } from '../../ask/record/difference.js';
import { contradicted, type Replay, recordedLoad, replayWith, termsOf } from '../../ask/record/replay.js';
import type { Evidence } from '../../ask/types.js';
import { MeditronError } from '../../check/errors.js';
import { array, checkKeys, object, string } from '../../check/options.js';
import { packageVersion } from '../../check/project.js';
import type { Model } from '../../engine/model.js';
import { readGguf } from '../../gguf/reader.js';
import { type LoadOptions, loadModel } from '../../host/load.js';
import { concludePanel, type Heard, spokenOf } from '../conclude.js';
import { type Family, familyOf, identityOf } from '../family.js';
import { memberNames } from '../members.js';
import type { PanelEvent, PanelRecord } from '../types.js';
import { readPanel } from './schema.js';

/** What running a panel again came to. */
export interface PanelReplay {
  /** True if everything that was compared is as in the record. */
  readonly same: boolean;
  /** The first difference; null if there is none. */
  readonly difference: Difference | null;
  /** The name of the model in whose answer it is; null: in what the panel made of the answers, or nowhere. */
  readonly member: string | null;
  /** What was found, in one sentence. */
  readonly summary: string;
  /** What is not as it was when the record was made, and can explain a difference. */
  readonly environment: readonly string[];
  /** What running each model again came to; null for one that did not answer then, or was not run because another had differed. */
  readonly members: readonly {
    /** What the model is called in the record. */
    readonly name: string;
    /** As `replay` gives it. */
    readonly replay: Replay | null;
  }[];
}

/** How a panel is run again. */
export interface PanelReplayOptions {
  /** Where the models are now, in the record's order; default: where they were. */
  readonly modelPaths?: readonly string[] | undefined;
  /** Run each model in a process of its own: see `loadModel`. Default false. */
  readonly isolate?: LoadOptions['isolate'];
  /** Cancels: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what happens meanwhile. */
  readonly onEvent?: ((event: PanelEvent) => void) | undefined;
}

/** What is in the record of a panel and not compared, beside what is not in those of its models. */
export const notComparedOfPanel = ['created', 'members[].measured', 'members[].error'] as const;

/**
 * Runs a recorded panel again, one model after the other, and says whether each answers as it did, and whether the same follows from their answers. What is
 * compared of each is what `replay` compares; a model that failed then is not asked now.
 *
 * @throws MeditronError `ERR_INPUT` if it is no record of a panel, with the field; what loadModel and `askStream` throw
 */
export async function replayPanel(value: unknown, options: PanelReplayOptions = {}): Promise<PanelReplay> {
  checkKeys('replayPanel()', object('options', options), ['modelPaths', 'isolate', 'signal', 'onEvent']);
  const { isolate, signal, onEvent } = options;
  const record = readPanel(value);
  const paths = pathsOf(record, options.modelPaths);
  const models: PanelModels = {
    paths,
    async use(i, evidence, work) {
      await using model = await loadModel({
        ...recordedLoad(evidence),
        path: paths[i]!,
        isolate,
        signal,
        onProgress: fraction => onEvent?.({ type: 'loading', member: i, fraction }),
      });
      return await work(model);
    },
  };
  return replayPanelOn(record, models, options);
}

/** @internal The models of a panel, in the order of its record. */
export interface PanelModels {
  /** Where their files are now; of one that did not answer nothing is read. */
  readonly paths: readonly string[];
  /** Does something with a model that is loaded for it. */
  use<T>(i: number, evidence: Evidence, work: (model: Model) => Promise<T>): Promise<T>;
}

type Watching = Pick<PanelReplayOptions, 'signal' | 'onEvent'>;

/** @internal {@link replayPanel} on models from wherever. */
export async function replayPanelOn(
  record: PanelRecord,
  models: PanelModels,
  watching: Watching,
): Promise<PanelReplay> {
  const refused = contradictedPanel(record);
  if (refused) return refused;
  const environment: string[] = [];
  if (record.meditron !== packageVersion())
    environment.push(`meditron: ${record.meditron} then, ${packageVersion()} now`);
  const done: Again[] = [];
  for (const [i, { name, evidence }] of record.members.entries()) {
    if (!evidence) {
      done.push({ replay: null, heard: null });
      continue;
    }
    const again = await memberAgain(record, i, evidence, models, watching);
    done.push(again);
    environment.push(...(again.replay?.environment.map(line => `${name}: ${line}`) ?? []));
    if (again.difference) return differs(record, again.difference, name, environment, done);
  }
  const difference = resultDifference(
    record,
    done.map(({ heard }) => heard),
  );
  if (difference) return differs(record, difference, null, environment, done);
  const count = done.filter(({ heard }) => heard).length;
  const summary = `The same: ${count} model${count === 1 ? '' : 's'}, each with ${sameInWords}, and what follows from them`;
  return { same: true, difference: null, member: null, summary, environment, members: named(record, done) };
}

/** @internal What a replay of a record that contradicts itself comes to, without running anything. */
export function contradictedPanel(record: PanelRecord): PanelReplay | undefined {
  const damage = panelContradiction(record);
  return damage && differs(record, damage, null, [], []);
}

const sameInWords = 'its prompts, every token of its samples and its vote';

interface Again {
  readonly replay: Replay | null;
  /** What the record's samples come to, read and counted again. */
  readonly heard: Heard | null;
  readonly difference?: Difference;
}

async function memberAgain(
  record: PanelRecord,
  i: number,
  evidence: Evidence,
  models: PanelModels,
  { signal, onEvent }: Watching,
): Promise<Again> {
  const file = await readGguf(models.paths[i]!, signal ? { signal } : {});
  const other = familyDifference(record, i, familyOf(identityOf(file), record.members[i]!.called ?? undefined));
  if (other) return { replay: null, heard: null, difference: other };
  return models.use(i, evidence, async model => {
    const replay = await replayWith(model, evidence, {
      signal,
      onEvent: event => onEvent?.({ type: 'ask', member: i, event }),
    });
    if (replay.difference) return { replay, heard: null, difference: replay.difference };
    return { replay, heard: concluded(evidence, await termsOf({ model }, evidence)) };
  });
}

/** Whether a model's family is the one that is found now. */
function familyDifference({ members }: PanelRecord, i: number, now: Family): Difference | undefined {
  const part = firstPart(now, members[i]!.family, `members[${i}].family`);
  return part && { where: 'record', ...part };
}

/** Whether what the panel came to follows from the answers of its models. */
export function resultDifference(record: PanelRecord, heard: readonly (Heard | null)[]): Difference | undefined {
  const now = concludePanel(spokenOf(record.members, heard), record.interrupted);
  const part = firstPart(JSON.parse(JSON.stringify(now)), record.result, 'result');
  return part && { where: 'record', ...part };
}

/** Where a record of a panel contradicts itself, before anything runs. Pure. */
export function panelContradiction(record: PanelRecord): Difference | undefined {
  for (const { evidence } of record.members) {
    const damage = evidence && contradicted(evidence)?.difference;
    if (damage) return damage;
  }
  for (const [path, expected, got] of derived(record)) {
    const part = firstPart(expected, got, path);
    if (part) return { where: 'record', ...part };
  }
  return undefined;
}

/** What follows from other fields. */
function* derived({ members, interrupted, result }: PanelRecord): Generator<readonly [string, unknown, unknown]> {
  yield [
    'members.length (result.families)',
    countOf(result.families.flatMap(family => family.members)),
    members.length,
  ];
  const names = memberNames(members.map(({ file }) => file));
  const asked = members.find(({ evidence }) => evidence)?.evidence;
  for (const [i, { name, file, called, family, state, error, evidence, measured }] of members.entries()) {
    const at = `members[${i}]`;
    yield [`${at}.name`, names[i], name];
    yield [`${at}.state`, evidence ? 'answered' : error ? 'failed' : 'not-asked', state];
    if (evidence && error) yield [`${at}.error`, null, error];
    if (called !== null) yield [`${at}.family`, { name: called, by: 'caller' }, family];
    if (called === null && family?.by === 'caller') yield [`${at}.called`, family.name, called];
    if (!evidence) {
      if (measured) yield [`${at}.measured`, null, measured];
      continue;
    }
    yield [`${at}.file`, evidence.model.file, file];
    yield [`${at}.evidence.questionSha256`, asked!.questionSha256, evidence.questionSha256];
  }
  const whole = members.every(({ evidence, error }) => (evidence ? !isCut(evidence) : error !== null));
  yield ['interrupted', whole ? null : (interrupted ?? 'aborted'), interrupted];
  // What lists come to together follows from all of their items, which a replay merges again.
  if (members.some(({ evidence }) => evidence?.asked.mode === 'ranked')) return;
  const told = concludePanel(spokenOf(members, members.map(resultAlone)), interrupted);
  for (const name of fromResults) yield [`result.${name}`, told[name], result[name]];
}

/** Of a panel's result, what follows from what its models came to, without their reasons. */
const fromResults = [
  'decision',
  'reason',
  'answer',
  'families',
  'heard',
  'decided',
  'needed',
  'agreeing',
  'summary',
] as const;

function resultAlone({ evidence }: PanelRecord['members'][number]): Heard | null {
  if (!evidence) return null;
  const { answer, decision, reason = null } = evidence.result;
  return { answer, decision, reason, ranking: null, rationale: null, dissent: null };
}

/** 1 + the highest place that is named. */
function countOf(places: readonly number[]): number {
  return Math.max(-1, ...places) + 1;
}

function isCut({ result: { reason } }: Evidence): boolean {
  return reason === 'aborted' || reason === 'deadline';
}

function pathsOf(record: PanelRecord, given: PanelReplayOptions['modelPaths']): readonly string[] {
  const { members } = record;
  if (given === undefined) return members.map(({ evidence }) => evidence?.model.path ?? '');
  const paths = array('modelPaths', given, 0, 64).map((path, i) => string(`modelPaths[${i}]`, path));
  if (paths.length === members.length) return paths;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected the paths of ${members.length} models, in this order: ${members.map(({ file }) => file).join(', ')}; got ${paths.length}`,
  );
}

function named({ members }: PanelRecord, done: readonly Again[]): PanelReplay['members'] {
  return members.map(({ name }, i) => ({ name, replay: done[i]?.replay ?? null }));
}

function differs(
  record: PanelRecord,
  difference: Difference,
  member: string | null,
  environment: readonly string[],
  done: readonly Again[],
): PanelReplay {
  const words = inWords(difference);
  const summary = member === null ? words : `${member}: ${words}`;
  return { same: false, difference, member, summary, environment, members: named(record, done) };
}
