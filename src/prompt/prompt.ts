import { MeditronError, optionError } from '../check/errors.js';
import { boolean, integer, object, oneOf, string } from '../check/options.js';
import type { Segment } from '../types.js';
import type { Asked } from './format/body.js';
import type { Demonstration } from './format/demonstration.js';
import {
  type FormatName,
  type Mode,
  modes,
  type PromptFormat,
  type PromptInput,
  type Protocol,
  protocols,
  type Stops,
  type Task,
  tasks,
  thinks,
} from './format/format.js';
import { rankedGrammar } from './format/grammar.js';
import { maxRankedItems } from './format/open.js';
import { answerPhrase, taskOf } from './format/wording.js';
import { cleanText, type Finding } from './hygiene/hygiene.js';
import { neutralise } from './hygiene/marker.js';
import { checkAbstainOption, offered } from './question/abstain.js';
import { labelsOf, type Question } from './question/question.js';

/** A question as it goes to the engine, with everything that follows from its format. */
export interface Prompt {
  /** The format it was built in. */
  readonly format: FormatName;
  /** Whose wording it has. */
  readonly protocol: Protocol;
  /** How it is asked. */
  readonly mode: Mode;
  /** Undefined for conversations. */
  readonly task: Task | undefined;
  /** The prompt: the format's own text, and text from outside. */
  readonly segments: readonly Segment[];
  /** Whether the format's template begins with the vocabulary's BOS, whatever the model file says; undefined where the file decides. */
  readonly bos: boolean | undefined;
  /** Where an answer ends. */
  readonly stops: Stops;
  /** The question as the model sees it: cleaned, markers rewritten. */
  readonly question: Question;
  /** The answers that can be given: letters, yes/no/maybe, or none. */
  readonly labels: readonly string[];
  /** Mode `top-token`: for each label the text that follows the prompt; else empty. */
  readonly continuations: readonly string[];
  /** Modes `cot` and `sc-cot` with labels: how to ask a chain that named no answer; else undefined. */
  readonly reask: Reask | undefined;
  /** Mode `ranked`: the GBNF grammar of the answer; else undefined. */
  readonly grammar: string | undefined;
  /** What was removed from, rewritten in or noticed in text from outside. */
  readonly findings: readonly Finding[];
}

/** Appended to a chain of thought as it stands; then the continuations are compared. All of it is our own text. */
export interface Reask {
  /** What is put behind the chain. */
  readonly suffix: string;
  /** What is compared behind it: one for each label, in their order. */
  readonly continuations: readonly string[];
}

/**
 * Builds the prompt of a question. Every text from outside is cleaned (see cleanText) and, under all protocols but
 * `authors-code`, kept from spelling the markers of a plain-text format. Throws `ERR_INPUT` for text that is blank once
 * cleaned, `ERR_OPTION` for options that do not fit together, `ERR_PROMPT_FORMAT` where the format cannot ask this.
 */
export function buildPrompt(format: PromptFormat, input: PromptInput): Prompt {
  check(format, input);
  const findings: Finding[] = [];
  const shown = format.accepts.demonstrations ? input : { ...input, shots: 0 };
  const cleaned = withAbstainOption(cleanInput(shown, outsideText(format, input.protocol, findings)));
  const labels = labelsOf(cleaned.question);
  return {
    format: format.name,
    protocol: input.protocol,
    mode: input.mode,
    task: cleaned.question.kind === 'chat' ? undefined : taskOf(cleaned),
    segments: goneOn(format.build(cleaned), cleaned.begun),
    bos: format.bos?.(cleaned),
    stops: format.stops(cleaned),
    question: cleaned.question,
    labels,
    continuations: input.mode === 'top-token' ? labels.map(label => format.continuation(cleaned, label)) : [],
    reask:
      thinks(input.mode) && labels.length > 0
        ? { suffix: `\n${answerPhrase}`, continuations: labels.map(label => ` ${label}`) }
        : undefined,
    grammar: input.mode === 'ranked' ? rankedGrammar(input.items ?? 5) : undefined,
    findings,
  };
}

const kindsOf: Readonly<Record<Task, Question['kind']>> = {
  medqa: 'choice',
  medqa4: 'choice',
  medmcqa: 'choice',
  mmlu_medical: 'choice',
  truthfulqa: 'choice',
  mcq: 'choice',
  pubmedqa: 'boolean',
  medicationqa: 'open',
  open: 'open',
};

