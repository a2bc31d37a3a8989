import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { jsonGrammar, schemaGrammar } from '../../../src/prompt/schema/grammar.js';
import { Gbnf } from '../../fixtures/gbnf.js';

/** A JSON schema, and the same said by a library that checks values. */
interface Pair {
  readonly schema: object;
  readonly check: v.GenericSchema;
}

const codePoints = (text: string) => [...text].length;
const edge = fc.oneof(fc.integer({ min: -1200, max: 1200 }), fc.integer({ min: -3, max: 3 }));
const decimalEdge = fc.oneof(
  edge,
  fc.tuple(edge, fc.integer({ min: 0, max: 99 })).map(([a, b]) => Number(`${a}.${b}`)),
);
const literalValue = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const propertyName = fc
  .oneof(fc.constantFrom('a', 'b', 'name', 'é "q" \\', 'x y'), fc.string({ maxLength: 5 }))
  .filter(name => name !== '__proto__');

const strings: fc.Arbitrary<Pair> = fc
  .record({ low: fc.option(fc.nat(4), { nil: undefined }), more: fc.option(fc.nat(4), { nil: undefined }) })
  .map(({ low, more }) => {
    const high = more === undefined ? undefined : (low ?? 0) + more;
    return {
      schema: {
        type: 'string',
        ...(low !== undefined && { minLength: low }),
        ...(high !== undefined && { maxLength: high }),
      },
      check: v.pipe(
        v.string(),
        v.check(
          text =>
            codePoints(text) >= (low ?? 0) && codePoints(text) <= (high ?? Infinity) && !/\p{Surrogate}/u.test(text),
        ),
      ),
    };
  });

const numbers: fc.Arbitrary<Pair> = fc
  .record({
    whole: fc.boolean(),
    low: fc.option(decimalEdge, { nil: undefined }),
    high: fc.option(decimalEdge, { nil: undefined }),
    above: fc.boolean(),
    below: fc.boolean(),
  })
  .filter(({ low, high }) => low === undefined || high === undefined || high - low >= 2)
  .map(({ whole, low, high, above, below }) => ({
    schema: {
      type: whole ? 'integer' : 'number',
      ...(low !== undefined && { [above ? 'exclusiveMinimum' : 'minimum']: low }),
      ...(high !== undefined && { [below ? 'exclusiveMaximum' : 'maximum']: high }),
    },
    check: v.pipe(
      v.number(),
      v.check(x => !whole || Number.isInteger(x)),
      v.check(x => low === undefined || (above ? x > low : x >= low)),
      v.check(x => high === undefined || (below ? x < high : x <= high)),
    ),
  }));

const patterns = [
  '^[A-Z]{2}\\d+$',
  '^(?:yes|no|"maybe")$',
  'a+b',
  '^\\\\[^x]?.$',
  '^[\\w-]+@[a-z]+\\.(com|org)$',
  '^$',
  '\\s\\n',
];
const others: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom<Pair>(
    { schema: { type: 'boolean' }, check: v.boolean() },
    { schema: { type: 'null' }, check: v.null() },
    { schema: { type: ['string', 'null'] }, check: v.nullable(v.string()) },
    { schema: { type: 'integer', nullable: true }, check: v.nullable(v.pipe(v.number(), v.integer())) },
    { schema: {}, check: v.any() },
    { schema: { type: 'string', format: 'date' }, check: v.pipe(v.string(), v.check(isDate)) },
    { schema: { type: 'string', format: 'uuid' }, check: v.pipe(v.string(), v.uuid()) },
    { schema: { type: 'string', format: 'email' }, check: v.pipe(v.string(), v.email()) },
    { schema: { type: 'string', format: 'ipv4' }, check: v.pipe(v.string(), v.ipv4()) },
    { schema: { type: 'string', format: 'date-time' }, check: v.pipe(v.string(), v.isoTimestamp()) },
  ),
  fc.constantFrom(...patterns).map(pattern => ({
    schema: { type: 'string', pattern },
    check: v.pipe(v.string(), v.regex(new RegExp(pattern, 'u'))),
  })),
  fc
    .uniqueArray(literalValue, { minLength: 1, maxLength: 4 })
    .map(values => ({
      schema: { enum: values },
      check: v.check<unknown, string>(
        x => values.some(value => JSON.stringify(value) === JSON.stringify(x)),
        'of the enum',
      ) as never,
    }))
    .map(({ schema, check }) => ({ schema, check: v.pipe(v.unknown(), check) })),
);

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

