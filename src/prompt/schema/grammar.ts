import { MeditronError } from '../../check/errors.js';
import { anyInteger, anyNumber, integersWithin, numbersWithin, written } from './numbers.js';
import { either, inOrder, literal, Rules, times } from './rules.js';
import { character, PatternRefused, patternGrammar, stringFormats } from './strings.js';

/** A grammar of any JSON object, for `response_format: { type: 'json_object' }`. */
export function jsonGrammar(): string {
  return schemaGrammar({ type: 'object' });
}

/**
 * A GBNF grammar whose texts are JSON that the schema accepts (JSON Schema 2020-12, and of draft 7 what differs: `definitions`, lists
 * of `items`). It may let through less than the schema, never more: an object has the properties that are named, in their order, and
 * others only where none is named; where a schema says no type, the type that its keywords are for.
 *
 * Supported: `type` (one or several), `enum`, `const`, `properties`, `required`, `additionalProperties`, `propertyNames`, `items`,
 * `prefixItems`, `minItems`, `maxItems`, `minLength`, `maxLength`, `pattern` (without look-around), `format` (date, time, date-time,
 * uuid, email, ipv4), `minimum`, `maximum` and their exclusive forms, `anyOf`, `allOf`, `oneOf` whose branches exclude each other by type or by
 * a constant property, `$ref` within the schema, also to itself, and `nullable`.
 *
 * @throws MeditronError `ERR_GRAMMAR` that names the keyword that is not supported and where it stands
 */
export function schemaGrammar(schema: unknown): string {
  return new Converter(schema).text();
}

type Schema = Readonly<Record<string, unknown>>;

const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
type Type = (typeof types)[number];

