import type * as v from 'valibot';

/** JSON Schema, as far as requests are described with it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What valibot's schemas and the checks in their pipes look like from outside. */
interface Looked {
  readonly type: string;
  readonly kind?: string;
  readonly entries?: Readonly<Record<string, Looked>>;
  readonly item?: Looked;
  readonly wrapped?: Looked;
  readonly value?: Looked;
  readonly default?: unknown;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly requirement?: unknown;
  readonly pipe?: readonly Looked[];
}

/** The JSON Schema of what a request is checked with. Checks that JSON Schema has no word for are left out: it lets more through, never less. */
export function jsonSchemaOf(schema: v.GenericSchema): JsonSchema {
  return described(schema as unknown as Looked);
}

function described(schema: Looked): JsonSchema {
  const { type, entries = {}, item, wrapped, value, options = [], literal, pipe = [] } = schema;
  const limits = Object.assign({}, ...pipe.slice(1).map(limit(type))) as JsonSchema;
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type, ...limits };
    case 'array':
      return { type, items: described(item!), ...limits };
    case 'object':
    case 'loose_object':
    case 'strict_object': {
      const fields = Object.entries(entries);
      const required = fields.filter(([, field]) => !mayBeLeftOut(field)).map(([name]) => name);
      return {
        type: 'object',
        properties: Object.fromEntries(fields.map(([name, field]) => [name, described(field)])),
        ...(required.length > 0 && { required }),
        ...(type === 'strict_object' && { additionalProperties: false }),
      };
    }
    case 'record':
      return { type: 'object', additionalProperties: described(value!) };
    case 'optional':
    case 'nullish':
    case 'exact_optional': {
      const inner = described(wrapped!);
      const filled = schema.default === undefined ? inner : { ...inner, default: schema.default };
      return type === 'nullish' ? orNull(filled) : filled;
    }
    case 'nullable':
      return orNull(described(wrapped!));
    case 'union':
    case 'variant':
      return { anyOf: options.map(option => described(option as Looked)) };
    case 'picklist':
      return { enum: options };
    case 'literal':
      return { const: literal };
    default:
      return {}; // anything
  }
}

function mayBeLeftOut({ type }: Looked): boolean {
  return ['optional', 'nullish', 'exact_optional'].includes(type);
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

function limit(of: string): (check: Looked) => JsonSchema {
  const size = of === 'array' ? 'Items' : 'Length';
  return ({ type, requirement }) => {
    switch (type) {
      case 'integer':
      case 'safe_integer':
        return { type: 'integer' };
      case 'min_value':
        return { minimum: requirement };
      case 'max_value':
        return { maximum: requirement };
      case 'min_length':
        return { [`min${size}`]: requirement };
      case 'max_length':
        return { [`max${size}`]: requirement };
      default:
        return {};
    }
  };
}
