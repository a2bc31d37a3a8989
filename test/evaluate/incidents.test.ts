import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answererOf } from '../../src/answerer/engine.js';
import { EngineDied } from '../../src/check/died.js';
import { type EvaluateOptions, evaluate } from '../../src/evaluate/evaluate.js';
import { htmlReport } from '../../src/evaluate/report/html.js';
import { reportJson } from '../../src/evaluate/report/report.js';
import { terminalReport } from '../../src/evaluate/report/terminal.js';
import type { EvaluationReport } from '../../src/evaluate/report/types.js';
import { untilLoaded } from '../../src/evaluate/run/again.js';
import type { Target } from '../../src/evaluate/run/target.js';
import { readEvaluation } from '../../src/evaluate/storage/evaluation.js';
import { incidentsName } from '../../src/evaluate/storage/lines.js';
import { collected, emptyFolder, itemsOf, setOf, storedIn } from './run/items.js';
import { deathBy, MortalEngine } from './run/mortal.js';
import { layout, scriptedTarget } from './run/scripted.js';

const options = { set: setOf(itemsOf(12)), modes: ['sc-cot'], samples: 3, format: 'raw', seed: 0 } as const;

/** A target on an engine that dies when `fate` says so; with a stand-in that never does, unless it may have none. */
function mortalTarget(fate: MortalEngine['fate'], { standIn = true, parallel = 2 } = {}): Target {
  const engine = new MortalEngine(sample => ({ text: `So.\nThe answer is: ${'ABCD'[sample % 4]}`, steps: 2 }));
  engine.fate = fate;
  const target: Target = {
    ...scriptedTarget(undefined, () => ({ ...layout, parallel })),
    async open(run) {
      return { answerer: answererOf(engine), parallel: run.layout!.parallel, [Symbol.asyncDispose]: async () => {} };
    },
  };
  const open = async () => ({
    ...mortalTarget(() => undefined, { standIn: false, parallel }),
    [Symbol.asyncDispose]: async () => {},
  });
  return standIn ? { ...target, standIn: { as: 'cpu', insteadOf: ['CUDA0'], open } } : target;
}

/** Dies of everything from the `count`th step on. */
const failsAfter = (count: number) => () => (count-- > 0 ? undefined : deathBy('SIGABRT'));

async function evaluated(target: Target, more: Partial<EvaluateOptions> = {}) {
  const out = more.out ?? emptyFolder();
  const told: string[] = [];
  const report = await evaluate(target, { ...options, out, onIncident: message => told.push(message), ...more });
  return { out, report, told, rows: (await storedIn(out)).rows };
}

const answers = (rows: Awaited<ReturnType<typeof evaluated>>['rows']) =>
  Object.fromEntries(rows.map(({ id, samples }) => [id, samples.map(({ text }) => text)]));

/** What a person and a program are told. */
async function shown(report: EvaluationReport) {
  const json = JSON.parse(JSON.stringify(reportJson(report)));
  const html = (await collected(htmlReport(report))).join('');
  return { json, html, text: terminalReport(report, { width: 10_000 }) };
}

test('what the engine has left when it is down its stand-in answers, and the report says so', async () => {
  const whole = await evaluated(mortalTarget(() => undefined));
  const { report, rows, told } = await evaluated(mortalTarget(failsAfter(20)));
  expect(answers(rows)).toEqual(answers(whole.rows));
  expect(rows.filter(({ error }) => error)).toEqual([]);
  const instead = rows.filter(({ standIn }) => standIn === 'cpu');
  expect(instead.length).toBeGreaterThan(0);
  expect(instead).toEqual(rows.slice(-instead.length));
  const { json, html, text } = await shown(report);
  const brief = `The engine's process died 16 times; the questions it was answering were asked again. The CPU alone, instead of CUDA0, computed ${instead.length} of 12 questions of SC-CoT, 3 samples: their figures are those of another device.`;
  expect(json.incidents.summary).toBe(brief);
  expect(text).toContain(brief);
  expect(html).toContain(brief.replaceAll("'", '&#39;'));
  for (const line of json.incidents.list.map((incident: { text: string }) => incident.text)) {
    expect(text).toContain(line);
    expect(line).toMatch(/\d rows?, .*sc-cot: The engine/);
  }
  expect(json.incidents.list).toContainEqual(
    expect.objectContaining({
      kind: 'death',
      signal: 'SIGABRT',
      phase: 'decode',
      devices: ['CUDA0'],
      width: { before: 2, after: 1 },
    }),
  );
  expect(json.incidents.list.at(-1)).toMatchObject({
    kind: 'stand-in',
    standIn: 'cpu',
    first: { rows: 12 - instead.length },
  });
  expect(told.at(-1)).toBe('The engine on CUDA0 is down; from here on the CPU alone answers');
  expect(report.runs[0]!.facts).toContainEqual({
    name: 'computed on the CPU alone, the engine being down',
    value: `${instead.length} of 12`,
  });
});