/** Keywords that say nothing of what is accepted. */
const annotations = new Set([
  ...['title', 'description', 'default', 'examples', 'example', '$schema', '$id', '$comment', '$defs', 'definitions'],
  ...['deprecated', 'readOnly', 'writeOnly', 'nullable', 'strict', '~standard', 'discriminator', 'enumNames'],
]);
const keywordsOf = {
  object: ['properties', 'required', 'additionalProperties', 'propertyNames', 'minProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'additionalItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
} as const satisfies Record<Type, readonly string[]>;
const joining = ['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref'];
const known = new Set([...joining, ...Object.values(keywordsOf).flat()]);

const mostTimes = 2000; // that one grammar's repetition may have
const mostDeep = 64;
const mostParts = 5000;
/** An e-mail address as zod describes it, by look-around; the grammar of the format keeps to it. */
const zodEmail = /^\^\(\?!\\\.\)\(\?!\.\*\\\.\\\.\)\(\[A-Za-z0-9_'\+\\-\\\.\]\*\)/;

class Converter {
  readonly #rules = new Rules();
  readonly #references = new Map<string, string>();
  #parts = 0;

  constructor(private readonly whole: unknown) {}

  text(): string {
    return this.#rules.text(this.#value(this.whole, new Place('#', 0)));
  }

  /** What the schema accepts, as an expression that may stand in a sequence. */
  #value(given: unknown, place: Place): string {
    if (++this.#parts > mostParts) this.#refuse(place, 'so many alternatives within alternatives');
    if (place.depth > mostDeep) this.#refuse(place, `schemas more than ${mostDeep} deep`);
    const schema = this.#schema(given, place);
    if (typeof schema === 'boolean') return schema ? this.#any() : this.#refuse(place, 'a schema that accepts nothing');
    if (schema.nullable === true) {
      const { nullable: _, ...rest } = schema;
      return this.#rules.rule('nullable', `${this.#value(rest, place)} | "null"`);
    }
    for (const key of Object.keys(schema))
      if (!known.has(key) && !annotations.has(key) && !key.startsWith('x-')) this.#refuse(place, `\`${shown(key)}\``);
    if (schema.$ref !== undefined) return this.#reference(schema, place);
    if (schema.allOf !== undefined) return this.#allOf(schema, place);
    if (schema.anyOf !== undefined || schema.oneOf !== undefined) return this.#anyOf(schema, place);
    if (schema.const !== undefined) return this.#constants(schema, [schema.const], place);
    if (schema.enum !== undefined) return this.#constants(schema, this.#list(schema.enum, place.at('enum')), place);
    const expressions = this.#types(schema, place).map(type => this.#typed(type, schema, place));
    return expressions.length === 1 ? expressions[0]! : this.#rules.rule('either', expressions.join(' | '));
  }

  #typed(type: Type, schema: Schema, place: Place): string {
    switch (type) {
      case 'object':
        return this.#object(schema, place);
      case 'array':
        return this.#array(schema, place);
      case 'string':
        return this.#rules.rule('string', `"\\"" ${this.#string(schema, place)} "\\""`);
      case 'number':
      case 'integer':
        return this.#number(type, schema, place);
      case 'boolean':
        return this.#rules.rule('boolean', '"true" | "false"');
      case 'null':
        return '"null"';
    }
  }

  #any(): string {
    const known = this.#references.get('any');
    if (known !== undefined) return known;
    const name = this.#rules.reserve('any');
    this.#references.set('any', name);
    const string = this.#rules.rule('string', `"\\"" ${this.#character()}* "\\""`);
    const number = this.#rules.rule('number', anyNumber);
    const pair = `${string} ":" ${this.#space()} ${name}`;
    const object = this.#rules.rule('object', this.#enclosed('{', this.#repeated(pair, 0, undefined), '}'));
    const array = this.#rules.rule('array', this.#enclosed('[', this.#repeated(name, 0, undefined), ']'));
    const boolean = this.#rules.rule('boolean', '"true" | "false"');
    this.#rules.define(name, `${object} | ${array} | ${string} | ${number} | ${boolean} | "null"`);
    return name;
  }

  /** A blank, or a new line and an indentation: enough for any layout, and no endless run of blanks. */
  #space(): string {
    return this.#rules.rule('space', '(" " | "\\n" " "{0,20})?');
  }

  #character(): string {
    return this.#rules.rule('char', character);
  }

  #enclosed(open: string, inner: string, close: string): string {
    return inOrder(`"${open}"`, this.#space(), inner, this.#space(), `"${close}"`);
  }

  #comma(): string {
    return inOrder('","', this.#space());
  }

  /** So many of one thing, with commas between them. */
  #repeated(item: string, low: number, high: number | undefined): string {
    if (high === 0) return '';
    const more = times(inOrder(this.#comma(), item), Math.max(0, low - 1), high === undefined ? undefined : high - 1);
    const list = inOrder(item, more);
    return low === 0 ? `(${list})?` : list;
  }

  #object(schema: Schema, place: Place): string {
    const properties = this.#map(schema.properties ?? {}, place.at('properties'));
    const required = this.#list(schema.required ?? [], place.at('required')).map(name => {
      if (typeof name !== 'string') this.#refuse(place.at('required'), 'names that are no text');
      return name as string;
    });
    const more = schema.additionalProperties ?? true;
    // What is never allowed is left out, unless it has to be there.
    const allowed = Object.keys(properties).filter(name => properties[name] !== false || required.includes(name));
    const names = [...new Set([...allowed, ...required])];
    if (names.length === 0) return this.#anyNamed(schema, more, place);
    if (
      schema.propertyNames !== undefined &&
      !isAnyString(schema.propertyNames) &&
      !names.every(name => this.#isNamed(schema.propertyNames, name))
    )
      this.#refuse(place, '`propertyNames` beside `properties`');
    if ((this.#count(schema, 'minProperties', place) ?? 0) > required.length) this.#refuse(place, '`minProperties`');
    const pairs = names.map(name => {
      const own = Object.hasOwn(properties, name);
      const value = this.#value(
        own ? properties[name] : more,
        place.at(own ? 'properties' : 'additionalProperties', own ? name : ''),
      );
      return {
        needed: required.includes(name),
        pair: inOrder(literal(`${JSON.stringify(name)}:`), this.#space(), value),
      };
    });
    return this.#rules.rule('object', this.#enclosed('{', this.#listed(pairs), '}'));
  }

  /** Pairs in their order, with commas between those that are there. */
  #listed(pairs: readonly { readonly needed: boolean; readonly pair: string }[]): string {
    const first = pairs.findIndex(({ needed }) => needed);
    if (first >= 0) {
      const before = pairs.slice(0, first).map(({ pair }) => `(${inOrder(pair, this.#comma())})?`);
      const after = pairs.slice(first + 1).map(({ needed, pair }) => {
        const next = inOrder(this.#comma(), pair);
        return needed ? next : `(${next})?`;
      });
      return inOrder(...before, pairs[first]!.pair, ...after);
    }
    // None has to be there: after each of them those that come later, and their commas.
    let rest = '';
    const ways: string[] = [];
    for (const { pair } of [...pairs].reverse()) {
      ways.unshift(inOrder(pair, rest));
      rest = this.#rules.rule('more', inOrder(`(${inOrder(this.#comma(), pair)})?`, rest));
    }
    return `(${ways.join(' | ')})?`;
  }

  /** Any number of properties of one kind. */
  #anyNamed(schema: Schema, more: unknown, place: Place): string {
    if (more === false) return this.#rules.rule('object', this.#enclosed('{', '', '}'));
    const name =
      schema.propertyNames === undefined || isAnyString(schema.propertyNames)
        ? `"\\"" ${this.#character()}* "\\""`
        : this.#value(
            { type: 'string', ...this.#map(schema.propertyNames, place.at('propertyNames')) },
            place.at('propertyNames'),
          );
    const value = this.#value(more, place.at('additionalProperties'));
    const least = this.#count(schema, 'minProperties', place) ?? 0;
    if (least > 1) this.#refuse(place, '`minProperties` above 1'); // a name may come twice
    const pair = inOrder(name, '":"', this.#space(), value);
    return this.#rules.rule('object', this.#enclosed('{', this.#repeated(pair, least, undefined), '}'));
  }

  #isNamed(propertyNames: unknown, name: string): boolean {
    const names = (propertyNames as Schema).enum;
    return Array.isArray(names) && names.includes(name);
  }

  #array(schema: Schema, place: Place): string {
    const { uniqueItems, items } = schema;
    if (uniqueItems !== undefined && uniqueItems !== false) this.#refuse(place, '`uniqueItems`');
    const tuple = this.#list(schema.prefixItems ?? (Array.isArray(items) ? items : []), place.at('prefixItems'));
    const rest = (Array.isArray(items) ? schema.additionalItems : items) ?? true;
    const low = this.#count(schema, 'minItems', place) ?? 0;
    const high = this.#count(schema, 'maxItems', place);
    if (high !== undefined && high < low) this.#refuse(place, 'a `maxItems` below `minItems`');
    const first = tuple.slice(0, high).map((item, i) => this.#value(item, place.at('prefixItems', `${i}`)));
    if (first.length === 0) {
      if (rest === false) {
        if (low > 0) this.#refuse(place, 'a `minItems` that nothing fulfils');
        return this.#rules.rule('array', this.#enclosed('[', '', ']'));
      }
      const item = high === 0 ? '' : this.#value(rest, place.at('items'));
      return this.#rules.rule('array', this.#enclosed('[', this.#repeated(item, low, high), ']'));
    }
    const missing = Math.max(0, low - first.length);
    if (missing > 0 && rest === false) this.#refuse(place, 'a `minItems` that nothing fulfils');
    const most = high === undefined ? undefined : high - first.length;
    const open = missing > 0 || (items !== undefined && !Array.isArray(items) && items !== false);
    const more =
      open && most !== 0 ? times(inOrder(this.#comma(), this.#value(rest, place.at('items'))), missing, most) : '';
    return this.#rules.rule('array', this.#enclosed('[', inOrder(first.join(` ${this.#comma()} `), more), ']'));
  }

  #string(schema: Schema, place: Place): string {
    const { pattern, format } = schema;
    const low = this.#count(schema, 'minLength', place);
    const high = this.#count(schema, 'maxLength', place, Infinity);
    if (pattern !== undefined || format !== undefined) {
      if (low !== undefined || high !== undefined)
        this.#refuse(
          place,
          `\`minLength\` or \`maxLength\` beside \`${pattern === undefined ? 'format' : 'pattern'}\``,
        );
      return this.#rules.rule('text', this.#patterned(pattern, format, place));
    }
    if (low === undefined && high === undefined) return `${this.#character()}*`;
    if (high !== undefined && high < (low ?? 0)) this.#refuse(place, 'a `maxLength` below `minLength`');
    return times(this.#character(), low ?? 0, high === undefined ? undefined : Math.min(high, mostTimes)) || '""';
  }

  #patterned(pattern: unknown, format: unknown, place: Place): string {
    const ofFormat =
      typeof format === 'string' && Object.hasOwn(stringFormats, format) ? stringFormats[format] : undefined;
    if (pattern === undefined || (ofFormat !== undefined && format === 'email' && zodEmail.test(String(pattern)))) {
      return ofFormat ?? this.#refuse(place, `a \`format\` other than ${Object.keys(stringFormats).join(', ')}`);
    }
    if (typeof pattern !== 'string') this.#refuse(place, 'a `pattern` that is no text');
    try {
      return patternGrammar(pattern as string, this.#character());
    } catch (error) {
      if (!(error instanceof PatternRefused)) throw error;
      return this.#refuse(place, `a \`pattern\` with ${error.message}`);
    }
  }

  #number(type: 'number' | 'integer', schema: Schema, place: Place): string {
    const { multipleOf } = schema;
    if (multipleOf !== undefined && !(multipleOf === 1 && type === 'integer')) this.#refuse(place, '`multipleOf`');
    const [low, high] = [this.#bound(schema, 'minimum', place), this.#bound(schema, 'maximum', place)];
    const [over, under] = [
      this.#bound(schema, 'exclusiveMinimum', place),
      this.#bound(schema, 'exclusiveMaximum', place),
    ];
    const above = over !== undefined && (low === undefined || over >= low);
    const below = under !== undefined && (high === undefined || under <= high);
    const bounds = written({ minimum: above ? over : low, maximum: below ? under : high, above, below });
    if (bounds.minimum === undefined && bounds.maximum === undefined)
      return this.#rules.rule(type, type === 'integer' ? anyInteger : anyNumber);
    const within = type === 'integer' ? integersWithin(bounds) : numbersWithin(bounds);
    if (within === undefined) return this.#refuse(place, 'bounds between which there is no number');
    if (within === 'decimals') return this.#refuse(place, 'bounds with more than 6 decimals');
    return this.#rules.rule(type, within);
  }

  #constants(schema: Schema, values: readonly unknown[], place: Place): string {
    const wanted = schema.type === undefined ? types : this.#types(schema, place);
    const beside = Object.keys(schema).find(key => !annotations.has(key) && !['type', 'enum', 'const'].includes(key));
    const among =
      schema.const !== undefined && Array.isArray(schema.enum)
        ? schema.enum.map(value => JSON.stringify(value))
        : undefined;
    if (beside !== undefined) this.#refuse(place, `\`${shown(beside)}\` beside \`enum\` or \`const\``);
    const texts = values
      .filter(value => wanted.some(type => isOfType(value, type)))
      .map(value => JSON.stringify(value))
      .filter(text => !among || among.includes(text));
    if (texts.length === 0) this.#refuse(place, 'an `enum` none of whose values is of its type');
    return this.#rules.rule('constant', texts.map(literal).join(' | '));
  }

  #anyOf(schema: Schema, place: Place): string {
    const key = schema.anyOf === undefined ? 'oneOf' : 'anyOf';
    const { [key]: given, ...rest } = schema;
    const branches = this.#list(given, place.at(key));
    if (branches.length === 0) this.#refuse(place, `an empty \`${key}\``);
    if (key === 'oneOf') this.#checkApart(branches, place);
    const base = bare(rest);
    const expressions = branches.map((branch, i) => {
      const at = place.at(key, `${i}`);
      return this.#value(base === undefined ? branch : this.#merged(base, branch, at), at);
    });
    return this.#rules.rule('either', either(expressions));
  }

  /** A value that two branches accept is none of `oneOf`. */
  #checkApart(branches: readonly unknown[], place: Place): void {
    const shapes = branches.map((branch, i) => this.#resolved(branch, place.at('oneOf', `${i}`)));
    for (let i = 0; i < shapes.length; i++) {
      for (let j = 0; j < i; j++) {
        if (!this.#areApart(shapes[i]!, shapes[j]!, place))
          this.#refuse(
            place,
            '`oneOf` whose branches are not told apart by their types, or by constants in a property that each requires; `anyOf`',
          );
      }
    }
  }

  #areApart(a: Schema, b: Schema, place: Place): boolean {
    const constants = (schema: Schema) =>
      schema.const !== undefined ? [schema.const] : Array.isArray(schema.enum) ? (schema.enum as unknown[]) : undefined;
    const [ofA, ofB] = [constants(a), constants(b)];
    if (ofA && ofB) return ofA.every(x => ofB.every(y => JSON.stringify(x) !== JSON.stringify(y)));
    const typesOf = (schema: Schema, own: unknown[] | undefined) =>
      own ? types.filter(type => own.some(value => isOfType(value, type))) : this.#types(schema, place);
    const same = (x: Type, y: Type) => x === y || (isNumeric(x) && isNumeric(y));
    if (!typesOf(a, ofA).some(x => typesOf(b, ofB).some(y => same(x, y)))) return true;
    const required = (schema: Schema) => (Array.isArray(schema.required) ? (schema.required as unknown[]) : []);
    const both = required(a).filter(name => typeof name === 'string' && required(b).includes(name)) as string[];
    if (a.type !== 'object' || b.type !== 'object') return false;
    return both.some(name => {
      const [x, y] = [a, b].map(schema =>
        constants(this.#resolved((schema.properties as Schema | undefined)?.[name] ?? {}, place)),
      );
      return x && y && x.every(one => y.every(other => JSON.stringify(one) !== JSON.stringify(other)));
    });
  }

  #allOf(schema: Schema, place: Place): string {
    const { allOf, ...rest } = schema;
    const all = this.#list(allOf, place.at('allOf')).reduce<Schema>(
      (sum, part, i) => this.#merged(sum, part, place.at('allOf', `${i}`)),
      bare(rest) ?? {},
    );
    return this.#value(all, place.at('allOf'));
  }

  /** Both schemas as one. */
  #merged(a: Schema, given: unknown, place: Place): Schema {
    const b = this.#resolved(given, place);
    const out: Record<string, unknown> = { ...a };
    for (const [key, value] of Object.entries(b)) {
      if (annotations.has(key) && key !== 'nullable') continue;
      const before = out[key];
      if (before === undefined) out[key] = value;
      else if (key === 'required') out[key] = [...new Set([...this.#list(before, place), ...this.#list(value, place)])];
      else if (key === 'properties')
        out[key] = this.#mergedProperties(this.#map(before, place), this.#map(value, place));
      else if (key === 'type') out[key] = this.#typesOfBoth(before, value, place);
      else if (key === 'additionalProperties' && (before === true || value === true))
        out[key] = before === true ? value : before;
      else if (key === 'allOf') out[key] = [...this.#list(before, place), ...this.#list(value, place)];
      else if (key === 'minimum' || key === 'minLength' || key === 'minItems')
        out[key] = Math.max(Number(before), Number(value));
      else if (key === 'maximum' || key === 'maxLength' || key === 'maxItems')
        out[key] = Math.min(Number(before), Number(value));
      else if (JSON.stringify(before) !== JSON.stringify(value))
        this.#refuse(place, `\`${shown(key)}\` twice, to be fulfilled together`);
    }
    // A schema that allows no other properties allows none that only the other names.
    const closed = (schema: Schema, other: Schema) =>
      schema.additionalProperties !== undefined &&
      schema.additionalProperties !== true &&
      Object.keys(this.#map(other.properties ?? {}, place)).some(
        name => !Object.hasOwn(this.#map(schema.properties ?? {}, place), name),
      );
    if (closed(a, b) || closed(b, a))
      this.#refuse(place, '`additionalProperties` of one part of an `allOf` that the others have properties beside');
    return out;
  }

  #mergedProperties(a: Schema, b: Schema): Schema {
    const out: Record<string, unknown> = { ...a };
    for (const [name, schema] of Object.entries(b))
      out[name] = Object.hasOwn(a, name) ? { allOf: [a[name], schema] } : schema;
    return out;
  }

  #typesOfBoth(a: unknown, b: unknown, place: Place): readonly Type[] {
    const [ofA, ofB] = [this.#types({ type: a }, place), this.#types({ type: b }, place)];
    const both = ofA.flatMap(type =>
      ofB.includes(type) ? [type] : isNumeric(type) && ofB.some(isNumeric) ? (['integer'] as const) : [],
    );
    if (both.length === 0) this.#refuse(place, 'types that no value has together');
    return [...new Set(both)];
  }

  #reference(schema: Schema, place: Place): string {
    const { $ref, ...rest } = schema;
    const base = bare(rest);
    const [pointer, target] = this.#target($ref, place);
    if (base !== undefined) return this.#value(this.#merged(base, target, place), place.through(pointer));
    const known = this.#references.get(pointer);
    if (known !== undefined) {
      if (place.passed.has(pointer)) this.#refuse(place, 'a `$ref` that leads to itself');
      return known;
    }
    const name = this.#rules.reserve('ref');
    this.#references.set(pointer, name);
    this.#rules.define(name, this.#value(target, place.through(pointer)));
    return name;
  }

  /** A schema with what it refers to in its place. */
  #resolved(given: unknown, place: Place): Schema {
    let schema = this.#schema(given, place);
    const seen = new Set<string>();
    for (;;) {
      if (typeof schema === 'boolean') return schema ? {} : this.#refuse(place, 'a schema that accepts nothing');
      const { $ref, ...rest } = schema;
      if ($ref === undefined) return schema;
      const [pointer, target] = this.#target($ref, place);
      if (seen.has(pointer)) this.#refuse(place, 'a `$ref` that leads to itself');
      seen.add(pointer);
      const base = bare(rest);
      schema =
        base === undefined
          ? this.#schema(target, place)
          : { ...base, allOf: [...this.#list(base.allOf ?? [], place), target] };
    }
  }

  #target($ref: unknown, place: Place): readonly [pointer: string, target: unknown] {
    if (typeof $ref !== 'string' || !/^#(\/|$)/.test($ref)) return this.#refuse(place, 'a `$ref` out of the schema');
    let target: unknown = this.whole;
    for (const step of $ref.split('/').slice(1)) {
      const name = step
        .replace(/%([0-9a-fA-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
        .replaceAll('~1', '/')
        .replaceAll('~0', '~');
      if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name))
        return this.#refuse(place, 'a `$ref` to what is not there');
      target = (target as Schema)[name];
    }
    return [$ref, target];
  }

  /** The types that a schema accepts; where it says none, those that its keywords are for. */
  #types(schema: Schema, place: Place): readonly Type[] {
    if (schema.type !== undefined) {
      const given = Array.isArray(schema.type) ? (schema.type as unknown[]) : [schema.type];
      for (const type of given)
        if (!(types as readonly unknown[]).includes(type))
          this.#refuse(place, `a \`type\` other than ${types.join(', ')}`);
      if (given.length === 0) this.#refuse(place, 'an empty `type`');
      return [...new Set(given as Type[])].filter(type => type !== 'integer' || !given.includes('number'));
    }
    const meant = types.filter(type => type !== 'integer' && keywordsOf[type].some(key => schema[key] !== undefined));
    return meant.length > 0 ? meant : ['object', 'array', 'string', 'number', 'boolean', 'null'];
  }

  #schema(given: unknown, place: Place): Schema | boolean {
    if (typeof given === 'boolean') return given;
    return this.#map(given, place);
  }

  #map(given: unknown, place: Place): Schema {
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Schema;
    return this.#refuse(place, 'anything but an object here');
  }

  #list(given: unknown, place: Place): readonly unknown[] {
    if (Array.isArray(given)) return given as readonly unknown[];
    return this.#refuse(place, 'anything but a list here');
  }

  #count(schema: Schema, key: string, place: Place, most = mostTimes): number | undefined {
    const value = schema[key];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
      return this.#refuse(place, `a \`${key}\` that is no whole number from 0 to ${mostTimes}`);
    return value;
  }

  #bound(schema: Schema, key: string, place: Place): number | undefined {
    const value = schema[key];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value)))
      return value as number | undefined;
    return this.#refuse(place, `a \`${key}\` that is no number`);
  }

  #refuse(place: Place, what: string): never {
    throw new MeditronError('ERR_GRAMMAR', `The JSON schema has ${what} at ${place.path}, which is not supported`);
  }
}

