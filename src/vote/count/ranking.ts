import { array, integer, number, object, string } from '../../check/options.js';
import { foldName, splitName } from './name.js';
import { type Interval, wilson } from './uncertainty.js';

/** The list of one sample, best first. A sample that gave no list has no items. */
export interface RankedList {
  /** The sample's index. */
  readonly index: number;
  /** Names, the most likely first. */
  readonly items: readonly string[];
}

/** Where one sample named a thing. */
export interface Mention {
  /** The sample's index. */
  readonly index: number;
  /** Where the sample ranked it, from 1. */
  readonly rank: number;
  /** What the sample called it. */
  readonly as: string;
}

/** A thing that samples named, with all its spellings. */
export interface RankedItem {
  /** The name most samples used; of equally frequent ones the longest, because it explains itself. */
  readonly name: string;
  /** Every spelling that was merged, as written, in order of first appearance; an abbreviation with what it stands for. */
  readonly merged: readonly string[];
  /** Sum over the samples of 1 / (k + rank). Only the order means something. */
  readonly score: number;
  /** How many samples named it. */
  readonly named: number;
  /** How many samples were run. */
  readonly of: number;
  /** 95 % Wilson bounds of how often this model would name it again; undefined unless all planned samples ran. */
  readonly wilson: Interval | undefined;
  /** The best rank that a sample gave it, from 1. */
  readonly bestRank: number;
  /** Who named it, by sample index. */
  readonly mentions: readonly Mention[];
}

/** What several ranked lists come to together. */
export interface MergedRanking {
  /** By score; equal scores by how many samples named it, then by best rank, then by first mention. */
  readonly items: readonly RankedItem[];
  /** The samples that were run; those without a usable list are among them. */
  readonly samples: number;
  /** Samples that were run and gave no usable list. */
  readonly withoutList: number;
  /** Samples that were to run. */
  readonly planned: number;
  /** Samples that were planned and not run. */
  readonly notRun: number;
  /** The constant of reciprocal rank fusion that was used. */
  readonly k: number;
}

/** How lists are merged. */
export interface RankingOptions {
  /** How many samples were planned; default: as many as lists. */
  readonly planned?: number;
  /**
   * The constant of reciprocal rank fusion: 60 as published for long lists of search results (Cormack, Clarke and Büttcher,
   * SIGIR 2009), where nearly only the number of mentions counts; 0 for plain 1 / rank. Default 60.
   */
  readonly k?: number;
}

/**
 * Merges the ranked lists of several samples by reciprocal rank over folded names. A sample that names the same thing twice
 * counts once, at its better rank. Each abbreviation that some sample explained, as in "pulmonary embolism (PE)", also
 * stands for that name when it is alone, unless samples explained it differently.
 */
export function mergeRankings(lists: readonly RankedList[], options: RankingOptions = {}): MergedRanking {
  for (const list of array('lists', lists, 0, 100_000)) {
    const { index, items } = object('list', list) as unknown as RankedList;
    integer('list.index', index, 0, 100_000);
    for (const item of array('list.items', items, 0, 100_000)) string('list.items', item);
  }
  object('options', options);
  const planned = integer('planned', options.planned ?? lists.length, lists.length, 100_000);
  const k = number('k', options.k ?? 60, 0, 1e6);
  const ordered = [...lists].sort((a, b) => a.index - b.index);
  const meaning = abbreviations(ordered);
  const groups = new Map<string, Mention[]>();
  for (const { index, items } of ordered) {
    for (const [i, as] of items.entries()) {
      const key = keyOf(as, meaning);
      if (key === '') continue;
      const group = groups.get(key);
      if (group) group.push({ index, rank: i + 1, as });
      else groups.set(key, [{ index, rank: i + 1, as }]);
    }
  }
  const all = { of: lists.length, complete: planned === lists.length, k };
  const items = [...groups.values()].map(group => itemFrom(group, all)).sort(byScore);
  const withoutList = lists.filter(list => list.items.length === 0).length;
  return { items, samples: lists.length, withoutList, planned, notRun: planned - lists.length, k };
}

/** Every explained abbreviation with the folded name it stands for; undefined where samples disagree. */
function abbreviations(lists: readonly RankedList[]): Map<string, string | undefined> {
  const meaning = new Map<string, string | undefined>();
  for (const text of lists.flatMap(list => list.items)) {
    const { name, abbreviation } = splitName(text);
    if (abbreviation === undefined) continue;
    const [short, long] = [foldName(abbreviation), foldName(name)];
    meaning.set(short, !meaning.has(short) || meaning.get(short) === long ? long : undefined);
  }
  return meaning;
}

function keyOf(text: string, meaning: ReadonlyMap<string, string | undefined>): string {
  const folded = foldName(splitName(text).name);
  return meaning.get(folded) ?? folded;
}

function itemFrom(group: readonly Mention[], all: { of: number; complete: boolean; k: number }): RankedItem {
  const mentions = [...new Map([...group].reverse().map(mention => [mention.index, mention])).values()].reverse();
  const spellings = new Map<string, number>();
  for (const { as } of group) spellings.set(as, (spellings.get(as) ?? 0) + 1);
  const byUse = [...spellings].sort(([a, na], [b, nb]) => nb - na || b.length - a.length);
  return {
    name: byUse[0]![0],
    merged: [...spellings.keys()],
    score: mentions.reduce((sum, { rank }) => sum + 1 / (all.k + rank), 0),
    named: mentions.length,
    of: all.of,
    wilson: all.complete ? wilson(mentions.length, all.of) : undefined,
    bestRank: Math.min(...mentions.map(m => m.rank)),
    mentions,
  };
}

function byScore(a: RankedItem, b: RankedItem): number {
  // Sums of the same fractions in another order may differ in the last bit; that must not decide.
  if (Math.abs(a.score - b.score) > 1e-12) return b.score - a.score;
  return b.named - a.named || a.bestRank - b.bestRank || a.mentions[0]!.index - b.mentions[0]!.index;
}
