import { describe, MeditronError, named } from '../../check/errors.js';
import { nearest } from '../../check/options.js';

/** A multiple-choice question; option i is shown under the i-th letter. */
export interface ChoiceQuestion {
  /** Options are shown, and a letter is the answer. */
  readonly kind: 'choice';
  /** What the caller calls it. Never part of a prompt. */
  readonly id?: string;
  /** The text of the question, without its options. */
  readonly question: string;
  /** 2 to 26 options. Two may be equal: published sets contain such rows. */
  readonly options: readonly string[];
  /** Texts that are shown above the question. */
  readonly context?: readonly string[];
  /** The letter of the right option, if known. Never part of a prompt. */
  readonly answer?: string;
}

/** A yes/no/maybe question over given text, as in PubMedQA. */
export interface BooleanQuestion {
  /** Yes, no or maybe is the answer. */
  readonly kind: 'boolean';
  /** What the caller calls it. Never part of a prompt. */
  readonly id?: string;
  /** The text of the question. */
  readonly question: string;
  /** Texts that are shown above the question; none is an empty list. */
  readonly context: readonly string[];
  /** `yes`, `no` or `maybe`, if known. Never part of a prompt. */
  readonly answer?: string;
}

/** A question that is answered in words. */
export interface OpenQuestion {
  /** It is answered in words. */
  readonly kind: 'open';
  /** What the caller calls it. Never part of a prompt. */
  readonly id?: string;
  /** The text of the question. */
  readonly question: string;
  /** Texts that are shown above the question. */
  readonly context?: readonly string[];
  /** A right answer, if known. Never part of a prompt. */
  readonly answer?: string;
}

/** One turn of a conversation. */
export interface Message {
  /** Who speaks. */
  readonly role: 'system' | 'user' | 'assistant';
  /** What is said. */
  readonly content: string;
}

/** A conversation: an optional system message, then user and assistant in turn, the user last. */
export interface ChatQuestion {
  /** A conversation: the next turn is the answer. */
  readonly kind: 'chat';
  /** What the caller calls it. Never part of a prompt. */
  readonly id?: string;
  /** The turns so far, oldest first. */
  readonly messages: readonly Message[];
}

/** A question that has been checked: with options, yes/no/maybe, open, or a conversation. */
export type Question = ChoiceQuestion | BooleanQuestion | OpenQuestion | ChatQuestion;
export type QuestionKind = Question['kind'];

/** What may be answered to a yes/no/maybe question, in the order in which ties are shown. */
export const booleanLabels = ['yes', 'no', 'maybe'] as const;

/** A question may hold this many UTF-16 units in all its texts; no model of the line could read more. */
export const maxQuestionLength = 1_000_000;

/** The letter of the i-th option. */
export function letter(i: number): string {
  return String.fromCharCode(65 + i);
}

/** The answers a question can be given: letters, yes/no/maybe, or none for questions answered in words. */
export function labelsOf(question: Question): readonly string[] {
  if (question.kind === 'choice') return question.options.map((_, i) => letter(i));
  return question.kind === 'boolean' ? booleanLabels : [];
}

/**
 * Reads a question from parsed JSON: `{ question, options?, context?, answer?, id?, kind? }`, or
 * `{ messages, id?, kind? }` for a conversation. `options` is `{ "A": "...", "B": "..." }` or an array, `context` a string
 * or an array of strings. Without `kind`, a question with options is a `choice`, one with only a context a `boolean`
 * (yes/no/maybe), one with neither `open`. Throws `ERR_INPUT` with what was expected and what came.
 */
export function parseQuestion(value: unknown): Question {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('the question', 'an object', value);
  const input = value as Record<string, unknown>;
  const kind = kindOf(input);
  refuseOtherKeys(input, kind);
  const id = input.id === undefined ? {} : { id: idOf(input.id) };
  const parsed = kind === 'chat' ? { kind, ...id, messages: messagesOf(input.messages) } : asked(input, kind, id);
  const length = lengthOf(parsed);
  if (length > maxQuestionLength)
    throw bad(`Expected the question to have at most ${maxQuestionLength} characters, got ${length}`);
  return parsed;
}

const kinds = ['choice', 'boolean', 'open', 'chat'] as const;
const roles = ['system', 'user', 'assistant'] as const;
const keysOf: Readonly<Record<QuestionKind, readonly string[]>> = {
  choice: ['question', 'options', 'context', 'answer', 'id', 'kind'],
  boolean: ['question', 'context', 'answer', 'id', 'kind'],
  open: ['question', 'context', 'answer', 'id', 'kind'],
  chat: ['messages', 'id', 'kind'],
};
const allKeys = [...new Set(Object.values(keysOf).flat())];

function kindOf(input: Record<string, unknown>): QuestionKind {
  if (input.kind !== undefined) {
    if ((kinds as readonly unknown[]).includes(input.kind)) return input.kind as QuestionKind;
    const near = typeof input.kind === 'string' ? nearest(input.kind, kinds) : undefined;
    throw wrong('`kind`', `one of ${kinds.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`, input.kind);
  }
  if (input.messages !== undefined) return 'chat';
  if (input.options !== undefined) return 'choice';
  return input.context === undefined ? 'open' : 'boolean';
}

