import { array, boolean, object, oneOf, string } from '../check/options.js';

/** What one model of a panel came to, as far as the rule needs it. */
export interface Opinion {
  /** Its family: models of one family can be wrong for one reason, and count once. */
  readonly family: string;
  /** False: it could not be loaded, died, or was not reached. */
  readonly heard: boolean;
  /** Its answer, if its own vote agreed on one. Null: its vote was split, or abstained for whatever reason. */
  readonly answer: string | null;
}

/** What a family comes to. */
export interface FamilyVerdict {
  /** Its name. */
  readonly family: string;
  /** Places of its models in the panel. */
  readonly members: readonly number[];
  /** What it says; null unless it `decided`. */
  readonly answer: string | null;
  /**
   * `decided`: those of its models that agree with themselves all say the same. `undecided`: none of them agrees with itself.
   * `contradicts-itself`: two of them agree with themselves on different answers. `unheard`: none of them could be asked.
   */
  readonly standing: 'decided' | 'undecided' | 'contradicts-itself' | 'unheard';
}

/** Why a panel does not agree. */
export type PanelReason =
  | 'families_differ' // two families decided differently
  | 'too_few_families' // fewer than two families, or fewer than half of those heard, decided
  | 'one_family' // all models are of one family: there is no second opinion
  | 'deadline' // the time was up before all models had been heard
  | 'aborted'; // the caller stopped it before all models had been heard

/** What a panel comes to. */
export interface PanelVerdict {
  /** See {@link panelVerdict}. */
  readonly decision: 'agree' | 'split' | 'abstain';
  /** Null for `agree`. */
  readonly reason: PanelReason | null;
  /** What most of the families that decided say, whatever the decision is; null if none decided, or two answers have equally many. */
  readonly answer: string | null;
  /** In the order of their first models. */
  readonly families: readonly FamilyVerdict[];
  /** Families of which a model was heard. */
  readonly heard: number;
  /** Families that decided. */
  readonly decided: number;
  /** Of how many that decide an agreement would need to be. */
  readonly needed: number;
  /** Families that say `answer`. */
  readonly agreeing: number;
}

/**
 * The rule of a panel:
 *
 * 1. A model decides if its own vote agrees on an answer. If its vote is split or abstains (a question out of its scope included), it was
 *    heard and has no answer; if it could not be loaded, died or was not reached, it was not heard.
 * 2. Models of one family count once. A family decides if all of its models that decide say the same; if two of them decide
 *    differently it contradicts itself and has no answer, however many are on either side.
 * 3. `agree`: all families that decide say the same, and they are at least two, and at least half of the families that were heard.
 *    `split`: two families decide differently, and enough decide. `abstain`: fewer decide, or the panel was stopped before all had been heard.
 *
 * Pure.
 *
 * @throws MeditronError `ERR_OPTION`
 */
export function panelVerdict(opinions: readonly Opinion[], interrupted?: 'deadline' | 'aborted'): PanelVerdict {
  for (const opinion of array('opinions', opinions, 1, 1000)) {
    const { family, heard, answer } = object('opinion', opinion);
    string('opinion.family', family);
    boolean('opinion.heard', heard);
    if (answer !== null) string('opinion.answer', answer);
  }
  if (interrupted !== undefined) oneOf('interrupted', interrupted, ['deadline', 'aborted']);
  const families = familiesOf(opinions);
  const heard = families.filter(({ standing }) => standing !== 'unheard').length;
  const answers = families.flatMap(({ answer }) => answer ?? []);
  const decided = answers.length;
  const needed = Math.max(2, Math.ceil(heard / 2));
  const answer = mostNamed(answers);
  const reason = reasonFor();
  return {
    decision: reason === null ? 'agree' : reason === 'families_differ' ? 'split' : 'abstain',
    reason,
    answer,
    families,
    heard,
    decided,
    needed,
    agreeing: answers.filter(each => each === answer).length,
  };

  function reasonFor(): PanelReason | null {
    if (interrupted !== undefined) return interrupted;
    if (families.length === 1) return 'one_family';
    if (decided < needed) return 'too_few_families';
    return new Set(answers).size > 1 ? 'families_differ' : null;
  }
}

function familiesOf(opinions: readonly Opinion[]): FamilyVerdict[] {
  const names = [...new Set(opinions.map(({ family }) => family))];
  return names.map(family => {
    const members = [...opinions.keys()].filter(i => opinions[i]!.family === family);
    const heard = members.filter(i => opinions[i]!.heard);
    const answers = new Set(heard.flatMap(i => opinions[i]!.answer ?? []));
    const [answer] = answers;
    const standing =
      heard.length === 0
        ? 'unheard'
        : answers.size > 1
          ? 'contradicts-itself'
          : answer === undefined
            ? 'undecided'
            : 'decided';
    return { family, members, answer: standing === 'decided' ? answer! : null, standing };
  });
}

/** The answer that most give; null if none is given, or two are given by equally many. */
function mostNamed(answers: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined || first[1] === second?.[1] ? null : first[0];
}
