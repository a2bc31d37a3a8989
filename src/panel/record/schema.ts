import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { readEvidence } from '../../ask/record/schema.js';
import type { Evidence } from '../../ask/types.js';
import { MeditronError } from '../../check/errors.js';
import { checked } from '../../check/schema.js';
import { isSealed } from '../../check/seal.js';
import { measurementSchema } from '../measured.js';
import { membersOfPanel, type PanelRecord, panelSchema } from '../types.js';

const { least, most } = membersOfPanel;
const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const texts = v.array(text);
const position = v.strictObject({
  answer: text,
  families: texts,
  members: texts,
  standing: v.picklist(['decided', 'undecided', 'minority']),
  rationale: v.nullable(v.strictObject({ member: text, sample: count, text })),
});

const interval = v.strictObject({ low: v.number(), high: v.number() });
const ranking = v.strictObject({
  items: v.array(
    v.strictObject({
      name: text,
      merged: texts,
      score: v.number(),
      named: count,
      of: count,
      wilson: v.exactOptional(interval),
      bestRank: count,
      mentions: v.array(v.strictObject({ index: count, rank: count, as: text })),
    }),
  ),
  samples: count,
  withoutList: count,
  planned: count,
  notRun: count,
  k: v.number(),
});

const record = v.strictObject({
  schema: v.literal(panelSchema),
  meditron: text,
  created: v.pipe(text, v.isoTimestamp('a time as 2026-01-31T12:00:00.000Z')),
  interrupted: v.nullable(v.picklist(['deadline', 'aborted'])),
  members: v.pipe(
    v.array(
      v.strictObject({
        name: text,
        file: text,
        called: v.nullable(text),
        family: v.nullable(
          v.strictObject({
            name: text,
            by: v.picklist(['caller', 'name', 'base', 'architecture', 'vocabulary', 'fingerprint']),
          }),
        ),
        measured: v.nullable(measurementSchema),
        state: v.picklist(['answered', 'failed', 'not-asked']),
        error: v.nullable(v.strictObject({ code: text, message: text })),
        evidence: v.nullable(v.looseObject({})),
      }),
    ),
    v.minLength(least, `${least} to ${most} models`),
    v.maxLength(most, `${least} to ${most} models`),
  ),
  result: v.strictObject({
    decision: v.nullable(v.picklist(['agree', 'split', 'abstain'])),
    reason: v.nullable(v.picklist(['families_differ', 'too_few_families', 'one_family', 'deadline', 'aborted'])),
    answer: v.nullable(text),
    families: v.array(
      v.strictObject({
        family: text,
        members: v.array(count),
        answer: v.nullable(text),
        standing: v.picklist(['decided', 'undecided', 'contradicts-itself', 'unheard']),
      }),
    ),
    heard: count,
    decided: count,
    needed: count,
    agreeing: count,
    summary: text,
    support: v.nullable(position),
    dissent: v.array(position),
    ranking: v.nullable(ranking),
  }),
  sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')),
});

/** Whether a value that was read is the record of a panel, or a panel's answer that holds one; it need not be sound. */
export function isPanel(value: unknown): boolean {
  const { schema } = recordIn(value);
  return typeof schema === 'string' && schema.startsWith('meditron.panel.');
}

/**
 * The record of a panel, or of a whole answer as `--json` prints it, which has the samples once. What it says has to be as it was written, to the last bit.
 *
 * @throws MeditronError `ERR_INPUT` with the field, what was expected and what came; or that it was changed
 */
export function readPanel(value: unknown): PanelRecord {
  const given = withSamples(value);
  if (given.schema !== panelSchema)
    throw new MeditronError(
      'ERR_INPUT',
      `Expected the record of a panel of schema ${panelSchema}, as \`meditron ask --panel\` writes it with \`--record\` or \`--json\``,
    );
  const read = checked(record, given, 'The record is damaged');
  const members = read.members.map((member, i) => ({ ...member, evidence: evidenceOf(member.evidence, i) }));
  if (!isSealed(given))
    throw new MeditronError(
      'ERR_INPUT',
      'The record was changed after it was written: its SHA-256 is not that of its content. Use an unchanged copy, or ask the question again',
    );
  const whole = isObject(value) && 'evidence' in value ? value : undefined;
  const result = given.result as Record<string, unknown>;
  const other = whole && Object.keys(result).find(name => !isDeepStrictEqual(result[name], whole[name]));
  if (other)
    throw new MeditronError(
      'ERR_INPUT',
      `The record is damaged: \`${other}\` of the answer is not what its evidence says`,
    );
  return { ...read, members } as PanelRecord;
}

function evidenceOf(given: unknown, i: number): Evidence | null {
  if (given === null) return null;
  try {
    return readEvidence(given);
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    throw new MeditronError(error.code, `members[${i}]: ${error.message}`);
  }
}

function recordIn(value: unknown): Record<string, unknown> {
  const whole = isObject(value) ? value : {};
  const evidence = 'evidence' in whole ? whole.evidence : whole;
  return isObject(evidence) ? evidence : {};
}

/** With the samples of the members' answers in their evidence, where the answer was printed whole; what they say of each other is compared. */
function withSamples(value: unknown): Record<string, unknown> {
  const given = recordIn(value);
  if (given === value || !isObject(value) || !Array.isArray(value.members) || !Array.isArray(given.members))
    return given;
  const told = value.members as unknown[];
  return {
    ...given,
    members: given.members.map((member: unknown, i) => {
      const answer = isObject(told[i]) ? told[i].answer : undefined;
      if (!isObject(member) || !isObject(member.evidence) || !isObject(answer)) return member;
      const evidence = { ...member.evidence, ...(!('samples' in member.evidence) && { samples: answer.samples }) };
      readEvidence({ ...answer, evidence });
      return { ...member, evidence };
    }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
