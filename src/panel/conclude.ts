import type { Answer, Rationale } from '../ask/types.js';
import { type MergedRanking, mergeRankings } from '../vote/count/ranking.js';
import { type FamilyVerdict, type Opinion, panelVerdict } from './rule.js';
import type { MemberReport, PanelConclusion, Position } from './types.js';

/** What of a model's answer the panel's conclusion follows from. */
export type Heard = Pick<Answer, 'answer' | 'decision' | 'reason' | 'ranking' | 'rationale' | 'dissent'>;

/** A model of a panel and what it came to. */
export interface Spoken {
  readonly name: string;
  /** Of one whose file could not be read a name of its own. */
  readonly family: string;
  /** Null: it was not heard. */
  readonly answer: Heard | null;
}

/** The models as they stand in a report, with what each came to. A file that could not be read has a family of its own. */
export function spokenOf(
  members: readonly Pick<MemberReport, 'name' | 'family'>[],
  answers: readonly (Heard | null)[],
): Spoken[] {
  return members.map(({ name, family }, i) => ({
    name,
    family: family?.name ?? `(${name})`,
    answer: answers[i] ?? null,
  }));
}

/** What the models of a panel come to. Pure. */
export function concludePanel(spoken: readonly Spoken[], interrupted: 'deadline' | 'aborted' | null): PanelConclusion {
  const ranking = spoken.some(({ answer }) => answer?.ranking) ? listsOf(spoken) : null;
  const named = spoken.map(member => withNames(member, ranking));
  const opinions = named.map(({ family, answer }): Opinion => {
    const decides = answer?.decision === 'agree';
    return { family, heard: answer !== null, answer: decides ? answer.answer : null };
  });
  const verdict = panelVerdict(opinions, interrupted ?? undefined);
  // Whether there is a vote is known once one has answered.
  const heard = spoken.flatMap(({ answer }) => answer ?? []);
  const counted = heard.length === 0 || heard.some(({ decision }) => decision !== null);
  const positions = positionsOf(named, verdict.families);
  return {
    ...verdict,
    decision: counted ? verdict.decision : null,
    reason: counted ? verdict.reason : null,
    summary: counted ? summaryOf(verdict) : 'Texts side by side: there is nothing to count',
    support: positions.find(({ answer }) => answer === verdict.answer) ?? null,
    dissent: positions.filter(({ answer }) => answer !== verdict.answer),
    ranking: ranking?.merged ?? null,
  };
}

interface Lists {
  readonly merged: MergedRanking;
  /** What the panel calls a thing that a model calls so. */
  readonly nameOf: (member: string, name: string) => string;
}

/**
 * The lists of a panel: those of a family's models are merged into one, then those of the families, each counting once. A model that
 * was not made for the question gives none.
 */
function listsOf(spoken: readonly Spoken[]): Lists {
  const lists = spoken.map(({ answer }, index) => ({
    index,
    items: answer?.ranking && answer.reason !== 'out_of_scope' ? answer.ranking.items.map(({ name }) => name) : [],
  }));
  const all = mergeRankings(lists);
  const names = new Map(
    all.items.flatMap(({ name, mentions }) =>
      mentions.map(mention => [`${mention.index} ${mention.as}`, name] as const),
    ),
  );
  const nameOf = (index: number, as: string) => names.get(`${index} ${as}`) ?? as;
  const families = [...new Set(spoken.filter(({ answer }) => answer !== null).map(({ family }) => family))];
  const perFamily = families.map((family, index) => {
    const own = lists.filter((_, i) => spoken[i]!.family === family && spoken[i]!.answer !== null);
    const renamed = own.map(({ index: member, items }) => ({
      index: member,
      items: items.map(as => nameOf(member, as)),
    }));
    return { index, items: mergeRankings(renamed).items.map(({ name }) => name) };
  });
  const place = new Map(spoken.map(({ name }, i) => [name, i]));
  return { merged: mergeRankings(perFamily), nameOf: (member, as) => nameOf(place.get(member)!, as) };
}

/** With things called as the panel calls them, so that two spellings are one answer. */
function withNames(member: Spoken, lists: Lists | null): Spoken {
  const { answer, name } = member;
  if (!lists || !answer) return member;
  const renamed = <T extends Rationale | null>(given: T): T =>
    (given && { ...given, answer: lists.nameOf(name, given.answer) }) as T;
  return {
    ...member,
    answer: {
      ...answer,
      answer: answer.answer === null ? null : lists.nameOf(name, answer.answer),
      rationale: renamed(answer.rationale),
      dissent: renamed(answer.dissent),
    },
  };
}

const standings = ['decided', 'undecided', 'minority'] as const;

/** Every answer that a model gives or some of its chains give, those of the most families first. */
function positionsOf(spoken: readonly Spoken[], families: readonly FamilyVerdict[]): Position[] {
  const decidedBy = (answer: string) => families.filter(each => each.answer === answer).map(({ family }) => family);
  const heard = spoken.flatMap(({ name, family, answer }) => (answer ? [{ name, family, ...answer }] : []));
  const answers = new Set(heard.flatMap(({ answer, dissent }) => [answer, dissent?.answer ?? null]));
  answers.delete(null);
  return [...(answers as Set<string>)]
    .map((answer): Position => {
      const decided = decidedBy(answer);
      const givers = heard.filter(each => each.answer === answer);
      const minority = heard.filter(({ dissent }) => dissent?.answer === answer);
      const standing = decided.length > 0 ? 'decided' : givers.length > 0 ? 'undecided' : 'minority';
      const voices = [
        ...givers.filter(({ family }) => decided.includes(family)),
        ...givers.filter(({ decision }) => decision === 'agree'),
        ...givers,
      ].map(({ name, rationale }) => ({ name, rationale }));
      const voice = [...voices, ...minority.map(({ name, dissent }) => ({ name, rationale: dissent }))].find(
        ({ rationale }) => rationale !== null,
      );
      return {
        answer,
        families: decided,
        members: (givers.length > 0 ? givers : minority).map(({ name }) => name),
        standing,
        rationale: voice ? { member: voice.name, sample: voice.rationale!.sample, text: voice.rationale!.text } : null,
      };
    })
    .sort(
      (a, b) =>
        standings.indexOf(a.standing) - standings.indexOf(b.standing) ||
        b.families.length - a.families.length ||
        b.members.length - a.members.length,
    );
}

type Counted = Pick<PanelConclusion, 'reason' | 'answer' | 'heard' | 'decided' | 'agreeing' | 'needed' | 'families'>;

/** The counts in words; never a percentage, which would read as a probability of being right. */
export function summaryOf(counted: Counted): string {
  const { reason, answer, heard, decided, agreeing, needed, families } = counted;
  const counts =
    answer === null ? `${decided} of ${familiesInWords(heard)} decided` : `${agreeing} of ${familiesInWords(heard)}`;
  const unheard = families.length - heard;
  const told = `${counts}${unheard > 0 ? `, ${unheard} not heard` : ''}`;
  return reason === null ? told : `${told}. ${why(reason, needed)}`;
}

function familiesInWords(count: number): string {
  return `${count} ${count === 1 ? 'family' : 'families'}`;
}

function why(reason: NonNullable<Counted['reason']>, needed: number): string {
  return {
    families_differ: 'The families differ.',
    too_few_families: `Fewer than ${needed} families have an answer that they agree on with themselves.`,
    one_family: 'All models are of one family: there is no second opinion.',
    deadline: 'The time was up before all models had been heard.',
    aborted: 'It was stopped before all models had been heard.',
  }[reason];
}
