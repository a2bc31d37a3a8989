import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { reportJson } from '../../../src/evaluate/report/report.js';
import { terminalReport } from '../../../src/evaluate/report/terminal.js';
import { compare } from '../../../src/evaluate/score/measure.js';
import { referencesFor } from '../../../src/evaluate/score/reference.js';
import { reportOf, runOf, twelve } from './rows.js';

const run = {
  ...runOf('votes', twelve),
  references: referencesFor({ model: 'Meditron-7B', mode: 'top-token', task: 'medqa' }),
};
const report = { ...reportOf([run]), comparisons: [compare(run, run)] };

test('a row for each run, with counts and the interval', () => {
  const lines = terminalReport(report).split('\n');
  expect(lines[0]).toBe('Twelve questions');
  expect(lines[2]).toMatch(/^run +right +accuracy +95 % interval +answered +tokens +time$/);
  expect(lines[3]).toMatch(/^votes +8 of 12 +66\.7 % +39\.1–86\.2 % +100\.0 % +50 +1\.0 s$/);
});

test('published figures, comparison, notes and what was measured', () => {
  const text = terminalReport(report, { width: 400 });
  expect(text).toContain('published: Meditron-7B top-token: 28.7 ± 0.81 % (n 1273, 3-shot, base;');
  expect(text).toContain('published, not reproducible: Meditron-7B top-token: 47.9 %');
  expect(text).toContain('ECE 0.250, Brier (answer) 0.190, AUROC 0.734, AURC 0.249');
  expect(text).toContain('ties: 1 of 12 (8.3 %)');
  expect(text).toContain('McNemar p = 1.000');
  expect(text).toContain('  - a note');
});

test.each([40, 60, 80, 100])('no line is wider than %d columns, except where a name is', width => {
  const long = { ...report, notes: ['many words '.repeat(30)] };
  for (const line of terminalReport({ ...long, comparisons: [] }, { width }).split('\n'))
    expect(stringWidth(line)).toBeLessThanOrEqual(width);
});

test('control characters of a file never reach the terminal', () => {
  const text = terminalReport({
    ...reportOf([runOf('\u001b[31mred\u0007', twelve)]),
    title: '\u001b]0;title\u0007',
    notes: ['a\u009bb'],
  });
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('colour is used only where it is asked for', () => {
  expect(terminalReport(report)).not.toContain('\u001b[');
  expect(terminalReport(report, { color: true })).toContain('\u001b[');
});

test('the JSON form holds the figures and not the questions', () => {
  const json = JSON.parse(JSON.stringify(reportJson(report)));
  expect(json.runs[0].metrics.accuracy).toMatchObject({ n: 12, correct: 8 });
  expect(json.runs[0].references[0].source).toContain('Table 4');
  expect(json.runs[0].facts).toEqual({ model: 'tiny.gguf' });
  expect(JSON.stringify(json)).not.toContain('Question 1?');
});
