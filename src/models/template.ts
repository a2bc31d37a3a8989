import { createHash } from 'node:crypto';
import type { FormatName, PromptFormat, PromptInput } from '../prompt/format/format.js';
import { formats } from '../prompt/format/formats.js';
import { jinjaFormat } from '../prompt/format/jinja.js';
import { textOf } from '../prompt/segment.js';

/** What a file's own chat template is found to write, beside the formats that are known. */
export interface TemplateFinding {
  /** SHA-256 of its text, with line ends as `\n` and none at the end. */
  readonly sha256: string;
  /** The model whose published template this is, byte for byte; null if it is none that is known. */
  readonly published: string | null;
  /** Formats that write the same as it does, for every conversation that was tried: one turn, with a system text, several turns. */
  readonly same: readonly FormatName[];
  /** Formats that write the same where a system text is given, while the template begins with another one where none is. */
  readonly butSystem: readonly FormatName[];
  /** What it writes before a first user turn where no system text is given; null where that is nothing, or not known. */
  readonly opening: string | null;
  /** Why it could not be tried; null if it was. */
  readonly problem: string | null;
}

/** Published templates by the SHA-256 of their text (llama.cpp v0.4.0, models/templates). */
export const publishedTemplates: Readonly<Record<string, string>> = {
  dea688e9f24a339a0d2504f6840852adbcedb082373172a0b82ca2c55996768d: 'Apertus-8B-Instruct',
  ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6: 'google/gemma-2-2b-it',
  '55b2f4a26ac9ee719330a61a0c39d9e538b0e9322212f048326318cff4f8674a': 'Qwen/Qwen2.5-7B-Instruct',
  '93c0e9aa3629bbd77e68dbc0f5621f6e6b23aa8d74b932595cdb8d64684526d7': 'meta-llama/Llama-3.1-8B-Instruct',
  d82792f95932f1c9cef5c4bd992f171225e3bf8c7b609b4557c9e1ec96be819f: 'meta-llama/Llama-3.2-3B-Instruct',
};

/** Texts of the tokens that begin and end a text, where the file's are known. */
export interface TemplateTokens {
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
}

/** Templates that were read; a server asks for the same ones again and again. */
const found = new Map<string, TemplateFinding>();
const mostFound = 32;

/**
 * Compares what a template writes for a few conversations with what each format does. A template is a program from whoever made the file: it
 * sees placeholders alone, for at most two seconds a conversation, and what it writes is compared and goes nowhere.
 */
export function readTemplate(template: string, tokens: TemplateTokens = {}): TemplateFinding {
  const key = JSON.stringify([template, tokens.bos, tokens.eos]);
  const known = found.get(key) ?? read(template, tokens);
  if (found.size >= mostFound && !found.has(key)) found.delete(found.keys().next().value!);
  found.set(key, known);
  return known;
}

function read(template: string, tokens: TemplateTokens): TemplateFinding {
  const sha256 = createHash('sha256').update(template.replaceAll('\r\n', '\n').replace(/\n$/, '')).digest('hex');
  const published = publishedTemplates[sha256] ?? null;
  const plain = writtenBy(template, tokens);
  if (typeof plain === 'string') {
    return { sha256, published, same: [], butSystem: [], opening: null, problem: plain };
  }
  const tried = candidates.map(format => ({ name: format.name, ...agreement(template, tokens, format, plain) }));
  const same = tried.filter(each => each.once && each.rest).map(({ name }) => name);
  const butSystem = tried.filter(each => !each.once && each.rest).map(({ name }) => name);
  return { sha256, published, same, butSystem, opening: openingOf(plain), problem: null };
}

const candidates = formats.filter(({ accepts }) => accepts.chat);

/** Where templates write these tokens and the file does not say how they are spelt. */
const usualTokens: Partial<Record<FormatName, Required<TemplateTokens>>> = {
  'llama-2': { bos: '<s>', eos: '</s>' },
  mistral: { bos: '<s>', eos: '</s>' },
  olmo: { bos: '<|endoftext|>', eos: '<|endoftext|>' },
};

type Messages = (PromptInput['question'] & { readonly kind: 'chat' })['messages'];

const once: Messages = [{ role: 'user', content: 'QUESTION' }];
const conversation: Messages = [...once, { role: 'assistant', content: 'ANSWER' }, { role: 'user', content: 'MORE' }];
const system = { role: 'system', content: 'SYSTEM' } as const;
const onceTold: Messages = [system, ...once];
const conversationTold: Messages = [system, ...conversation];

interface Agreement {
  /** One user turn and nothing else. */
  readonly once: boolean;
  /** All that the template writes for other conversations; at least one was written. */
  readonly rest: boolean;
}

function agreement(template: string, given: TemplateTokens, format: PromptFormat, plain: Written): Agreement {
  const usual = usualTokens[format.name];
  const own = given.bos === undefined && given.eos === undefined && usual !== undefined;
  const tokens = own ? usual : given;
  const first = own ? writtenBy(template, tokens) : plain;
  if (typeof first === 'string') return { once: false, rest: false };
  // What a template refuses is not compared: Gemma 2 has no system turn, which its format writes as Gemma 3 does.
  const equal = (conversations: readonly Messages[]): boolean =>
    conversations.every(messages => [undefined, formatted(format, messages)].includes(first(messages)));
  const told = format.accepts.system ? [onceTold, conversationTold] : [];
  if (equal([once])) return { once: true, rest: equal([conversation, ...told]) };
  // Without a system text each begins with its own: only what is written with one can be the same.
  return { once: false, rest: told.some(messages => first(messages) !== undefined) && equal(told) };
}

/** What the template writes for a conversation; undefined if it refuses it. */
type Written = (messages: Messages) => string | undefined;

/** Or why it writes not even one user turn. */
function writtenBy(template: string, { bos, eos }: TemplateTokens): Written | string {
  let jinja: PromptFormat;
  const write = (messages: Messages): string => {
    const text = formatted(jinja, messages);
    return bos === undefined ? text.replace(anyBos, '') : text;
  };
  try {
    jinja = jinjaFormat(template, {
      timeout: 2000,
      ...(bos !== undefined && { bosToken: bos }),
      ...(eos !== undefined && { eosToken: eos }),
    });
    write(once);
  } catch (error) {
    return (error as Error).message;
  }
  const texts = new Map<Messages, string | undefined>();
  return messages => {
    if (!texts.has(messages))
      texts.set(
        messages,
        tried(() => write(messages)),
      );
    return texts.get(messages);
  };
}

function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const anyBos = /^(?:<s>|<bos>|<\|begin_of_text\|>|<\|endoftext\|>)/;

function formatted(format: PromptFormat, messages: Messages): string {
  return textOf(format.build({ question: { kind: 'chat', messages }, mode: 'free', protocol: 'strict' }));
}

/** A turn that stands before the user's, as it is written. */
function openingOf(written: Written): string | null {
  const text = written(once)!;
  const told = written(onceTold);
  const before = text.slice(0, text.indexOf('QUESTION'));
  const beginning = told?.indexOf('SYSTEM') ?? -1;
  // With a system text it writes the same turn around that text: the rest is its own.
  return beginning > 0 && before.startsWith(told!.slice(0, beginning)) ? before : null;
}
