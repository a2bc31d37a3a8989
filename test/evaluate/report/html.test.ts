import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { htmlReport } from '../../../src/evaluate/report/html.js';
import type { EvaluationReport } from '../../../src/evaluate/report/types.js';
import { compare } from '../../../src/evaluate/score/measure.js';
import { referencesFor } from '../../../src/evaluate/score/reference.js';
import { collected } from '../run/items.js';
import { reportOf, runOf, twelve } from './rows.js';

const hostile =
  '</script><script>alert(1)</script><!-- <script> ]]> \u2028 \u2029 \u0000 " \' & <img src=x onerror=alert(2)> &lt; \ud800';
const [row] = twelve;
const html = async (report: EvaluationReport, options = {}) => (await collected(htmlReport(report, options))).join('');
const page = await html(reportOf([runOf('votes', twelve)]));

const scripts = (html: string) =>
  [...html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)].map(([, attributes, text]) => ({
    attributes: attributes!,
    text: text!,
  }));

test('texts of questions, models and files stay texts, wherever they stand', async () => {
  const run = runOf(hostile, [
    {
      ...row!,
      id: hostile,
      question: hostile,
      options: [hostile],
      context: [hostile],
      subject: hostile,
      samples: [{ text: hostile, answer: hostile, finish: hostile }],
      votes: [{ answer: hostile, count: 1 }],
      error: hostile,
    },
    { ...row!, subject: 'other' },
  ]);
  const text = await html({
    ...reportOf([{ ...run, facts: [{ name: hostile, value: hostile }] }]),
    title: hostile,
    notes: [hostile],
    comparisons: [{ ...compare(run, run), first: hostile }],
  });
  const found = scripts(text);
  expect(found.map(script => script.attributes)).toEqual([' type="application/json" id="data"', '']);
  expect(text.match(/<script/g)).toHaveLength(2);
  expect(text.match(/<img/g)).toBeNull();
  expect(text).not.toContain('<!--');
  const { runs, rows } = JSON.parse(found[0]!.text);
  expect(found[0]!.text).not.toMatch(/[<>&\u2028\u2029]/);
  expect(runs).toEqual([hostile]);
  expect(rows[0]).toMatchObject({
    id: hostile,
    question: hostile,
    samples: [{ text: hostile, answer: hostile, finish: hostile }],
  });
});

test('the page needs nothing from outside: no address, and a policy that allows its own style and script only', () => {
  expect(page).not.toMatch(/(?:src|href|action)=|url\(|@import|https?:/);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const styleText = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
  expect(policy).toBe(
    `default-src 'none'; style-src ${hash(styleText)}; script-src ${hash(scripts(page)[1]!.text)}; base-uri 'none'; form-action 'none'`,
  );
  expect(page).not.toMatch(/ style="| on\w+="/);
});

test('the script of the page is valid JavaScript that never parses text as HTML', () => {
  const { text } = scripts(page)[1]!;
  expect(() => new Script(text)).not.toThrow();
  expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|fetch\(/);
});

test('every id that the script asks for is in the page', () => {
  const { text } = scripts(page)[1]!;
  const asked = [...text.matchAll(/\$\('([\w-]+)'\)|getElementById\('([\w-]+)'\)/g)].map(([, a, b]) => a ?? b!);
  expect(asked.length).toBeGreaterThan(5);
  for (const id of [...asked, 'run', 'verdict', 'subject', 'decision']) expect(page).toContain(`id="${id}"`);
});

test('counts and intervals are in the page, and the plots say in words what they show', () => {
  expect(page).toContain('8 of 12');
  expect(page).toContain('39.1–86.2 %');
  expect(page).toContain(
    'aria-label="Calibration of votes. 40.0 %: 0 of 2 right; 60.0 %: 3 of 4 right; 80.0 %: 3 of 3 right; 100.0 %: 2 of 3 right"',
  );
  expect(page).toContain(
    'aria-label="Votes of votes. 0 votes: 0 right, 0 wrong; 1 votes: 0 right, 0 wrong; 2 votes: 0 right, 2 wrong; 3 votes: 3 right, 1 wrong; 4 votes: 3 right, 0 wrong; 5 votes: 2 right, 1 wrong"',
  );
});

test('a published figure stands beside the measured one with its scorer and source', async () => {
  const references = referencesFor({ model: 'Meditron-70B', mode: 'sc-cot', task: 'medqa' });
  const text = await html(reportOf([{ ...runOf('votes', twelve), references }]));
  expect(text).toContain('64.4 %');
  expect(text).toContain(
    'not reproducible: Meditron-70B, sc-cot, 64.4 % (n 1273, zero-shot, task fine-tune (weights not published); majority of 5 sampled chains',
  );
});

test('coordinates of the plots are numbers, with one question, none answered, and no questions', async () => {
  const none = { ...row!, samples: [], votes: [], correct: false };
  delete (none as { answer?: string }).answer;
  for (const rows of [[row!], [none], []]) {
    const text = await html(reportOf([runOf('run', rows)]));
    expect(text.replace(/<script>[\s\S]*/, '')).not.toMatch(/NaN|Infinity|undefined/);
  }
});

test('questions beyond what a browser can open are told by their number, and the page stays whole', async () => {
  const text = await html(reportOf([runOf('votes', twelve)]), { mostListed: 2000 });
  const { rows, left } = JSON.parse(scripts(text)[0]!.text);
  expect(rows.length).toBeGreaterThan(0);
  expect(left).toBeGreaterThan(0);
  expect(rows.length + left).toBe(twelve.length);
  expect(JSON.parse(scripts(page)[0]!.text)).toMatchObject({ left: 0, rows: twelve.map(({ id }) => ({ id })) });
});
