import { describe, expect, test } from 'vitest';
import { Opened } from '../../page/src/records/opened.js';
import { RecordSheet } from '../../page/src/records/sheet.js';
import type { Check } from '../../page/src/records/store.js';
import { catalogues, type Language, language, languages } from '../../page/src/words/words.js';
import { ask } from '../../src/ask/ask.js';
import type { Evidence } from '../../src/ask/types.js';
import { concludePanel, spokenOf } from '../../src/panel/conclude.js';
import { recordOf } from '../../src/panel/record/record.js';
import { contradictedPanel } from '../../src/panel/record/replay.js';
import type { Measurement, MemberReport, PanelRecord } from '../../src/panel/types.js';
import type { Question } from '../../src/prompt/question/question.js';
import type { PanelCheck } from '../../src/server/meditron/protocol.js';
import { FakeEngine, says } from '../ask/fake.js';
import { html, inOrder, text } from './render.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Warfarin', 'Apixaban', 'Aspirin'] };

async function evidenceOf(script: string): Promise<Evidence> {
  const answer = await ask(new FakeEngine(says(script)), question, { format: 'raw', hash: false, stop: 'none' });
  return answer.evidence;
}

/** The record of a panel of models, one a family; `null` could not be asked. */
async function recorded(...scripts: readonly (string | null)[]): Promise<PanelRecord> {
  const reports = scripts.map(
    (script, i): MemberReport => ({
      ...{ name: `model-${i}`, file: `model-${i}.gguf`, called: null, family: { name: `family-${i}`, by: 'name' } },
      measured: i === 0 ? measured : null,
      state: script === null ? 'failed' : 'answered',
      error: script === null ? { code: 'ERR_MODEL_FILE', message: 'It is gone' } : null,
    }),
  );
  const answers = await Promise.all(
    scripts.map(async script =>
      script === null
        ? null
        : await ask(new FakeEngine(says(script)), question, { format: 'raw', hash: false, stop: 'none' }),
    ),
  );
  const result = concludePanel(spokenOf(reports, answers), null);
  const members = reports.map((report, i) => ({ ...report, evidence: answers[i]?.evidence ?? null }));
  return JSON.parse(JSON.stringify(recordOf(members, result, null))) as PanelRecord;
}

const measured: Measurement = {
  ...{ sha256: [], title: 'MedQA', created: '2026-01-01T00:00:00.000Z', run: 'SC-CoT, 5 samples', mode: 'sc-cot' },
  ...{ protocol: 'strict', samples: 5, n: 12, correct: 7, low: 0.3, high: 0.8 },
};

const checked = (panel: PanelRecord, here: readonly (string | null)[] = []): PanelCheck => ({
  ...{ panel, contradiction: null },
  members: panel.members.map(({ name }, i) => ({ model: here[i] === undefined ? name : here[i], sameFile: null })),
});

const opened = (check: Check) => {
  const store = { replay: { value: null }, again: { value: null } };
  return <Opened store={store as never} check={check} />;
};

describe('the record of a panel', () => {
  test('is shown as the answer was: the question, each model, families, reasons, the decision with its rule; then each model’s record', async () => {
    inOrder(
      text(opened(checked(await recorded('BBBBA', 'BBBBB', null)))),
      ...['Question as it was read', 'Which?', 'A', 'Warfarin', 'Second opinions', 'model-0', '7 / 12', 'MedQA'],
      ...['family-0', 'B. Apixaban', '4 of 5 chains say so', 'model-1', 'not measured', '5 of 5 chains say so'],
      ...['model-2', 'could not be asked', 'Families', 'family-2', 'not heard', 'For B. Apixaban'],
      ...['Against it, for A. Warfarin', 'model-0, chain 5', 'B. Apixaban', '2 of 2 families say so.', 'count once'],
      ...['model-0', 'B. Apixaban', 'Chain 5', 'A. Warfarin', 'How it was asked', 'SHA-256', 'Seeds of the chains'],
      ...['model-1', 'model-2', 'could not be asked: It is gone', 'It is run with model-0 and model-1.'],
      ...['Run it again', 'Print', 'Close the record'],
    );
  });

  test('of a model that does not decide, the table says what its chains say', async () => {
    const whole = text(opened(checked(await recorded('AABBC', 'BBBBB'))));
    inOrder(whole, 'model-0', 'no answer', '2 say A', 'model-1', 'B. Apixaban', '5 of 5 chains say so');
  });

  test('whose model is not here names the file, and is not run again', async () => {
    const whole = text(opened(checked(await recorded('BBBBB', 'BBBBB', null), ['model-0', null, null])));
    expect(whole).toContain('To run it again, add model-1.gguf under “Models”.');
    expect(whole).not.toContain('Run it again');
    expect(whole).toContain('Print');
  });

  test('that contradicts itself says so, on the screen and on paper', async () => {
    const panel = await recorded('AAAAA', 'BBBBB');
    const forged = { ...panel, result: { ...panel.result, decision: 'agree' as const, reason: null, answer: 'B' } };
    const contradiction = contradictedPanel(forged) ?? null;
    const check = { ...checked(forged), contradiction };
    for (const shown of [opened(check), <RecordSheet check={check} />])
      expect(text(shown)).toMatch(/changed after it was made, or is damaged\. The record is not as it was made/);
  });

  test('of which no model was reached has no question, and says what it came to', async () => {
    const whole = text(opened(checked(await recorded(null, null))));
    inOrder(whole, 'Second opinions', 'could not be asked', 'could not be asked: It is gone');
  });
});

test.each(Object.keys(languages) as Language[])('on paper a record stands alone, in every language: %s', async tag => {
  const { intendedUse, notice, answer, how } = catalogues[tag];
  const evidence = await evidenceOf('BBBBA');
  const single: Check = { evidence, contradiction: null, model: null, sameFile: null };
  try {
    language.value = tag;
    for (const check of [single, checked(await recorded('BBBBA', 'BBBBB'))]) {
      const shown = html(<RecordSheet check={check} />);
      for (const part of [intendedUse, notice, answer.question, answer.date, 'Which?', 'Apixaban', 'The answer is: A'])
        expect(text(<RecordSheet check={check} />)).toContain(part);
      for (const part of [how.hash, how.seeds, how.format]) expect(shown).toContain(part);
      expect(shown).not.toMatch(/<(?:details|button)|undefined|NaN|\[object/);
    }
  } finally {
    language.value = 'en';
  }
});