const { pair } = fc.letrec<{ pair: Pair }>(tie => ({
  pair: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'schema' },
    strings,
    numbers,
    others,
    fc
      .record({
        entries: fc.uniqueArray(fc.tuple(propertyName, tie('pair'), fc.boolean()), {
          selector: ([name]) => name,
          maxLength: 4,
          minLength: 1,
        }),
      })
      .map(({ entries }) => ({
        schema: {
          type: 'object',
          properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
          required: entries.filter(([, , needed]) => needed).map(([name]) => name),
          additionalProperties: false,
        },
        check: v.strictObject(
          Object.fromEntries(entries.map(([name, { check }, needed]) => [name, needed ? check : v.optional(check)])),
        ),
      })),
    tie('pair').map(({ schema, check }) => ({
      schema: { type: 'object', additionalProperties: schema },
      check: v.record(v.string(), check),
    })),
    fc
      .tuple(tie('pair'), fc.nat(3), fc.option(fc.nat(2), { nil: undefined }))
      .map(([{ schema, check }, low, more]) => ({
        schema: { type: 'array', items: schema, minItems: low, ...(more !== undefined && { maxItems: low + more }) },
        check: v.pipe(v.array(check), v.minLength(low), v.maxLength(more === undefined ? 1e9 : low + more)),
      })),
    fc.array(tie('pair'), { minLength: 1, maxLength: 3 }).map(pairs => ({
      schema: { type: 'array', prefixItems: pairs.map(({ schema }) => schema), items: false },
      check: v.strictTuple(pairs.map(({ check }) => check)),
    })),
    fc.array(tie('pair'), { minLength: 1, maxLength: 3 }).map(pairs => ({
      schema: { anyOf: pairs.map(({ schema }) => schema), description: 'one of them' },
      check: v.union(pairs.map(({ check }) => check)),
    })),
  ),
}));

