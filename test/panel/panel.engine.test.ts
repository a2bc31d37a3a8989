import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import { inWords } from '../../src/ask/record/difference.js';
import { roomFor } from '../../src/ask/room.js';
import { sealed } from '../../src/check/seal.js';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { launchNode } from '../../src/host/launch.js';
import { loadModel } from '../../src/host/load.js';
import type { Launch } from '../../src/host/transport.js';
import { panel } from '../../src/panel/panel.js';
import { printedPanel } from '../../src/panel/record/record.js';
import {
  notComparedOfPanel,
  panelContradiction,
  replayPanel,
  resultDifference,
} from '../../src/panel/record/replay.js';
import { readPanel } from '../../src/panel/record/schema.js';
import type { Measurement, PanelEvent, PanelOptions, PanelRecord } from '../../src/panel/types.js';
import type { Question } from '../../src/prompt/question/question.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { changesOf } from '../ask/changes.js';
import { storiesPath } from '../engine/stories.js';
import { holdAt, holdable } from '../host/hold.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-panel-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [alpha, beta, damaged] = ['alpha', 'beta', 'damaged'].map(name => join(folder, `${name}.gguf`)) as [
  string,
  string,
  string,
];

beforeAll(async () => {
  for (const [path, seed] of [
    [alpha, 1],
    [beta, 2],
  ] as const) {
    const { metadata, tensors } = tinyModel({ architecture: 'llama', seed, hyper: { context: 1024, layers: 1 } });
    metadata.set('general.name', entry.string(`random ${seed}`));
    await writeGguf(path, metadata, sourcesOf(tensors));
  }
  writeFileSync(damaged, 'GGUF and nothing more');
});

const question: Question = { kind: 'choice', question: 'Who was it?', options: ['a dog', 'a cat', 'a bird'] };
const short = { format: 'raw', samples: 3, maxTokens: 10, engine: { threads: 1 } } as const;
const stories = { path: storiesPath };

test('each model answers as it does alone; the panel shows what it came to, and what follows', async () => {
  const events: PanelEvent[] = [];
  const answer = await panel([stories, { path: alpha }], question, { ...short, onEvent: event => events.push(event) });
  expect(answer.members.map(({ name, state, family }) => [name, state, family?.name])).toEqual([
    ['stories260K', 'answered', 'llama2.c-stories'],
    ['alpha', 'answered', expect.stringMatching(/^llama-[0-9a-f]{8}$/)],
  ]);
  for (const [i, path] of [storiesPath, alpha].entries()) {
    await using model = await loadModel({ path });
    const options = { format: 'raw', samples: 3, maxTokens: 10 } as const;
    await using engine = await model.createEngine({ threads: 1, ...(await roomFor(model, question, options)) });
    const alone = await ask(engine, question, options);
    expect(answer.members[i]!.answer).toMatchObject({ samples: alone.samples, decision: alone.decision });
    expect(events.filter(event => event.member === i).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['loading', 'ask', 'answered']),
    );
  }
  expect(answer.evidence.members.every(({ evidence }) => evidence!.model.sha256 !== null)).toBe(true);
});

test('what cannot be loaded is left out and named; with nothing left its error is thrown', async () => {
  const missing = join(folder, 'missing.gguf');
  const answer = await panel([{ path: missing }, stories, { path: damaged }], question, short);
  expect(answer.members.map(({ state, error }) => [state, error?.code])).toEqual([
    ['failed', 'ERR_MODEL_FILE'],
    ['answered', undefined],
    ['failed', 'ERR_MODEL_FORMAT'],
  ]);
  expect(answer).toMatchObject({ decision: 'abstain', reason: 'too_few_families', heard: 1 });
  expect(answer.warnings).toContainEqual(expect.stringMatching(/^missing could not be asked, and the panel goes on/));
  await expect(panel([{ path: missing }, { path: damaged }], question, short)).rejects.toMatchObject({
    code: 'ERR_MODEL_FILE',
  });
});

test('one whose process dies is left out and named', async () => {
  const pids: (number | undefined)[] = [];
  const options: PanelOptions = {
    ...short,
    load: {
      isolate: {
        launch: given => {
          const transport = launchNode(given);
          pids.push(transport.pid);
          return transport;
        },
      },
    },
    onEvent: event => {
      if (event.member === 1 && event.type === 'ask' && event.event.type === 'text') process.kill(pids[1]!, 'SIGKILL');
    },
  };
  const answer = await panel([stories, { path: alpha }], question, { ...options, width: 1, samples: 2 });
  expect(answer.members.map(({ state, error }) => [state, error?.code])).toEqual([
    ['answered', undefined],
    ['failed', 'ERR_ENGINE_DIED'],
  ]);
});