/** Where in a schema, and by which references it was come here without a character of the text. */
class Place {
  constructor(
    readonly path: string,
    readonly depth: number,
    readonly passed: ReadonlySet<string> = new Set(),
  ) {}

  /** Within; only alternatives begin with what the whole begins with. */
  at(key: string, name?: string): Place {
    const path = `${this.path}/${key}${name === undefined ? '' : `/${shown(name)}`}`;
    const begins = key === 'anyOf' || key === 'oneOf' || key === 'allOf';
    return new Place(path, this.depth + 1, begins ? this.passed : new Set());
  }

  through(pointer: string): Place {
    return new Place(pointer.split('/').map(shown).join('/'), this.depth + 1, new Set([...this.passed, pointer]));
  }
}

/** A name as errors show it: names are short, and what is longer may be a text in the wrong place. */
function shown(name: string): string {
  return name.length <= 40 ? name : `(a name of ${name.length} characters)`;
}

/** A schema without annotations; undefined if nothing is left. */
function bare(schema: Schema): Schema | undefined {
  const kept = Object.entries(schema).filter(([key]) => !annotations.has(key) || key === 'nullable');
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isAnyString(schema: unknown): boolean {
  if (schema === true) return true;
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).every(([key, value]) => annotations.has(key) || (key === 'type' && value === 'string'));
}

function isNumeric(type: Type): boolean {
  return type === 'number' || type === 'integer';
}

function isOfType(value: unknown, type: Type): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  if (typeof value === 'number') return type === 'number' || (type === 'integer' && Number.isInteger(value));
  return typeof value === type;
}
