import { describe, expect, test } from 'vitest';
import { foldName, splitName } from '../../../src/vote/count/name.js';
import { mergeRankings } from '../../../src/vote/count/ranking.js';
import { parseRankedList } from '../../../src/vote/read/list.js';

const lists = (...samples: string[][]) => samples.map((items, index) => ({ index, items }));
const names = (...samples: string[][]) =>
  mergeRankings(lists(...samples)).items.map(item => `${item.name} ×${item.named}`);

describe('names are the same', () => {
  test.each([
    ['Myocardial Infarction', 'myocardial infarction.'],
    ["Crohn's disease", 'Crohn disease'],
    ['Crohn’s disease', 'Crohns disease'],
    ['Non-Hodgkin lymphoma', 'non Hodgkin lymphomas'],
    ['the gallstones', 'Gallstone'],
    ['Abscesses', 'abscess'],
    ['Allergies', 'allergy'],
    ['Type II diabetes mellitus', 'type 2 diabetes mellitus'],
    ['Anaemia', 'anemia'],
    ['Oesophageal tumour', 'esophageal tumor'],
    ['E\u0301tat limite', 'état limite'],
    ['Pneumonia, bacterial', 'pneumonia (bacterial)'],
  ])('%s, %s', (a, b) => {
    expect(foldName(a)).toBe(foldName(b));
  });

  test.each([
    ['acute pancreatitis', 'chronic pancreatitis'],
    ['type 1 diabetes', 'type 2 diabetes'],
    ['type I diabetes', 'type II diabetes'],
    ['pneumonia (viral)', 'pneumonia (bacterial)'],
    ['hepatitis A', 'hepatitis B'],
    ['hepatitis A', 'hepatitis'],
    ['HER2+ breast cancer', 'HER2- breast cancer'],
    ['HER2-', 'HER2'],
    ['1 μg deficiency', '1 mg deficiency'],
    ['vitamin B12 deficiency', 'vitamin B1 deficiency'],
    ['hyperthyroidism', 'hypothyroidism'],
    ['diabetes insipidus', 'diabetes mellitus'],
    ['CO₂ narcosis', 'CO2 narcosis'],
  ])('but not %s, %s', (a, b) => {
    expect(foldName(a)).not.toBe(foldName(b));
  });

  test.each([
    ['myocardial infarction (MI)', 'myocardial infarction', 'MI'],
    ['MI (myocardial infarction)', 'myocardial infarction', 'MI'],
    ['Chronic obstructive pulmonary disease (COPD)', 'Chronic obstructive pulmonary disease', 'COPD'],
    ['type 2 diabetes mellitus (T2DM)', 'type 2 diabetes mellitus', 'T2DM'],
    ['pneumonia (viral)', 'pneumonia (viral)', undefined],
    ['Crohn disease (CT)', 'Crohn disease (CT)', undefined],
    ['myocardial infarction', 'myocardial infarction', undefined],
    ['(MI)', '(MI)', undefined],
  ])('%s is %s with the abbreviation %s', (text, name, abbreviation) => {
    expect(splitName(text)).toEqual({ name, abbreviation });
  });
});

describe('merging', () => {
  test('adds up reciprocal ranks and counts who named what, where and how', () => {
    const merged = mergeRankings(
      lists(['Pulmonary embolism (PE)', 'Pneumonia'], ['PE', 'Pericarditis'], ['pneumonia', 'pulmonary emboli'], []),
    );
    const [first, second] = merged.items;
    expect(first).toMatchObject({ name: 'Pulmonary embolism (PE)', named: 2, of: 4, bestRank: 1 });
    expect(first!.merged).toEqual(['Pulmonary embolism (PE)', 'PE']);
    expect(first!.mentions).toEqual([
      { index: 0, rank: 1, as: 'Pulmonary embolism (PE)' },
      { index: 1, rank: 1, as: 'PE' },
    ]);
    expect(first!.score).toBeCloseTo(2 / 61, 12);
    expect(second!.score).toBeCloseTo(1 / 62 + 1 / 61, 12);
    expect(first!.wilson!.low).toBeCloseTo(0.15, 2);
    expect(merged).toMatchObject({ samples: 4, withoutList: 1, notRun: 0, k: 60 });
  });

  test('with k = 60 being named more often wins, with k = 0 being first does', () => {
    const samples = lists(['A one', 'B two'], ['C three', 'B two'], ['D four', 'E five', 'B two']);
    expect(mergeRankings(samples).items[0]!.name).toBe('B two');
    expect(mergeRankings(lists(['A one', 'B two'], ['C three', 'D four', 'B two']), { k: 0 }).items[0]!.name).toBe(
      'A one',
    );
  });

  test('an abbreviation that was explained in two ways stands for neither', () => {
    expect(names(['multiple sclerosis (MS)'], ['mitral stenosis (MS)'], ['MS'])).toEqual([
      'multiple sclerosis (MS) ×1',
      'mitral stenosis (MS) ×1',
      'MS ×1',
    ]);
  });

  test('a sample that repeats itself counts once, at its better rank', () => {
    const [item] = mergeRankings(lists(['Sepsis', 'Influenza', 'sepsis'])).items;
    expect(item).toMatchObject({ named: 1, mentions: [{ index: 0, rank: 1, as: 'Sepsis' }] });
  });

  test('equal scores go to the item named first by the lowest sample', () => {
    expect(names(['Gout'], ['Sepsis'])).toEqual(['Gout ×1', 'Sepsis ×1']);
    const late = [
      { index: 1, items: ['Sepsis'] },
      { index: 0, items: ['Gout'] },
    ];
    expect(mergeRankings(late).items.map(i => i.name)).toEqual(['Gout', 'Sepsis']);
  });

  test('does not depend on the order in which samples finished', () => {
    const samples = lists(['Gout', 'Sepsis'], ['sepsis', 'Lupus'], ['Lupus', 'gout', 'Septic arthritis']);
    expect(mergeRankings([...samples].reverse())).toEqual(mergeRankings(samples));
  });

  test('gives no interval when samples were not run', () => {
    const merged = mergeRankings(lists(['Gout']), { planned: 5 });
    expect(merged).toMatchObject({ planned: 5, notRun: 4 });
    expect(merged.items[0]!.wilson).toBeUndefined();
  });

  test('names like properties of objects are names', () => {
    expect(names(['__proto__', 'constructor'], ['constructor'])).toEqual(['constructor ×2', '__proto__ ×1']);
  });

  test('what has no letters is dropped, nothing at all gives an empty ranking', () => {
    expect(names(['...', '']).length).toBe(0);
    expect(mergeRankings([])).toMatchObject({ items: [], samples: 0 });
  });
});