function refuseOtherKeys(input: Record<string, unknown>, kind: QuestionKind): void {
  for (const key of Object.keys(input)) {
    if (keysOf[kind].includes(key)) continue;
    if (allKeys.includes(key))
      throw bad(`A question of kind ${kind} has no ${named(key)}; it has ${keysOf[kind].join(', ')}`);
    const near = nearest(key, keysOf[kind]);
    throw bad(
      `Unknown key ${named(key)} in the question; ${near ? `did you mean \`${near}\`?` : `known keys: ${keysOf[kind].join(', ')}`}`,
    );
  }
}

function asked(
  input: Record<string, unknown>,
  kind: 'choice' | 'boolean' | 'open',
  id: { id?: string },
): ChoiceQuestion | BooleanQuestion | OpenQuestion {
  const question = text('`question`', input.question);
  const context = input.context === undefined ? undefined : contextOf(input.context);
  if (kind === 'boolean') {
    const answer = input.answer === undefined ? {} : { answer: booleanAnswer(input.answer) };
    return { kind, ...id, question, context: context ?? [], ...answer };
  }
  const given = context === undefined ? {} : { context };
  if (kind === 'choice') {
    const options = optionsOf(input.options);
    const answer = input.answer === undefined ? {} : { answer: choiceAnswer(input.answer, options.length) };
    return { kind, ...id, question, options, ...given, ...answer };
  }
  return {
    kind,
    ...id,
    question,
    ...given,
    ...(input.answer === undefined ? {} : { answer: text('`answer`', input.answer) }),
  };
}

function optionsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return counted(value.map((option, i) => text(`\`options[${i}]\``, option)));
  if (typeof value !== 'object' || value === null)
    throw wrong('`options`', 'an object {"A": "...", ...} or an array', value);
  const byLetter = new Map<string, string>();
  for (const [key, option] of Object.entries(value)) {
    const name = key.toUpperCase();
    if (!/^[A-Z]$/.test(name)) throw wrong('an option letter', 'one of A to Z', key);
    if (byLetter.has(name)) throw bad(`Option ${name} is given twice`);
    byLetter.set(name, text(`option ${name}`, option));
  }
  const letters = [...byLetter.keys()].sort();
  letters.forEach((name, i) => {
    if (name !== letter(i))
      throw bad(`Expected option letters to run A, B, C, ... without a gap, got ${letters.join(', ')}`);
  });
  return counted(letters.map(name => byLetter.get(name)!));
}

function counted(options: readonly string[]): readonly string[] {
  if (options.length < 2 || options.length > 26) throw bad(`Expected 2 to 26 options, got ${options.length}`);
  return options;
}

function contextOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [text('`context`', value)];
  if (!Array.isArray(value)) throw wrong('`context`', 'a string or an array of strings', value);
  return value.map((part, i) => text(`\`context[${i}]\``, part));
}

function choiceAnswer(value: unknown, count: number): string {
  const name = typeof value === 'string' ? value.trim().toUpperCase() : '';
  if (/^[A-Z]$/.test(name) && name <= letter(count - 1)) return name;
  throw wrong('`answer`', `a letter from A to ${letter(count - 1)}`, value);
}

function booleanAnswer(value: unknown): string {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if ((booleanLabels as readonly string[]).includes(word)) return word;
  throw wrong('`answer`', 'yes, no or maybe', value);
}

function messagesOf(value: unknown): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong('`messages`', 'an array of at least one message', value);
  const messages = value.map((item, i) => message(item, `messages[${i}]`));
  const turns = messages[0]!.role === 'system' ? messages.slice(1) : messages;
  turns.forEach((turn, i) => {
    const expected = i % 2 === 0 ? 'user' : 'assistant';
    if (turn.role === expected) return;
    const at = i + messages.length - turns.length;
    throw bad(`Expected \`messages[${at}].role\` to be ${expected} (user and assistant take turns), got ${turn.role}`);
  });
  if (turns.length % 2 === 0) throw bad('Expected the last message to be from the user');
  return messages;
}

function message(value: unknown, where: string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`\`${where}\``, 'an object', value);
  const { role, content, ...rest } = value as Record<string, unknown>;
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw bad(`Unknown key ${named(other)} in ${where}; a message has role and content`);
  if (!(roles as readonly unknown[]).includes(role))
    throw wrong(`\`${where}.role\``, `one of ${roles.join(', ')}`, role);
  return { role: role as Message['role'], content: text(`\`${where}.content\``, content) };
}

function idOf(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return text('`id`', value);
}

function text(where: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrong(where, 'a string that is not blank', value);
  return value;
}

function lengthOf(question: Question): number {
  const texts =
    question.kind === 'chat'
      ? question.messages.map(m => m.content)
      : [question.question, ...(question.context ?? []), ...(question.kind === 'choice' ? question.options : [])];
  return texts.reduce((sum, part) => sum + part.length, 0);
}

function wrong(what: string, expected: string, actual: unknown): MeditronError {
  return bad(`Expected ${what} to be ${expected}, got ${describe(actual)}`);
}

function bad(message: string): MeditronError {
  return new MeditronError('ERR_INPUT', message);
}
