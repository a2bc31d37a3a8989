import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { schemaGrammar } from '../../src/prompt/schema/grammar.js';
import { Gbnf } from '../fixtures/gbnf.js';
import { withClients } from './installed.js';

await withClients(async () => {
  const { Ajv2020 } = await import('ajv/dist/2020.js');

  /** Schemas as people write them in zod, which describes each to servers by a JSON schema. */
  const tree: z.ZodType = z.object({
    name: z.string(),
    get children() {
      return z.array(tree);
    },
  });
  const schemas: Record<string, z.ZodType> = {
    patient: z.object({
      age: z.int().min(0).max(120),
      sex: z.enum(['f', 'm']),
      weight: z.number().positive().optional(),
    }),
    nullable: z.object({ note: z.string().nullable(), tags: z.array(z.string()).min(1).max(3) }),
    'discriminated union': z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('dose'), mg: z.number().min(0.5).max(1000) }),
      z.object({ kind: z.literal('none') }),
    ]),
    union: z.union([z.string().min(2), z.number(), z.array(z.boolean())]),
    record: z.record(z.string(), z.number()),
    'record of names': z.record(z.enum(['a', 'b']), z.int()),
    tuple: z.tuple([z.string(), z.int().min(-5).max(5)]),
    tree,
    dates: z.object({ on: z.iso.date(), at: z.iso.datetime(), id: z.uuid(), mail: z.email() }),
    intersection: z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })),
    defaults: z.object({ n: z.int().default(3), any: z.any() }),
    pattern: z.object({ code: z.string().regex(/^[A-Z]\d{2}(\.\d)?$/) }),
  };

  test.each(Object.entries(schemas))('%s: what the grammar lets through, zod and ajv accept', (_, schema) => {
    const json = z.toJSONSchema(schema);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(json);
    const grammar = new Gbnf(schemaGrammar(json));
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1_000_000)), choices => {
        const value: unknown = JSON.parse(grammar.write(n => (choices.next().value as number) % n));
        expect(validate(value), JSON.stringify([value, validate.errors])).toBe(true);
        expect(schema.safeParse(value).success, JSON.stringify(value)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
