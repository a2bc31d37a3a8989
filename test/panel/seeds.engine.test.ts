import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askedOf } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { panel } from '../../src/panel/panel.js';
import type { PanelAnswer, PanelMember } from '../../src/panel/types.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';

// Models that were trained apart, from other random weights: the model that ships, and two that learnt the same for a quarter of the time
// (test/fixtures/README.md). They are all right often, and wrong on different questions. Beside them one that knows nothing.
const root = resolve(import.meta.dirname, '..', '..');
const trained = ['models/meditron-mini.gguf', 'test/fixtures/mini-seed-1.gguf', 'test/fixtures/mini-seed-2.gguf'];
const folder = mkdtempSync(join(tmpdir(), 'meditron-seeds-'));
const random = join(folder, 'random.gguf');
beforeAll(async () => {
  const { metadata, tensors } = tinyModel({ architecture: 'llama', seed: 5, hyper: { context: 1024, layers: 1 } });
  metadata.set('general.name', entry.string('random'));
  await writeGguf(random, metadata, sourcesOf(tensors));
});
afterAll(() => rmSync(folder, { recursive: true }));

const questions = [...clinicalQuestions({ seed: 20261127, count: 5 })];
const members = (families: boolean): PanelMember[] => [
  ...trained.map((file, i) => ({ path: join(root, file), ...(families && { family: `seed ${i}` }) })),
  { path: random, family: 'random', format: 'raw' },
];

/** The rule in other words: what the families that are of one mind with themselves say, if two of them and half of those heard have a say. */
function expected({ members: reports }: PanelAnswer): readonly [decision: string, answer: string | null] {
  const families = new Map<string, Set<string>>();
  for (const { family, answer } of reports) {
    const said = families.get(family!.name) ?? new Set();
    if (answer!.decision === 'agree') said.add(answer!.answer!);
    families.set(family!.name, said);
  }
  const decided = [...families.values()].filter(said => said.size === 1).map(said => [...said][0]!);
  if (decided.length < 2 || 2 * decided.length < families.size) return ['abstain', null];
  return decided.every(answer => answer === decided[0]) ? ['agree', decided[0]!] : ['split', null];
}

test.each([true, false])(
  'models trained apart and a random one come to what the rule says (named apart: %s)',
  async apart => {
    const decisions: (string | null)[] = [];
    for (const question of questions) {
      const options = { samples: 3, seed: 3, maxTokens: 200, engine: { threads: 1 }, hash: false } as const;
      const answer = await panel(members(apart), askedOf(question), options);
      const [decision, said] = expected(answer);
      expect(answer.decision).toBe(decision);
      if (said !== null) expect(answer.answer).toBe(said);
      decisions.push(answer.decision);
    }
    if (apart) expect(decisions).toContain('agree');
    else expect(new Set(decisions)).toEqual(new Set(['abstain'])); // seeds of one model are no second opinion
  },
);