test('what a grammar lets through is JSON that the schema accepts', () => {
  fc.assert(
    fc.property(pair, fc.infiniteStream(fc.nat(1_000_000)), ({ schema, check }, choices) => {
      const grammar = new Gbnf(schemaGrammar(schema));
      const pick = (n: number) => (choices.next().value as number) % n;
      for (let i = 0; i < 5; i++) {
        const text = grammar.write(pick);
        const value: unknown = JSON.parse(text);
        const result = v.safeParse(check, value);
        expect(result.success, `${JSON.stringify(schema)} let through ${text}`).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

describe('what a grammar lets through', () => {
  const accepts = (schema: unknown, ...values: unknown[]) => {
    const grammar = new Gbnf(schemaGrammar(schema));
    for (const value of values)
      for (const text of [
        JSON.stringify(value),
        JSON.stringify(value, null, 2),
        JSON.stringify(value).replaceAll(':', ': ').replaceAll(',', ', '),
      ])
        expect(grammar.matches(text), `${JSON.stringify(schema)} and ${text}`).toBe(true);
  };
  const refuses = (schema: unknown, ...values: unknown[]) => {
    const grammar = new Gbnf(schemaGrammar(schema));
    for (const value of values)
      expect(grammar.matches(JSON.stringify(value)), `${JSON.stringify(schema)} and ${JSON.stringify(value)}`).toBe(
        false,
      );
  };

  test('every whole number within bounds, and no other', () => {
    fc.assert(
      fc.property(edge, fc.nat(2000), fc.integer({ min: -4000, max: 4000 }), (low, size, value) => {
        const grammar = new Gbnf(schemaGrammar({ type: 'integer', minimum: low, maximum: low + size }));
        expect(grammar.matches(`${value}`)).toBe(low <= value && value <= low + size);
        for (const at of [low, low + size]) expect(grammar.matches(`${at}`)).toBe(true);
        for (const at of [low - 1, low + size + 1]) expect(grammar.matches(`${at}`)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('numbers with the decimals of their bounds and more', () => {
    accepts({ type: 'number', minimum: 0, maximum: 1 }, 0, 1, 0.5, 0.123456);
    refuses({ type: 'number', minimum: 0, maximum: 1 }, -0.5, 1.5, 2);
    accepts({ type: 'number', minimum: 35.5, maximum: 42.5 }, 35.5, 36.6, 42.5, 41.25);
    refuses({ type: 'number', minimum: 35.5, maximum: 42.5 }, 35.4, 42.51, 43.5);
    accepts({ type: 'number', exclusiveMinimum: 0 }, 0.1, 3, 12345.5);
    refuses({ type: 'number', exclusiveMinimum: 0 }, 0, -1);
    accepts({ type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 }, 0, -5, 9007199254740991);
    const { MAX_VALUE } = Number;
    for (const type of ['integer', 'number']) {
      accepts({ type, minimum: -MAX_VALUE, maximum: MAX_VALUE }, 0, -5, 9007199254740991);
      accepts({ type, minimum: 1, maximum: MAX_VALUE }, 1, 9007199254740991);
    }
  });

  test('properties in their order, the optional ones left out or not', () => {
    const schema = { type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } } };
    const subsets = [
      {},
      { a: null },
      { b: null },
      { a: null, c: null },
      { b: null, c: null },
      { a: null, b: null, c: null },
    ];
    accepts(schema, ...subsets);
    accepts({ ...schema, required: ['b'] }, ...subsets.filter(each => 'b' in each));
    refuses({ ...schema, required: ['b'] }, ...subsets.filter(each => !('b' in each)));
  });

  test('any object for json_object', () => {
    const grammar = new Gbnf(jsonGrammar());
    for (const value of [{}, { a: [1, -2.5, 1e-7, { b: null }], c: 'x "y" \\ \n é 😀' }])
      expect(grammar.matches(JSON.stringify(value))).toBe(true);
    for (const value of [[], 1, 'x', null]) expect(grammar.matches(JSON.stringify(value))).toBe(false);
  });

  test('a schema that refers to itself', () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
          required: ['value', 'children'],
        },
      },
    };
    accepts(tree, { value: 1, children: [{ value: 2, children: [] }] });
    refuses(tree, { value: 1 }, { value: 1, children: [{ value: 2 }] });
  });

  test('branches of oneOf that a constant tells apart, and all of allOf', () => {
    const shapes = {
      oneOf: [
        { type: 'object', properties: { kind: { const: 'dose' }, mg: { type: 'number' } }, required: ['kind', 'mg'] },
        { type: 'object', properties: { kind: { const: 'none' } }, required: ['kind'] },
      ],
    };
    accepts(shapes, { kind: 'dose', mg: 2.5 }, { kind: 'none' });
    refuses(shapes, { kind: 'dose' }, { kind: 'other' });
    const both = {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: { type: 'string' } }, required: ['b'] },
      ],
    };
    accepts(both, { a: 1, b: 'x' });
    refuses(both, { a: 1 }, { b: 'x' });
  });

  test('29 February in leap years', () => {
    const date = { type: 'string', format: 'date' };
    accepts(date, '2024-02-29', '2000-02-29', '1999-12-31', '2023-02-28', '2023-04-30');
    refuses(date, '2023-02-29', '1900-02-29', '2023-04-31', '2023-13-01', '2023-00-10');
  });
});

describe('what is not supported is named, with its place', () => {
  test.each<[unknown, RegExp]>([
    [
      { type: 'object', properties: { a: { type: 'string', pattern: '^(?=x)' } } },
      /`pattern` with .* at #\/properties\/a,/,
    ],
    [{ type: 'array', uniqueItems: true }, /`uniqueItems` at #,/],
    [{ not: {} }, /`not` at #,/],
    [{ type: 'object', patternProperties: {} }, /`patternProperties`/],
    [{ if: {} }, /`if`/],
    [{ type: 'number', multipleOf: 0.5 }, /`multipleOf`/],
    [{ type: 'string', format: 'iri' }, /`format` other than date/],
    [{ $ref: 'https://example.org/other' }, /`\$ref` out of the schema/],
    [{ $ref: '#/nowhere' }, /`\$ref` to what is not there/],
    [{ $ref: '#' }, /`\$ref` that leads to itself/],
    [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, /`\$ref` that leads to itself/],
    [{ oneOf: [{ type: 'string' }, { type: 'string', minLength: 2 }] }, /`oneOf` whose branches/],
    [{ type: 'integer', minimum: 3, maximum: 2 }, /no number/],
    [{ type: 'text' }, /`type` other than/],
    [false, /accepts nothing/],
    [7, /anything but an object/],
  ])('%j', (schema, message) => {
    expect(() => schemaGrammar(schema)).toThrow(
      expect.objectContaining({ code: 'ERR_GRAMMAR', message: expect.stringMatching(message) }),
    );
  });

  test('a schema without an end', () => {
    let deep: object = { type: 'null' };
    for (let i = 0; i < 200; i++) deep = { type: 'array', items: deep };
    expect(() => schemaGrammar(deep)).toThrow(/deep/);
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => {
        const next = { type: 'object', $ref: `#/$defs/d${(i + 1) % 30}` };
        return [`d${i}`, { type: 'object', properties: { a: next, b: next } }];
      }),
    );
    expect(() => schemaGrammar({ $ref: '#/$defs/d0', $defs })).toThrow(
      /schemas more than 64 deep|alternatives|too large/,
    );
  });
});
