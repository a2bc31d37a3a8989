import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import { evaluate } from '../../../src/evaluate/evaluate.js';
import { htmlReport } from '../../../src/evaluate/report/html.js';
import { compareEvaluations, reportJson, reportOf } from '../../../src/evaluate/report/report.js';
import { terminalReport } from '../../../src/evaluate/report/terminal.js';
import { readEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import { resultsName } from '../../../src/evaluate/storage/lines.js';
import type { Item } from '../../../src/evaluate/tasks/task.js';
import { collected, emptyFolder, itemsOf, setOf } from '../run/items.js';
import { scriptedTarget } from '../run/scripted.js';
import { linesOf, resealed } from './sealed.js';

/** Real results of every kind: compared answers, chains, votes with chains that were asked again, yes/no, open. */
const evaluations = {
  choice: { items: itemsOf(1), options: { modes: ['top-token', 'cot', 'sc-cot'], samples: 3, reask: true } },
  boolean: { items: [{ id: 'b', question: 'Is it?', context: ['It is.'], gold: 'yes' }] as Item[], options: {} },
  open: { items: [{ id: 'o', question: 'How is it taken?' }] as Item[], options: {} },
} as const;
type Kind = keyof typeof evaluations;

const says = (sample: number) => ({ text: sample === 1 ? 'I cannot say' : 'So.\nThe answer is: B' });
const run = (kind: Kind, out: string, resume = false) =>
  evaluate(scriptedTarget(says), {
    ...{ set: setOf(evaluations[kind].items), out, resume, format: 'raw' },
    ...evaluations[kind].options,
  });

const written = new Map<Kind, string>();
beforeAll(async () => {
  for (const kind of Object.keys(evaluations) as Kind[]) {
    const out = emptyFolder();
    await run(kind, out);
    written.set(kind, readFileSync(join(out, resultsName), 'utf8'));
  }
});

const folder = mkdtempSync(join(tmpdir(), 'meditron-damage-'));

const readings = [{}, { samples: 1 }, { protocol: 'paper', stop: { rule: 'exact' } }] as const;

/** Everything that reads results; a MeditronError is a good end, any other error is not. */
async function readAll(text: string, thorough: boolean): Promise<MeditronError | undefined> {
  writeFileSync(join(folder, resultsName), text);
  try {
    const stored = await readEvaluation(folder);
    for (const reading of thorough ? readings : readings.slice(0, 1)) {
      const report = await reportOf(stored, reading);
      terminalReport(report);
      JSON.stringify(reportJson(report));
      if (thorough) await collected(htmlReport(report));
    }
    if (thorough) await compareEvaluations(stored, stored);
    return undefined;
  } catch (error) {
    if (!(error instanceof MeditronError)) throw new Error(`${(error as Error).stack}\n\nin ${text}`);
    return error;
  }
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [
    at,
    ...Object.entries(value).flatMap(([key, inner]) =>
      pathsOf(inner, [...at, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** The same JSON with another value, or none, at a path. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  if (rest.length === 0 && to === undefined) {
    if (Array.isArray(copy)) copy.splice(key as number, 1);
    else delete copy[key];
  } else copy[key] = changed(copy[key], rest, to);
  return copy;
}

const replacements = [undefined, null, -1, 1.5, '', 'x', 'A', true, ['x'], {}];

test.each(Object.keys(evaluations) as Kind[])(
  'any field of any line of %s results, lost or replaced by somebody who mends the checksums, is read rightly or named with its line',
  async kind => {
    const lines = linesOf(written.get(kind)!);
    expect(resealed(lines)).toBe(written.get(kind));
    expect((await readAll(written.get(kind)!, false))?.message).toBeUndefined();
    let cases = 0;
    let refused = 0;
    for (const [i, line] of lines.entries()) {
      if (i === 0 && kind !== 'choice') continue; // the same header
      const value = JSON.parse(line) as Record<string, unknown>;
      for (const path of pathsOf(value)) {
        for (const to of i === 0 ? replacements.filter((_, j) => j % 2 === 0) : replacements) {
          const other = changed(value, path, to);
          const text = resealed(lines.map((l, j) => (j === i ? (JSON.stringify(other) ?? '') : l)));
          const error = await readAll(text, ++cases % 5 === 0);
          if (!error) continue;
          refused++;
          expect(['ERR_INPUT', 'ERR_OPTION']).toContain(error.code);
          if (i > 0 && error.code === 'ERR_INPUT' && !/have no run of the same mode/.test(error.message))
            expect(error.message).toContain(`line ${i + 1}: `);
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(cases);
  },
  120_000,
);

test('bytes that are lost, doubled or changed anywhere are named with their line, unless a kill could have left them so', async () => {
  const whole = written.get('choice')!;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.nat(40),
      fc.constantFrom('', '\n', '\0', '}', '"', '{}', 'null\n', whole.slice(0, 900)),
      async (at, lost, instead) => {
        const text = whole.slice(0, at) + instead + whole.slice(at + lost);
        const error = await readAll(text, true);
        if (error) expect(error.code).toBe('ERR_INPUT');
        else expect(whole.startsWith(text.slice(0, text.lastIndexOf('\n') + 1))).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('damaged results are not gone on with', async () => {
  const lines = linesOf(written.get('choice')!);
  for (const [i, change] of [
    [1, (row: string) => row.replace('"planned":1', '"planned":2')],
    [2, (row: string) => row.replace('"kind":"choice"', '"kind":"open"')],
    [3, (row: string) => row.replace(/"logprob":-[\d.]+/, '"logprob":"low"')],
  ] as const) {
    const out = emptyFolder();
    const text = resealed(lines.map((line, j) => (j === i ? change(line) : line)));
    expect(text).not.toBe(written.get('choice'));
    writeFileSync(join(out, resultsName), text);
    await expect(run('choice', out, true)).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining(`line ${i + 1}: expected`),
    });
    expect(readFileSync(join(out, resultsName), 'utf8')).toBe(text);
  }
});
