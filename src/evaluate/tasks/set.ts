import { MeditronError } from '../../check/errors.js';
import { letter, parseQuestion } from '../../prompt/question/question.js';
import { type DataFile, filesOf, fingerprints, missing } from './locate.js';
import { questionOf } from './question.js';
import type { Row } from './row.js';
import { rowsOf } from './table.js';
import type { Item, LoadOptions, Partition, TaskDefinition, TaskSet } from './task.js';

/** How the files of a task are recognised and read. */
export interface Format {
  readonly fits: (head: string, path: string) => boolean;
  /** Overrules what the path says about the partition. */
  readonly partition?: (file: DataFile, head: string) => Partition | undefined;
  /** All rows of one copy of the data set. Returns undefined if this copy is of another variant. */
  readonly read: (rows: readonly Row[], copy: Copy) => Promise<Content | undefined> | Content | undefined;
}

/** One copy of a partition: a file, or the numbered parts of one. */
export interface Copy {
  readonly partition: Partition;
  readonly files: readonly DataFile[];
  /** The folder or file that the user named. */
  readonly source: string;
}

export interface Content {
  readonly items: readonly Item[];
  readonly notes: readonly string[];
  readonly expectedCount?: number | undefined;
  /** Files read besides the copy itself. */
  readonly also?: readonly string[];
}

/** Loads a task whose partition is one file: finds it, reads it, and refuses to choose between copies that differ. */
export async function loadSet(
  task: Omit<TaskDefinition, 'load'>,
  format: Format,
  source: string,
  options: LoadOptions = {},
): Promise<TaskSet> {
  const partition = options.partition ?? task.partition;
  const found = await filesOf(source, format.fits, format.partition);
  const named = found.filter(file => samePartition(file.partition, partition));
  const unnamed = found.filter(file => file.partition === undefined);
  const copies = copiesOf(named.length > 0 ? named : unnamed);
  if (copies.length === 0) {
    const others = found.map(file => file.relative).slice(0, 5);
    const detail =
      others.length > 0 ? `only ${others.join(', ')}, and the ${partition} part is needed` : 'no file has its fields';
    throw await missing(task, source, detail);
  }
  const read: [Copy, Content][] = [];
  for (const files of copies) {
    const rows: Row[] = [];
    for (const file of files) for await (const row of rowsOf(file.path)) rows.push(row);
    if (rows.length === 0) throw new MeditronError('ERR_INPUT', `${files[0]!.path} holds no rows`);
    const content = await format.read(rows, { partition, files, source });
    if (content) read.push([{ partition, files, source }, content]);
  }
  if (read.length === 0) {
    const names = copies.map(files => files[0]!.relative).join(', ');
    throw await missing(task, source, `${names} ${copies.length > 1 ? 'are' : 'is'} another variant of this data set`);
  }
  const [copy, content] = onlyOne(task.title, read);
  const notes = [...content.notes];
  if (named.length === 0) notes.push(`${copy.files[0]!.relative} does not say which part it is; taken as ${partition}`);
  if (read.length > 1)
    notes.push(`${read.length} copies with the same questions and answers; read ${copy.files[0]!.relative}`);
  const paths = [...copy.files.map(file => file.path), ...(content.also ?? [])];
  const expectedCount = content.expectedCount ?? task.counts[partition];
  return finish(task, partition, content.items, notes, expectedCount, paths);
}

/** The common end of every loader: unique ids, duplicates as clusters, counts and gold distribution in the notes. */
export async function finish(
  task: Omit<TaskDefinition, 'load'>,
  partition: Partition,
  read: readonly Item[],
  readNotes: readonly string[],
  expectedCount: number | undefined,
  paths: readonly string[],
): Promise<TaskSet> {
  const ids = new Set<string>();
  for (const { id } of read) {
    if (ids.has(id)) throw new MeditronError('ERR_INPUT', `${paths[0]}: expected every \`id\` once, got "${id}" twice`);
    ids.add(id);
  }
  const notes = [...readNotes];
  if (expectedCount !== undefined && expectedCount !== read.length) {
    notes.push(`${read.length} questions; the complete ${partition} part has ${expectedCount}`);
  }
  // Training parts stay whole: demonstrations are drawn by the numbers of their rows.
  const asked = partition === task.partition ? askable(read, notes) : read;
  if (asked.length === 0) throw new MeditronError('ERR_INPUT', `${paths[0]}: ${notes.at(-1)}`);
  const items = clustered(asked, notes);
  const gold = distribution(items);
  if (gold) notes.push(`right answers: ${gold}`);
  return {
    task: task.name,
    partition,
    items,
    notes,
    ...(expectedCount !== undefined && { expectedCount }),
    files: await fingerprints(paths),
  };
}