function check(format: PromptFormat, input: PromptInput): void {
  if (typeof object('format', format).build !== 'function')
    throw optionError('format', 'a prompt format, as formatByName() returns it', format);
  const { question, task, system, demonstrations } = object('input', input) as unknown as PromptInput;
  oneOf('question.kind', object('question', question).kind, ['choice', 'boolean', 'open', 'chat']);
  const mode = oneOf('mode', input.mode, modes);
  oneOf('protocol', input.protocol, protocols);
  if (input.shots !== undefined) integer('shots', input.shots, 0, 5);
  if (input.items !== undefined) integer('items', input.items, 1, maxRankedItems);
  if (question.kind === 'chat') {
    if (!format.accepts.chat) {
      throw new MeditronError(
        'ERR_PROMPT_FORMAT',
        `The ${format.name} format has no conversation; for base models use one-shot`,
      );
    }
    if (mode !== 'free') throw conflict(`A conversation is answered in mode free, not ${mode}`);
    if (question.messages[0]?.role === 'system' && (system !== undefined || !format.accepts.system)) {
      throw conflict('The conversation has a system message; `system` cannot be given as well');
    }
    for (const key of ['task', 'instruction', 'demonstrations'] as const) {
      if (input[key] !== undefined) throw conflict(`A conversation has no \`${key}\``);
    }
  } else if (input.begun !== undefined) {
    throw conflict('Only a conversation has an answer that was begun');
  } else if (task !== undefined && kindsOf[oneOf('task', task, tasks)] !== question.kind) {
    throw conflict(`The task ${task} asks questions of kind ${kindsOf[task]}, this one is ${question.kind}`);
  }
  if (mode === 'top-token' && labelsOf(question).length === 0) {
    throw conflict('Mode top-token compares given answers, and an open question has none; use free, cot or ranked');
  }
  if (mode === 'ranked' && question.kind !== 'open') {
    throw conflict(`Mode ranked is for open questions, this one is of kind ${question.kind}`);
  }
  if (system !== undefined && !format.accepts.system) throw conflict(`The ${format.name} format has no system turn`);
  if (system !== undefined && format.name === 'chatml' && input.protocol === 'paper' && question.kind !== 'chat') {
    throw conflict('Under paper the system turn holds the instruction; give `instruction` instead of `system`');
  }
  if (input.abstainOption !== undefined && boolean('abstainOption', input.abstainOption)) {
    if (input.protocol !== 'strict')
      throw conflict(`\`abstainOption\` is for protocol strict: ${input.protocol} asks as it was published`);
    if (question.kind !== 'choice')
      throw conflict(`\`abstainOption\` needs a question with options, this one is of kind ${question.kind}`);
  }
  if (demonstrations !== undefined && !format.accepts.demonstrations) {
    throw conflict(`The ${format.name} format shows no demonstrations; use few-shot`);
  }
  for (const demonstration of demonstrations ?? []) {
    if (demonstration.question.kind === question.kind) continue;
    throw conflict(
      `Expected demonstrations of kind ${question.kind}, as the question, got one of ${demonstration.question.kind}`,
    );
  }
}

/** The prompt up to where the answer broke off. */
function goneOn(segments: readonly Segment[], begun: string | undefined): readonly Segment[] {
  return begun === undefined ? segments : [...segments, { text: begun, template: false }];
}

function withAbstainOption(input: PromptInput): PromptInput {
  const { question, abstainOption } = input;
  if (!abstainOption || question.kind !== 'choice') return input;
  checkAbstainOption(question);
  return { ...input, question: offered(question, true) };
}

/** `oneBlock`: blank lines separate examples, so that within one there are none. */
type Clean = (text: string, where: string, oneBlock?: boolean) => string;

function outsideText(format: PromptFormat, protocol: Protocol, findings: Finding[]): Clean {
  return (text, where, oneBlock = false) => {
    string(where, text);
    const cleaned = cleanText(text, where);
    const safe = neutralise(cleaned.text, format.markers, where, protocol !== 'authors-code');
    findings.push(...cleaned.findings, ...safe.findings);
    if (safe.text.trim() === '') {
      throw new MeditronError('ERR_INPUT', `Expected ${where} to be text that can be seen, got none after cleaning`);
    }
    const block = oneBlock && protocol !== 'authors-code' ? safe.text.trim().replace(/\n\s*\n/g, '\n') : safe.text;
    if (block.split('\n').length < safe.text.split('\n').length)
      findings.push({ where, kind: 'marker', action: 'rewritten', count: 1, detail: 'blank lines' });
    return block;
  };
}

function cleanInput(input: PromptInput, clean: Clean): PromptInput {
  const { question, system, instruction, demonstrations, begun } = input;
  return {
    ...input,
    question: question.kind === 'chat' ? cleanChat(question, clean) : cleanAsked(question, clean, ''),
    ...(system === undefined ? {} : { system: clean(system, 'system') }),
    ...(instruction ? { instruction: clean(instruction, 'instruction') } : {}),
    ...(begun === undefined ? {} : { begun: clean(begun, 'begun') }),
    ...(demonstrations === undefined
      ? {}
      : { demonstrations: demonstrations.map((d, i) => cleanDemonstration(d, clean, `demonstrations[${i}].`)) }),
  };
}

function cleanChat(question: Question & { kind: 'chat' }, clean: Clean): Question {
  const messages = question.messages.map(({ role, content }, i) => ({
    role,
    content: clean(content, `messages[${i}].content`),
  }));
  return { ...question, messages };
}

function cleanAsked<Q extends Asked>(question: Q, clean: Clean, at: string): Q {
  return {
    ...question,
    question: clean(question.question, `${at}question`),
    ...(question.context ? { context: question.context.map((part, i) => clean(part, `${at}context[${i}]`)) } : {}),
    ...(question.kind === 'choice'
      ? { options: question.options.map((option, i) => clean(option, `${at}options[${i}]`)) }
      : {}),
  };
}

function cleanDemonstration(demonstration: Demonstration, clean: Clean, at: string): Demonstration {
  const { question, answer, explanation } = demonstration;
  return {
    question: cleanAsked(question, clean, at),
    answer: clean(answer, `${at}answer`, true),
    ...(explanation === undefined ? {} : { explanation: clean(explanation, `${at}explanation`, true) }),
  };
}

function conflict(message: string): MeditronError {
  return new MeditronError('ERR_OPTION', message);
}
