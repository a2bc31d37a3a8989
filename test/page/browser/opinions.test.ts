import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sealed } from '../../../src/check/seal.js';
import { readPanel } from '../../../src/panel/record/schema.js';
import { example, type Visit, withPage } from './harness.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
const models = ['models/meditron-mini.gguf', 'test/fixtures/mini-seed-1.gguf'];
const { open } = withPage(models.flatMap(path => ['--model', resolve(root, path)]));

/** A page on which the second model is to be asked as well. */
async function both(): Promise<Visit> {
  const visit = await open();
  await visit.page.getByRole('checkbox', { name: 'mini-seed-1' }).check();
  return visit;
}

test('a second opinion of the same family is none, is said to be, and is kept as a record and on paper; a reload finds it again', async () => {
  const visit = await both();
  const { page } = visit;
  await visit.ask(example);
  const together = page.locator('.opinions .result');
  await together.waitFor();
  expect(await together.innerText()).toContain('All models are of one family: there is no second opinion.');
  expect(await page.locator('.opinions tbody tr').count()).toBe(2);
  expect(await page.locator('.card').count()).toBe(2);
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Second opinions');
  expect(await visit.violations()).toEqual([]);
  const record = page.locator('.opinions').getByRole('button', { name: 'Save record' });
  const saving = page.waitForEvent('download');
  await record.click();
  const { members, result } = readPanel(JSON.parse(readFileSync(await (await saving).path(), 'utf8')));
  expect(result).toMatchObject({ decision: 'abstain', reason: 'one_family' });
  expect(members.map(({ file }) => file)).toEqual(['meditron-mini.gguf', 'mini-seed-1.gguf']);
  await page.emulateMedia({ media: 'print' });
  expect(await together.isVisible()).toBe(true);
  expect(await page.locator('.sheet:visible').count()).toBe(2);
  expect(await page.getByRole('button').count()).toBe(0);
  await page.emulateMedia({ media: 'screen' });
  const before = await together.innerText();
  await page.reload();
  await together.waitFor();
  expect(await together.innerText()).toBe(before);
  expect(visit.errors).toEqual([]);
});

describe('the record of a panel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'panels-'));
  const path = (name: string) => join(folder, name);
  /** What the command keeps and prints of the same question. */
  beforeAll(() => {
    writeFileSync(path('question.txt'), example);
    const asked = ['ask', path('question.txt'), '--panel', models.join(','), '--json', '--record', path('kept.json')];
    const { stdout, status } = spawnSync(process.execPath, ['bin/meditron.js', ...asked], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    writeFileSync(path('printed.json'), stdout);
    const kept = JSON.parse(readFileSync(path('kept.json'), 'utf8'));
    writeFileSync(path('changed.json'), JSON.stringify({ ...kept, meditron: '9.9.9' }));
    const { sha256: _, ...rest } = kept;
    const result = { ...kept.result, decision: 'agree', reason: null, answer: 'C' };
    writeFileSync(path('forged.json'), JSON.stringify(sealed({ ...rest, result })));
    const one = ['ask', path('question.txt'), '--json'];
    writeFileSync(path('one.json'), spawnSync(process.execPath, ['bin/meditron.js', ...one], { cwd: root }).stdout);
  });

  const records = async (name: string, options: Parameters<typeof open>[0] = {}): Promise<Visit> => {
    const visit = await open(options);
    await visit.screen('records');
    await visit.page.setInputFiles('#record', path(name));
    return visit;
  };

  test.each(['kept.json', 'printed.json'])(
    'as the command writes it (%s) is opened, run again and printed, by the keyboard alone',
    async name => {
      const visit = await records(name);
      const { page } = visit;
      const record = page.locator('.record');
      await record.waitFor();
      expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Question as it was read');
      expect(await record.innerText()).toMatch(
        /previous TIA[\s\S]*All models are of one family: there is no second opinion/,
      );
      expect(await record.locator('tbody tr').count()).toBe(2);
      expect(await record.locator('.member').count()).toBe(2);
      expect(await visit.violations()).toEqual([]);
      await page.getByRole('button', { name: 'Run it again' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('.replay').waitFor();
      expect(await page.locator('.replay').innerText()).toContain('It came out the same: every text and every vote.');
      expect(await page.evaluate(() => document.activeElement!.tagName)).toBe('H3');
      await page.emulateMedia({ media: 'print' });
      const printed = await page.locator('body').innerText();
      for (const text of [
        'previous TIA',
        'Second opinions',
        'no second opinion',
        'Chain 5',
        'not for emergencies',
        'SHA-256',
      ])
        expect(printed).toContain(text);
      expect(printed).not.toMatch(/History|Open a record|Run it again/);
      expect(await page.locator('.sheet:visible').count()).toBe(1);
      expect(visit.errors).toEqual([]);
    },
  );

  test('is stopped in the middle, and another opened, of which nothing of the first is said', async () => {
    const visit = await records('kept.json');
    const { page } = visit;
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.setInputFiles('#record', path('one.json'));
    await page.locator('.record .headline').first().waitFor();
    expect(await page.locator('.record .opinions').count()).toBe(0);
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.locator('.replay').waitFor();
    expect(await page.locator('.replay').innerText()).toContain('It came out the same');
  });

  test('that was changed is not opened, one that contradicts itself says so', async () => {
    const { page } = await records('changed.json');
    await page.locator('.failed').waitFor();
    expect(await page.locator('.failed .what').innerText()).toBe(
      'This record was changed after it was made, or is damaged.',
    );
    expect(await page.locator('.record').count()).toBe(0);
    await page.setInputFiles('#record', path('forged.json'));
    await page.locator('.record .why-not').waitFor();
    expect(await page.locator('.record .why-not').innerText()).toContain('result.decision');
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.locator('.replay', { hasText: 'It did not come out the same.' }).waitFor();
    await page.setInputFiles('#record', path('question.txt'));
    await page.locator('.failed .what', { hasText: 'This is no record of Meditron' }).waitFor();
    expect(await page.locator('.record').count()).toBe(0);
  });

  test.each([
    ['narrow, dark, in German', { locale: 'de', colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
    ['from right to left', { locale: 'ar', viewport: { width: 360, height: 740 } }],
  ] as const)('%s: everything fits, can be hit and shows the focus', async (_, options) => {
    const visit = await records('kept.json', options);
    const { page } = visit;
    await page.locator('.record').waitFor();
    for (const summary of await page.locator('.record details > summary').all()) await summary.click();
    expect(await visit.misfits()).toEqual([]);
    expect(await visit.violations()).toEqual([]);
    expect(await visit.hidden()).toEqual([]);
  });
});

test('stopped while the first model answers, the second is not asked, and it is said', async () => {
  const visit = await both();
  const { page } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.opinions .result', { hasText: 'stopped before all models had been heard' }).waitFor();
  expect(await page.locator('.opinions tbody tr').last().innerText()).toContain('not asked');
  expect(await page.locator('.card').count()).toBe(1);
});
