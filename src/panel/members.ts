import { basename } from 'node:path';
import type { AnswererModel } from '../answerer/answerer.js';
import { type Asked, checkAsked } from '../ask/asked.js';
import type { AskOptions } from '../ask/options.js';
import { outlineOf } from '../ask/plan.js';
import { MeditronError, optionError } from '../check/errors.js';
import { array, checkKeys, object, string } from '../check/options.js';
import { numbersAt, stringsAt } from '../gguf/metadata.js';
import { type GgufFile, readGguf } from '../gguf/reader.js';
import { tokenTypes } from '../gguf/types.js';
import { modelHash } from '../models/identity.js';
import { describeFile, type Inspection } from '../models/inspect.js';
import { modelName } from '../models/names.js';
import type { FormatName } from '../prompt/format/format.js';
import { formatNameOf } from '../prompt/format/formats.js';
import type { Question } from '../prompt/question/question.js';
import { type Family, type FamilyIdentity, familyOf, identityOf } from './family.js';
import { membersOfPanel, type PanelMember } from './types.js';

/** A model of a panel, before it is loaded. */
export interface CheckedMember {
  readonly path: string;
  readonly name: string;
  readonly file: string;
  /** The family that its caller names. */
  readonly called: string | undefined;
  readonly format: FormatName | undefined;
  /** Null if its file cannot be read: then `error` says why. */
  readonly found: {
    readonly inspection: Inspection;
    readonly identity: FamilyIdentity;
    readonly family: Family;
  } | null;
  readonly error: MeditronError | null;
}

/**
 * The models of a panel as they were given, each recognised by its file, before any is loaded. A file that cannot be read is a member that cannot be asked.
 *
 * @throws MeditronError `ERR_OPTION` for a number of models that makes no panel, or the same file twice; `ERR_PROMPT_FORMAT` with the choices for a model whose
 *   format is not known; the signal's reason
 */
export async function checkMembers(
  given: readonly PanelMember[],
  question: Question,
  options: AskOptions,
): Promise<CheckedMember[]> {
  const { least, most } = membersOfPanel;
  if (!Array.isArray(given)) throw optionError('members', 'an array of models', given);
  if (given.length < least || given.length > most)
    throw new MeditronError(
      'ERR_OPTION',
      `Expected ${least} to ${most} models in a panel, got ${given.length}${given.length === 1 ? ': one alone is asked without a panel' : ''}`,
    );
  const members = array('members', given, least, most).map((member, i) => checkMember(member, `members[${i}]`));
  const names = memberNames(members.map(({ path }) => path));
  const checked: CheckedMember[] = [];
  for (const [i, member] of members.entries()) {
    const file = fileOf(member.path);
    const { format = options.format } = member;
    const asked = checkAsked(question, { ...options, format });
    checked.push(await recognised({ path: member.path, name: names[i]!, file, called: member.family, format }, asked));
  }
  await refuseTwins(checked, options.signal);
  return checked;
}

/** Names that tell the models apart: their files', with a number behind one that was there before. */
export function memberNames(paths: readonly string[]): string[] {
  const names: string[] = [];
  for (const path of paths) {
    const stem = modelName(path) || 'model';
    let name = stem;
    for (let i = 2; names.includes(name); i++) name = `${stem} (${i})`;
    names.push(name);
  }
  return names;
}

export function fileOf(path: string): string {
  return basename(path.replaceAll('\\', '/'));
}

function checkMember(value: unknown, name: string): PanelMember {
  const member = object(name, value);
  checkKeys(name, member, ['path', 'family', 'format']);
  const path = string(`${name}.path`, member.path);
  if (path === '') throw optionError(`${name}.path`, 'the path of a model file', path);
  return {
    path,
    ...(member.family !== undefined && { family: checkFamily(`${name}.family`, member.family) }),
    ...(member.format !== undefined && { format: formatNameOf(string(`${name}.format`, member.format)) }),
  };
}

/** A name that a caller gives to a family. */
export function checkFamily(name: string, value: unknown): string {
  const text = string(name, value);
  if (/^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._+-]{0,39}$/u.test(text)) return text;
  throw optionError(name, 'a name of at most 40 letters, digits, spaces and . _ + -', text);
}

async function recognised(member: Omit<CheckedMember, 'found' | 'error'>, asked: Asked): Promise<CheckedMember> {
  const { signal } = asked;
  let file: GgufFile;
  try {
    file = await readGguf(member.path, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof MeditronError)) throw error;
    return { ...member, found: null, error };
  }
  const inspection = describeFile(file);
  const identity = identityOf(file);
  // A wrong format would give wrong answers without any error: such a model is refused, not left out.
  if (inspection.problems.length === 0) await outlineOf(unloaded(inspection, file), asked);
  return { ...member, found: { inspection, identity, family: familyOf(identity, member.called) }, error: null };
}

/** What of a model formats are chosen by, from its file's header alone. */
function unloaded(info: Inspection, { metadata }: GgufFile): AnswererModel {
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type');
  const special = new Map<string, number>();
  for (let id = 0; id < (types?.length ?? 0) && id < (tokens?.length ?? 0); id++)
    if (types![id] === tokenTypes.control || types![id] === tokenTypes.userDefined) special.set(tokens!.at(id), id);
  return { info: { ...info, ends: [] }, special: async text => special.get(text) };
}

/** Models that are known to be of one family and were named apart, in words. */
export function namedApart(members: readonly CheckedMember[]): string[] {
  const known = members.flatMap(({ name, found }) =>
    found ? [{ name, called: found.family.name, own: familyOf(found.identity) }] : [],
  );
  return known.flatMap(({ name, called, own }, i) => {
    const other = known.slice(0, i).find(each => each.own.name === own.name && each.called !== called);
    if (!other) return [];
    const why =
      own.by === 'fingerprint'
        ? 'have the same architecture and vocabulary'
        : `are both of the family ${own.name}, by what is known`;
    return [`${other.name} and ${name} ${why}: they count as two families because they were named so`];
  });
}

/** The same file twice would be counted as two who agree. Files of the same size are compared by their hashes. */
async function refuseTwins(members: readonly CheckedMember[], signal: AbortSignal | undefined): Promise<void> {
  for (const [i, member] of members.entries()) {
    for (const other of members.slice(0, i)) {
      if (await areTwins(member, other, signal))
        throw new MeditronError(
          'ERR_OPTION',
          `Expected different models in a panel, got the same one twice: ${other.path} and ${member.path}`,
        );
    }
  }
}

async function areTwins(a: CheckedMember, b: CheckedMember, signal: AbortSignal | undefined): Promise<boolean> {
  if (a.path === b.path) return true;
  if (!a.found || !b.found || a.found.inspection.sizeBytes !== b.found.inspection.sizeBytes) return false;
  const [one, other] = [await modelHash(a.found.inspection, signal), await modelHash(b.found.inspection, signal)];
  return one.map(({ sha256 }) => sha256).join() === other.map(({ sha256 }) => sha256).join();
}
