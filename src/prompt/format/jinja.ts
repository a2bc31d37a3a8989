import vm from 'node:vm';
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { MeditronError } from '../../check/errors.js';
import type { Segment } from '../../types.js';
import { hashes, instMarkers, lineMarkers } from '../hygiene/marker.js';
import { fixed, join, prompt, trimmed } from '../segment.js';
import { chatTraits } from './chat.js';
import { fixedDate } from './date.js';
import type { PromptFormat, PromptInput } from './format.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** What a model file's own template needs to know of the model. */
export interface JinjaOptions {
  /** The text of the model's BOS token. A BOS that the template writes first is left to the engine; where it writes none, the file decides. */
  readonly bosToken?: string;
  /** The text of the model's EOS token, at which an answer ends. */
  readonly eosToken?: string;
  /** How long the template may run, in milliseconds; default 1000. */
  readonly timeout?: number;
}

const maxTemplateLength = 65_536;
const maxRenderedLength = 1_000_000;
const maxRange = 10_000;

/** What the format has without a template. */
export const jinjaTraits = chatTraits({
  name: 'jinja',
  description: "the model file's own chat template",
  source: 'tokenizer.chat_template in the model file',
  plain: [hashes, instMarkers, lineMarkers('User', 'Assistant')],
});

/**
 * The model's own chat template (`tokenizer.chat_template` of its file), rendered by @huggingface/jinja. A template is a
 * program from whoever made the file: it is used only when asked for, is refused above 64 KiB, and is stopped after
 * `timeout`, since its loops may never end. It never sees the texts of a conversation: it lays out placeholders, and the
 * texts take their places afterwards, so that text from outside stays text. A template that drops a message is refused.
 */
export function jinjaFormat(template: string, options: JinjaOptions = {}): PromptFormat {
  const layOut = layOutBy(template, options);
  return {
    ...jinjaTraits,
    stops: () => ({ tokens: options.eosToken ? [options.eosToken] : [], texts: [] }),
    bos: input => layOut(rolesOf(input)).bos || undefined,
    build: input => render(layOut, input),
  };
}

function compile(template: string): Template {
  if (template.length > maxTemplateLength) {
    throw refused(`it has ${template.length} characters, more than ${maxTemplateLength}`);
  }
  try {
    return new Template(template);
  } catch (error) {
    throw refused(`it cannot be read: ${(error as Error).message}`, error);
  }
}

function render(layOut: LayOut, input: PromptInput): Segment[] {
  const messages = messagesOf(input);
  const { pieces } = layOut(messages.map(({ role }) => role));
  const body = pieces.map(piece => {
    if (typeof piece === 'string') return fixed(piece);
    const { content } = messages[piece.message]!;
    return piece.trims ? trimmed(content) : content;
  });
  return prompt`${join(body, '')}${fixed(prefill(input))}`;
}

interface Spoken {
  readonly role: string;
  readonly content: readonly Segment[];
}

function messagesOf(input: PromptInput): readonly Spoken[] {
  const system = systemOf(input);
  const turns = turnsOf(input, chatTurn);
  return system === undefined ? turns : [{ role: 'system', content: [{ text: system, template: false }] }, ...turns];
}

function rolesOf(input: PromptInput): readonly string[] {
  return messagesOf(input).map(({ role }) => role);
}

/** A rendered conversation: the template's own text, and messages where their texts go, with their outer white space or without. */
interface Layout {
  readonly pieces: readonly Piece[];
  /** Whether it began with the BOS. */
  readonly bos: boolean;
}
type Piece = string | { readonly message: number; readonly trims: boolean };
type LayOut = (roles: readonly string[]) => Layout;

/** What the template makes of a conversation with these roles. It depends on nothing else, so the last one is kept. */
function layOutBy(template: string, { bosToken = '', eosToken = '', timeout = 1000 }: JinjaOptions): LayOut {
  const run = runnerOf(compile(template), timeout);
  const name = placeholderFor(template);
  let last: { readonly key: string; readonly layout: Layout } | undefined;
  return roles => {
    const key = roles.join();
    if (last?.key === key) return last.layout;
    const rendered = run({
      messages: roles.map((role, i) => ({ role, content: `${edge}${name}${i}.${edge}` })),
      add_generation_prompt: true,
      bos_token: bosToken,
      eos_token: eosToken,
      date_string: fixedDate.words,
    });
    const bos = bosToken !== '' && rendered.startsWith(bosToken);
    const parts = rendered.slice(bos ? bosToken.length : 0).split(new RegExp(`(${edge}?)${name}(\\d+)\\.${edge}?`));
    const pieces = parts.flatMap((part, i): Piece[] => {
      if (i % 3 === 0) return [part];
      return i % 3 === 2 ? [{ message: Number(part), trims: parts[i - 1] === '' }] : [];
    });
    const kept = new Set(pieces.map(piece => (typeof piece === 'string' ? undefined : piece.message)));
    const dropped = roles.findIndex((_, i) => !kept.has(i));
    if (dropped >= 0) throw refused(`it leaves out message ${dropped + 1} of ${roles.length}`);
    const layout = { pieces, bos };
    last = { key, layout };
    return layout;
  };
}

type Run = (values: Record<string, unknown>) => string;

/** Rendering under a time limit: a function of ours, called from a context whose only purpose is that it can be stopped. */
function runnerOf(compiled: Template, timeout: number): Run {
  const call = new vm.Script('render()');
  const sandbox: { render?: () => unknown } = Object.create(null);
  const context = vm.createContext(sandbox);
  return values => {
    let rendered: unknown;
    try {
      sandbox.render = () => new Interpreter(environmentOf(values)).run(compiled.parsed).value;
      rendered = call.runInContext(context, { timeout });
    } catch (error) {
      const late = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
      throw refused(late ? `it ran for more than ${timeout} ms` : `it failed: ${(error as Error).message}`, error);
    }
    if (typeof rendered === 'string' && rendered.length <= maxRenderedLength) return rendered;
    throw refused(`what it wrote is longer than ${maxRenderedLength} characters`);
  };
}

/** What a template may name. The library's own `range` would build a list of any length, its `strftime_now` reads the clock. */
function environmentOf(values: Record<string, unknown>): Environment {
  const environment = new Environment();
  const named = { true: true, True: true, false: false, False: false, none: null, None: null, ...values };
  for (const [name, value] of Object.entries(named)) environment.set(name, value);
  environment.set('range', range);
  environment.set('strftime_now', (format: unknown) => (format === '%Y-%m-%d' ? fixedDate.iso : fixedDate.words));
  environment.set('raise_exception', (message: unknown) => {
    throw new Error(String(message));
  });
  return environment;
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= maxRange)) throw new Error(`range() of ${length} numbers, more than ${maxRange}`);
  return Array.from({ length }, (_, i) => from + i * step);
}

/** White space that no template writes itself, around a placeholder: where a template trims its messages it is gone. */
const edge = '\u2003';

/** Letters and digits that no filter changes when it trims, and that the template does not contain. */
function placeholderFor(template: string): string {
  let name = 'meditron7slot';
  for (let i = 0; template.includes(name); i++) name = `meditron7slot${i}x`;
  return name;
}

function refused(why: string, cause?: unknown): MeditronError {
  return new MeditronError('ERR_PROMPT_FORMAT', `The model's chat template cannot be used: ${why}`, { cause });
}