test('nothing is said where nothing happened', async () => {
  const { out, report } = await evaluated(mortalTarget(() => undefined));
  const { json, text, html } = await shown(report);
  expect(json.incidents).toEqual({ summary: null, list: [] });
  expect(text).not.toMatch(/engine's process|CPU/);
  expect(html).not.toMatch(/process died/);
  expect(() => statSync(join(out, incidentsName))).toThrow();
});

test('resumed on the engine that was down, it still says what something else computed', async () => {
  const { out, rows } = await evaluated(mortalTarget(failsAfter(8)), { limit: 6 });
  const instead = rows.filter(({ standIn }) => standIn).length;
  expect(instead).toBeGreaterThan(0);
  const { report } = await evaluated(
    mortalTarget(() => undefined),
    { out, resume: true },
  );
  expect(report.runs[0]!.standIn).toEqual({ count: instead, of: 12 });
  expect((await shown(report)).json.incidents.summary).toContain(`computed ${instead} of 12 questions`);
});

test('without a stand-in it ends with the error, the rows stay, and resuming goes on', async () => {
  const out = emptyFolder();
  const going = evaluated(mortalTarget(failsAfter(20), { standIn: false }), { out });
  await expect(going).rejects.toMatchObject({ code: 'ERR_ENGINE_DOWN' });
  const before = (await storedIn(out)).rows;
  expect(before.length).toBeGreaterThan(0);
  expect((await readEvaluation(out)).incidents.length).toBeGreaterThan(0);
  const { rows, report } = await evaluated(
    mortalTarget(() => undefined, { standIn: false }),
    { out, resume: true },
  );
  expect(rows.slice(0, before.length)).toEqual(before);
  expect(rows).toHaveLength(12);
  expect((await shown(report)).json.incidents.summary).toMatch(/^The engine's process died 16 times/);
});

test('a death while it is planned or opened is told, and it is planned and opened again', async () => {
  const target = mortalTarget(() => undefined);
  const left = { plan: 1, open: 2 };
  const dying =
    <A extends unknown[], R>(name: 'plan' | 'open', work: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      if (left[name]-- > 0) throw new EngineDied(deathBy('SIGKILL', { phase: 'load' }));
      return work(...args);
    };
  const { rows, report } = await evaluated({
    ...target,
    plan: dying('plan', target.plan),
    open: dying('open', target.open),
  });
  expect(rows).toHaveLength(12);
  expect(report.incidents.map(({ run, times }) => [run, times])).toEqual([
    [null, 1],
    ['sc-cot', 2],
  ]);
});

test('a model is loaded again when its process was killed meanwhile, and not when the file ended it', async () => {
  const deaths = [deathBy('SIGKILL', { phase: 'load' }), deathBy('SIGTERM', { phase: 'start' })];
  const load = async () => {
    const death = deaths.shift();
    if (death) throw new EngineDied(death);
    return 'loaded';
  };
  expect(await untilLoaded(load)).toBe('loaded');
  deaths.push(deathBy('SIGABRT', { phase: 'load' }), deathBy('SIGKILL'));
  await expect(untilLoaded(load)).rejects.toMatchObject({ code: 'ERR_ENGINE_DIED', death: { signal: 'SIGABRT' } });
  expect(deaths).toHaveLength(1);
});

describe('the file of incidents', () => {
  const died = (lines: readonly string[] = []) => evaluated(mortalTarget(dieOnce(lines)));
  const dieOnce = (lines: readonly string[]) => {
    let steps = 0;
    return () => (++steps % 5 === 0 ? deathBy('SIGKILL', { lastLines: [...lines, `process ${steps}`] }) : undefined);
  };

  test('holds deaths that differ in numbers once, for its owner alone, and nothing of a question', async () => {
    const { out, report } = await died();
    const path = join(out, incidentsName);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toMatch(/Which option|The answer is/);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    const kinds = report.incidents.map(({ kind: _, first: __, last: ___, times: ____, ...rest }) =>
      JSON.stringify({ ...rest, lastLines: [] }),
    );
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(Math.max(...report.incidents.map(({ times }) => times))).toBeGreaterThan(1);
  });

  test('is refused when it was changed or is of other results', async () => {
    const [one, other] = [await died(), await died()];
    const path = join(one.out, incidentsName);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"times": \d+/, '"times": 77'));
    await expect(readEvaluation(one.out)).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining(incidentsName),
    });
    writeFileSync(path, readFileSync(join(other.out, incidentsName)));
    await expect(readEvaluation(one.out)).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining('other results'),
    });
    await expect(
      evaluated(
        mortalTarget(() => undefined),
        { out: one.out, resume: true },
      ),
    ).rejects.toMatchObject({ code: 'ERR_INPUT' });
    writeFileSync(path, text);
    await readEvaluation(one.out);
  });

  test('left behind by results that are gone does not hinder new ones', async () => {
    const out = emptyFolder();
    writeFileSync(join(out, incidentsName), readFileSync(join((await died()).out, incidentsName)));
    const { report } = await evaluated(
      mortalTarget(() => undefined),
      { out },
    );
    expect(report.incidents).toEqual([]);
  });
});