test('refused before anything is loaded: one model, nine, the same twice, a format that is not known', async () => {
  const events: PanelEvent[] = [];
  const refused = (paths: readonly string[], options: PanelOptions = short) =>
    panel(
      paths.map(path => ({ path })),
      question,
      { ...options, onEvent: event => events.push(event) },
    );
  await expect(refused([])).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await expect(refused([alpha])).rejects.toThrow('Expected 2 to 8 models in a panel, got 1');
  await expect(refused(Array.from({ length: 9 }, (_, i) => `${i}`))).rejects.toThrow('got 9');
  await expect(refused([alpha, alpha])).rejects.toThrow('the same one twice');
  const copy = join(folder, 'copy.gguf');
  copyFileSync(alpha, copy);
  await expect(refused([alpha, copy])).rejects.toThrow('the same one twice');
  await expect(refused([alpha, storiesPath], {})).rejects.toMatchObject({
    code: 'ERR_PROMPT_FORMAT',
    message: expect.stringContaining('Choose one'),
  });
  expect(events).toEqual([]);
});

test('two models of one family are no second opinion, unless their caller names them apart, which is said', async () => {
  const one = await panel([{ path: alpha }, { path: beta }], question, { ...short, mode: 'top-token', samples: 1 });
  expect(one).toMatchObject({ decision: 'abstain', reason: 'one_family' });
  const apart = await panel(
    [
      { path: alpha, family: 'a' },
      { path: beta, family: 'b' },
    ],
    question,
    {
      ...short,
      mode: 'top-token',
      samples: 1,
    },
  );
  expect(apart.families.map(({ family, standing }) => [family, standing])).toEqual([
    ['a', 'decided'],
    ['b', 'decided'],
  ]);
  expect(apart.warnings).toContainEqual(
    'alpha and beta have the same architecture and vocabulary: they count as two families because they were named so',
  );
});

describe('closed early', () => {
  /** Three models with more to say than is waited for. */
  async function closed(close: (until: AbortController) => Partial<PanelOptions>) {
    const until = new AbortController();
    const more = close(until);
    return panel([stories, { path: alpha }, { path: beta, family: 'b' }], question, {
      ...short,
      samples: 40,
      width: 1,
      stop: 'none',
      ...more,
    });
  }

  test('what there is is shown, and it abstains', async () => {
    // The second is still being loaded when the first has voted, and the third waits for it.
    const hold = join(folder, 'hold');
    holdAt(hold, 'load');
    let launched = 0;
    const launch: Launch = given =>
      launchNode(launched++ === 0 ? given : { ...given, env: { ...given.env, ...holdable(hold, given.env) } });
    const answer = await closed(until => ({
      load: { isolate: { launch } },
      until: until.signal,
      onEvent: event => {
        if (event.type === 'ask' && event.member === 0 && event.event.type === 'vote') until.abort();
      },
    }));
    expect(answer).toMatchObject({ decision: 'abstain', reason: 'aborted' });
    expect(answer.members[0]).toMatchObject({ state: 'answered', answer: { reason: 'aborted' } });
    expect(answer.members.slice(1).map(({ state }) => state)).toEqual(['not-asked', 'not-asked']);
    expect((await replayPanel(JSON.parse(JSON.stringify(answer.evidence)))).summary).toMatch(/^The same/);
  });

  test('at its deadline, with another reason', async () => {
    expect(await closed(() => ({ deadline: 1 })).catch(error => error)).toMatchObject({ reason: 'deadline' });
  });

  test('a cancelled one rejects with the signal’s reason', async () => {
    const cancel = new AbortController();
    const why = new Error('no more');
    const onEvent = (event: PanelEvent) => {
      if (event.type === 'ask') cancel.abort(why);
    };
    await expect(closed(() => ({ signal: cancel.signal, onEvent }))).rejects.toBe(why);
  });

  test('a listener that throws ends it with its error', async () => {
    const why = new Error('no room on the screen');
    const onEvent = () => {
      throw why;
    };
    await expect(closed(() => ({ onEvent }))).rejects.toBe(why);
  });
});

