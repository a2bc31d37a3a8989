import { boolean, string } from '../../check/options.js';

/** A generated text in its two parts. */
export interface ThinkingParts {
  /** What stands outside of its thinking: this alone is read for an answer. The whole text, as it is, where there is no thinking. */
  readonly said: string;
  /** What it thought, without the marks around it, parts with a blank line between. Undefined if there is none. */
  readonly thinking: string | undefined;
  /** True if the text ended while it was thinking: its tokens were used up. */
  readonly open: boolean;
}

/** What reasoning models put around their thinking: Qwen, DeepSeek and others, Mistral, Apertus. */
export const thinkingMarks = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['[THINK]', '[/THINK]'],
  ['<|inner_prefix|>', '<|inner_suffix|>'],
] as const;

const opens = new Map<string, number>(thinkingMarks.map(([open], kind) => [open.toLowerCase(), kind]));
const closes = new Map<string, number>(thinkingMarks.map(([, close], kind) => [close.toLowerCase(), kind]));
const mark = /<\/?(?:think(?:ing)?|thought|reasoning)>|<\|inner_(?:pre|suf)fix\|>|\[\/?THINK\]/gi;

/**
 * Takes the thinking out of a generated text. It is what stands between two marks of a kind, and what follows a first mark whose second does not come.
 * Before a second mark without a first everything is thinking: it began in the prompt. `begun`: so it did, whether or not a mark comes.
 *
 * @throws MeditronError `ERR_OPTION`
 */
export function splitThinking(text: string, begun = false): ThinkingParts {
  string('text', text);
  boolean('begun', begun);
  let said: string[] = [];
  let thought: string[] = [];
  /** Where the last second mark without a first stands: all before it is thinking. */
  let until = -1;
  /** The kind of mark that thinking ends at; -1: any; undefined: it is not thinking. */
  let inside: number | undefined = begun ? -1 : undefined;
  let from = 0;
  for (const match of text.matchAll(mark)) {
    const found = match[0].toLowerCase();
    const opened = opens.get(found);
    const closed = closes.get(found);
    const before = text.slice(from, match.index);
    if (opened !== undefined && inside === undefined) {
      said.push(before);
      inside = opened;
    } else if (closed !== undefined && inside === undefined) {
      until = match.index;
      said = [];
      thought = [];
    } else if (closed !== undefined && (inside === -1 || inside === closed)) {
      thought.push(before);
      inside = undefined;
    } else continue; // one kind of mark within another
    from = match.index + found.length;
  }
  const rest = text.slice(from);
  (inside === undefined ? said : thought).push(rest);
  const begin = until < 0 ? [] : [text.slice(0, until).replace(mark, '\n\n')];
  const thinking = [...begin, ...thought]
    .map(part => part.trim())
    .filter(part => part !== '')
    .join('\n\n');
  return { said: said.join('\n'), thinking: thinking === '' ? undefined : thinking, open: inside !== undefined };
}

/** Whether a prompt ends in the first mark of thinking, as some templates do: the model's text then begins within it. */
export function beginsThinking(prompt: string): boolean {
  const end = prompt.slice(-100).trimEnd().toLowerCase();
  return thinkingMarks.some(([open]) => end.endsWith(open.toLowerCase()));
}
