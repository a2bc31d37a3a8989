import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Opinion, panelVerdict } from '../../src/panel/rule.js';

type Said = string | null | undefined;
/** Agreed on A, B or C; heard without an answer; not heard. */
const said: readonly Said[] = ['A', 'B', 'C', null, undefined];

const opinion = (family: string, answer: Said): Opinion => ({
  family,
  heard: answer !== undefined,
  answer: answer ?? null,
});

/** Every way to put `count` models into families, each once: the first is in family 0, the next in one that is there or the next new one. */
function* families(count: number): Generator<number[]> {
  const walk = function* (before: number[]): Generator<number[]> {
    if (before.length === count) return void (yield before);
    for (let family = 0; family <= Math.max(-1, ...before) + 1; family++) yield* walk([...before, family]);
  };
  yield* walk([]);
}

function* answers(count: number): Generator<Said[]> {
  if (count === 0) return void (yield []);
  for (const rest of answers(count - 1)) for (const each of said) yield [...rest, each];
}

function* panels(most: number): Generator<Opinion[]> {
  for (let count = 1; count <= most; count++)
    for (const grouped of families(count))
      for (const given of answers(count)) yield given.map((answer, i) => opinion(`f${grouped[i]}`, answer));
}

/** The rule once more, from its words, by counting with sets. */
function byTheWords(opinions: readonly Opinion[]) {
  const all = new Set(opinions.map(each => each.family));
  const heard = new Set(opinions.filter(each => each.heard).map(each => each.family));
  const says = new Map<string, Set<string>>();
  for (const { family, heard: was, answer } of opinions)
    if (was && answer !== null) says.set(family, (says.get(family) ?? new Set()).add(answer));
  const decided = [...says.values()].filter(own => own.size === 1).map(own => [...own][0]!);
  if (all.size === 1) return 'abstain one_family';
  if (decided.length < 2 || decided.length < heard.size / 2) return 'abstain too_few_families';
  return new Set(decided).size === 1 ? `agree ${decided[0]}` : 'split families_differ';
}

test('every panel of up to four models comes to what the rule says in words', () => {
  let count = 0;
  for (const opinions of panels(4)) {
    const { decision, reason, answer } = panelVerdict(opinions);
    expect(`${decision} ${reason ?? answer}`, JSON.stringify(opinions)).toBe(byTheWords(opinions));
    count++;
  }
  expect(count).toBe(5 + 2 * 25 + 5 * 125 + 15 * 625);
});

test('one that was stopped abstains with the reason, whatever was heard', () => {
  for (const opinions of panels(3))
    for (const why of ['aborted', 'deadline'] as const)
      expect(panelVerdict(opinions, why)).toMatchObject({ decision: 'abstain', reason: why });
});

test('its counts are those of the families', () => {
  for (const opinions of panels(3)) {
    const { families: found, heard, decided, agreeing, needed, answer } = panelVerdict(opinions);
    const names = new Set(opinions.map(({ family }) => family));
    expect(found.map(({ family }) => family)).toEqual([...names]);
    expect(found.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...opinions.keys()]);
    expect(heard).toBe(found.filter(({ standing }) => standing !== 'unheard').length);
    expect(decided).toBe(found.filter(({ standing }) => standing === 'decided').length);
    expect(decided).toBe(found.filter(each => each.answer !== null).length);
    expect(agreeing).toBe(answer === null ? 0 : found.filter(each => each.answer === answer).length);
    expect(needed).toBeGreaterThanOrEqual(2);
    // No answer is preferred to another that as many families give.
    const counts = [...new Set(found.flatMap(each => each.answer ?? []))].map(
      name => [name, found.filter(each => each.answer === name).length] as const,
    );
    const most = Math.max(0, ...counts.map(([, times]) => times));
    const first = counts.filter(([, times]) => times === most && most > 0).map(([name]) => name);
    expect(answer).toBe(first.length === 1 ? first[0] : null);
  }
});

const anyPanel = fc
  .array(fc.tuple(fc.constantFrom('p', 'q', 'r', 's', 't'), fc.constantFrom(...said)), { minLength: 1, maxLength: 8 })
  .map(list => list.map(([family, answer]) => opinion(family, answer)));

test('a panel of up to eight models of five families too', () => {
  fc.assert(
    fc.property(anyPanel, opinions => {
      const { decision, reason, answer } = panelVerdict(opinions);
      expect(`${decision} ${reason ?? answer}`).toBe(byTheWords(opinions));
    }),
    { numRuns: 2000 },
  );
  const heard = (decided: number) => [...'pqrst'].map((family, i) => opinion(family, i < decided ? 'A' : null));
  expect([2, 3].map(decided => panelVerdict(heard(decided)).reason)).toEqual(['too_few_families', null]);
});

test('the order of the models decides nothing', () => {
  const shuffled = anyPanel.chain(opinions =>
    fc.tuple(fc.constant(opinions), fc.shuffledSubarray(opinions, { minLength: opinions.length })),
  );
  fc.assert(
    fc.property(shuffled, ([opinions, other]) => {
      const { families: _, ...one } = panelVerdict(opinions);
      const { families: __, ...two } = panelVerdict(other);
      expect(one).toEqual(two);
    }),
  );
});

test('a second model of a family that says what the family says counts for nothing', () => {
  fc.assert(
    fc.property(anyPanel, opinions => {
      const { families: _, ...before } = panelVerdict(opinions);
      for (const { family, answer } of panelVerdict(opinions).families) {
        if (answer === null) continue;
        const { families: __, ...after } = panelVerdict([...opinions, opinion(family, answer)]);
        expect(after).toEqual(before);
      }
    }),
  );
});

test('however many models of one family agree, it is no second opinion', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...said), { minLength: 1, maxLength: 8 }), given => {
      expect(panelVerdict(given.map(answer => opinion('one', answer))).decision).toBe('abstain');
    }),
  );
});

test('where one family more says something else, nothing agrees any more', () => {
  fc.assert(
    fc.property(anyPanel, opinions => {
      const { decision, answer } = panelVerdict(opinions);
      if (decision !== 'agree') return;
      const other = answer === 'A' ? 'B' : 'A';
      expect(panelVerdict([...opinions, opinion('another', other)]).decision).not.toBe('agree');
    }),
  );
});