describe("a sample's list is read from", () => {
  test.each<[string, string[], boolean, string]>([
    ['["Gout", "Sepsis"]', ['Gout', 'Sepsis'], false, 'json'],
    ['Here you are: ["Gout"] done', ['Gout'], false, 'json'],
    [
      '{"differential": [{"name": "Gout", "why": "a [b] \\" {"}, {"diagnosis": "Sepsis"}]}',
      ['Gout', 'Sepsis'],
      false,
      'json',
    ],
    ['["Gout", "Sep', ['Gout'], true, 'json'],
    ['["Gout", "Sepsis"', ['Gout', 'Sepsis'], true, 'json'],
    ['["Gout",', ['Gout'], true, 'json'],
    ['[{"name":"Gout"},{"name":"Sepsis","why":"be', ['Gout'], true, 'json'],
    ['["Gou', [], true, 'json'],
    ['[', [], true, 'json'],
    ['[]', [], false, 'json'],
    ['["Gout\\u0301", "a\\nb"]', ['Gout\u0301'.normalize('NFC'), 'a b'], false, 'json'],
    ['["Gout", 5, "Sepsis"]', ['Gout'], true, 'json'],
    ['1. Gout\n2. Sepsis', ['Gout', 'Sepsis'], false, 'lines'],
    [
      '1) **Gout**: very likely\n2) Sepsis - less so\n(3) Septic arthritis — rare.',
      ['Gout', 'Sepsis', 'Septic arthritis'],
      false,
      'lines',
    ],
    ['- Gout\n* Sepsis\n• X-linked disease', ['Gout', 'Sepsis', 'X-linked disease'], false, 'lines'],
    ['1. Gout\n   - painful\n2. Sepsis\n   - fever', ['Gout', 'Sepsis'], false, 'lines'],
    ['The list [of two]:\n1. Gout', ['Gout'], false, 'lines'],
    ['I do not know.', [], false, 'none'],
    ['', [], false, 'none'],
  ])('%j', (text, items, truncated, source) => {
    expect(parseRankedList(text)).toEqual({ items, truncated, source });
  });

  test('a plain list that was cut off loses its last line, unless a remark shows that the name is whole', () => {
    expect(parseRankedList('1. Gout\n2. Sep', { cut: true })).toEqual({
      items: ['Gout'],
      truncated: true,
      source: 'lines',
    });
    expect(parseRankedList('1. Gout\n2. Sepsis: because of', { cut: true }).items).toEqual(['Gout', 'Sepsis']);
    expect(parseRankedList('1. Gout\n2. Sepsis\nThese are', { cut: true }).items).toEqual(['Gout', 'Sepsis']);
  });

  test('every cut of a JSON list gives a prefix of its items and says so', () => {
    const whole =
      '{"differential":[{"name":"Gout","rank":1},{"name":"Septic \\"arthritis\\"","rank":2},{"name":"Lyme","rank":3}]}';
    const all = ['Gout', 'Septic "arthritis', 'Lyme'];
    for (let end = whole.indexOf('[') + 1; end < whole.length - 2; end++) {
      const { items, truncated } = parseRankedList(whole.slice(0, end));
      expect(truncated).toBe(true);
      expect(items).toEqual(all.slice(0, items.length));
    }
    expect(parseRankedList(whole)).toEqual({ items: all, truncated: false, source: 'json' });
  });

  test('a long text in one pass, and not more items than asked for', () => {
    expect(parseRankedList(`[${'"Gout",'.repeat(100_000)}`, { max: 3 }).items).toEqual(['Gout', 'Gout', 'Gout']);
    for (const unit of ['[', '["', '[{', '- ', '1. ', '\\', '1. a: ', '   ', '"', '[ ']) {
      expect(parseRankedList(unit.repeat(100_000)).items.length).toBeLessThanOrEqual(50);
    }
  });
});