/**
 * Published sets hold rows that no model can be asked, as with a blank option. They would count as wrong, whatever the model
 * knows: they are left out, and the notes name them.
 */
function askable(items: readonly Item[], notes: string[]): readonly Item[] {
  const why = new Map<string, string>();
  for (const item of items) {
    try {
      parseQuestion(questionOf(item));
    } catch (error) {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_INPUT') throw error;
      why.set(item.id, error.message);
    }
  }
  if (why.size === 0) return items;
  const [first] = why.values();
  const named = [...why.keys()].slice(0, 50).join(', ');
  const more = why.size > 50 ? ` and ${why.size - 50} more` : '';
  notes.push(
    `${why.size} questions cannot be asked and are left out, neither asked nor counted: ${named}${more} (the first: ${first})`,
  );
  return items.filter(({ id }) => !why.has(id));
}

/** An id for a row of a data set that has none. */
export function numbered(prefix: string, index: number): string {
  return `${prefix}-${String(index + 1).padStart(4, '0')}`;
}

function samePartition(a: Partition | undefined, b: Partition): boolean {
  const plain = (partition: Partition | undefined) => (partition === 'dev' ? 'validation' : partition);
  return plain(a) === plain(b);
}

/** Numbered parts (`test-00000-of-00003.jsonl`) belong together; every other file is a copy of its own. */
function copiesOf(files: readonly DataFile[]): DataFile[][] {
  const copies = new Map<string, DataFile[]>();
  for (const file of files) {
    const part = /^(.*)-\d{5}-of-(\d{5})(\.\w+)$/.exec(file.path);
    const key = part ? `${part[1]}|${part[2]}|${part[3]}` : file.path;
    copies.set(key, [...(copies.get(key) ?? []), file]);
    if (part && copies.get(key)!.length > Number(part[2]))
      throw new MeditronError('ERR_INPUT', `${file.path}: too many parts`);
  }
  for (const [key, parts] of copies) {
    const total = key.includes('|') ? Number(key.split('|')[1]) : 1;
    if (parts.length !== total) {
      throw new MeditronError('ERR_INPUT', `${parts[0]!.path}: expected ${total} parts beside it, got ${parts.length}`);
    }
  }
  return [...copies.values()];
}

function onlyOne<T extends readonly [Copy, Content]>(title: string, read: readonly T[]): T {
  const kinds = new Set(
    read.map(([, { items }]) => JSON.stringify(items.map(({ question, options, gold }) => [question, options, gold]))),
  );
  if (kinds.size === 1) return read[0]!;
  const names = read.map(([copy, { items }]) => `${copy.files[0]!.path} (${items.length} questions)`).join('\n  ');
  throw new MeditronError(
    'ERR_INPUT',
    `Several ${title} files that differ; name the one to use as the data folder:\n  ${names}`,
  );
}

/** Marks questions that occur more than once: same text, options and answer. */
function clustered(items: readonly Item[], notes: string[]): Item[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = JSON.stringify([item.question, item.options, item.context]);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  const clusters = new Map<Item, string>();
  let repeated = 0;
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    repeated += group.length - 1;
    for (const item of group) clusters.set(item, group[0]!.id);
    if (new Set(group.map(item => item.gold)).size > 1) {
      notes.push(`the same question has different right answers in ${group.map(item => item.id).join(', ')}`);
    }
  }
  if (repeated > 0)
    notes.push(`${repeated} questions repeat an earlier one; each group is one cluster (${groups.size} distinct)`);
  return items.map(item => {
    const cluster = item.cluster ?? clusters.get(item);
    return cluster === undefined ? item : { ...item, cluster };
  });
}

function distribution(items: readonly Item[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { gold } of items) {
    if (gold === undefined) continue;
    const name = typeof gold === 'number' ? letter(gold) : gold;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return undefined;
  const order = (name: string) => (name.length === 1 ? name : { yes: '1', no: '2', maybe: '3' }[name]!);
  const sorted = [...counts].sort(([a], [b]) => (order(a) < order(b) ? -1 : 1));
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
}