test('an accuracy that was measured is that of the file, the mode and the protocol, and of no other', async () => {
  const { members } = await panel([stories, { path: alpha }], question, short);
  const sha256 = members[0]!.answer!.evidence.model.files!.map(file => file.sha256);
  const measured: Measurement = {
    ...{
      sha256,
      title: 'Own questions',
      created: '2026-11-27T10:00:00.000Z',
      run: 'SC-CoT, 3 samples',
      mode: 'sc-cot',
    },
    ...{ protocol: 'strict', samples: 3, n: 200, correct: 100, low: 0.43, high: 0.57 },
  };
  const others = [
    { ...measured, mode: 'cot', n: 1 },
    { ...measured, protocol: 'paper', n: 2 },
    { ...measured, samples: 5, n: 3 },
    { ...measured, sha256: ['0'.repeat(64)], n: 4 },
  ] as const;
  const answer = await panel([stories, { path: alpha }], question, { ...short, measured: [...others, measured] });
  expect(answer.members.map(each => each.measured?.n ?? null)).toEqual([200, null]);
});

describe('the record', () => {
  const kinds: readonly (readonly [string, Question, PanelOptions])[] = [
    ['of a vote', question, { ...short, samples: 2 }],
    ['of lists', { kind: 'open', question: 'Who?' }, { ...short, samples: 2, items: 2 }],
  ];
  describe.each(kinds)('%s', (_, about, options) => {
    let record: PanelRecord;
    let heard: Parameters<typeof resultDifference>[1];

    beforeAll(async () => {
      const members = [stories, { path: alpha, family: 'mine' }, { path: damaged }];
      const answer = await panel(members, about, options);
      record = JSON.parse(JSON.stringify(answer.evidence));
      heard = answer.members.map(member => member.answer);
      expect(await replayPanel(record)).toMatchObject({ same: true, difference: null, environment: [] });
      expect((await replayPanel(JSON.parse(JSON.stringify(printedPanel(answer))))).same).toBe(true);
    });

    test('any one field that is changed, gone or there twice is refused', () => {
      const accepted = [...changesOf(withoutEvidence(record))].filter(({ changed }) => {
        try {
          return readPanel(withEvidence(changed, record));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INPUT' });
          return false;
        }
      });
      expect(accepted.map(({ path, what }) => `${path} ${what}`)).toEqual([]);
    });

    test('one that is changed by somebody who mends the checksum is found, unless it is listed as not compared', () => {
      const missed: string[] = [];
      for (const { path, what, changed } of changesOf(withoutEvidence(record))) {
        if (path === 'sha256' || path === 'meditron') continue;
        const mended = sealed(withEvidence(changed, record) as PanelRecord);
        const said = verdict(mended);
        const general = path.replace(/\[\d+\]/g, '[]');
        const listed = notComparedOfPanel.some(name => general === name || general.startsWith(`${name}.`));
        if (said === '' && !listed) missed.push(`${path} ${what}`);
      }
      expect(missed).toEqual([]);
    });

    test('what is changed in the record of one of its models is found', () => {
      const changed = structuredClone(record) as unknown as {
        members: { evidence: { samples: { text: string }[] } }[];
      };
      changed.members[1]!.evidence.samples[0]!.text += ' indeed';
      expect(() => readPanel(sealed(changed))).toThrow('members[1]: The record was changed');
    });

    /** What a replay says of a record of the same models, without running anything. */
    function verdict(value: unknown): string {
      let read: PanelRecord;
      try {
        read = readPanel(value);
      } catch (error) {
        return (error as Error).message;
      }
      const family = read.members.findIndex(
        (member, i) => JSON.stringify(member.family) !== JSON.stringify(record.members[i]?.family),
      );
      if (family >= 0 && read.members[family]!.evidence) return `another family of ${family}`;
      const difference = panelContradiction(read) ?? resultDifference(read, heard);
      return difference ? inWords(difference) : '';
    }
  });
});

/** The models' own records have a test of their own. */
function withoutEvidence({ members, ...rest }: PanelRecord) {
  return { ...rest, members: members.map(member => ({ ...member, evidence: member.evidence && {} })) };
}

function withEvidence(changed: unknown, { members }: PanelRecord): unknown {
  const { members: now, ...rest } = changed as { members?: unknown };
  if (!Array.isArray(now)) return changed;
  const evidences = new Map(members.map(({ file, evidence }) => [file, evidence]));
  return {
    ...rest,
    members: now.map((member: { file?: string; evidence?: unknown } | null) => {
      if (typeof member !== 'object' || member === null || JSON.stringify(member.evidence) !== '{}') return member;
      const evidence = evidences.get(member.file!) ?? members.find(each => each.evidence)!.evidence;
      return { ...member, evidence };
    }),
  };
}
