import { normalized } from '../../check/unicode.js';
import type { AnswerForm, Extraction, ExtractRule, ReadingRules } from './answer.js';
import { boxMark, withoutLatex } from './boxed.js';
import { type Hit, LetterReader } from './letter.js';
import { matchesAt, skip } from './sticky.js';

/** What ends a text besides the models' end tokens. */
const defaultStops: readonly string[] = ['###'];

export interface StrictOptions {
  readonly stops?: readonly string[] | undefined;
  /** True if a blank line behind an answer ends the text. Default false. */
  readonly blankLineEnds?: boolean | undefined;
  /** Default 2. */
  readonly rules?: ReadingRules | undefined;
}

/**
 * Reads the answer of a generated text without its thinking: what follows the last "answer is", "option is", "choice:" … or stands in the last
 * box, whichever comes last, and names exactly one option, else a line that is only a letter, or a first word that is only yes, no or maybe. What is
 * not clearly one option is no answer.
 */
export function extractStrict(
  text: string,
  form: AnswerForm,
  { stops = defaultStops, blankLineEnds = false, rules = 2 }: StrictOptions = {},
): Extraction {
  const clean = readable(text, stops, rules);
  const ends = new Ends(clean, blankLineEnds);
  const found =
    form.kind === 'boolean' ? word(clean, form.maybe ?? true, ends, rules) : letter(clean, form, ends, rules);
  return { ...found, vote: found.answer };
}

type Found = Omit<Extraction, 'vote'>;

const nothing: Found = { answer: undefined, conflict: false, rule: 'none' };

/**
 * A copy to read from: compatibility-folded, because models write full-width letters; invisible characters removed, because
 * they can stand inside a word; end tokens and all line ends as newlines; cut at the first stop string.
 */
function readable(text: string, stops: readonly string[], rules: ReadingRules): string {
  const folded = normalized(text, 'NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/<\|im_end\|>|<\/s>|<EOD>|<PAD>|\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n');
  let end = folded.length;
  for (const stop of stops) {
    const at = stop === '' ? -1 : stopIn(folded, stop, rules);
    if (at >= 0) end = Math.min(end, at);
  }
  const kept = folded.slice(0, end);
  return rules === 1 ? kept : withoutLatex(kept);
}

/** Where a stop string stands first; `### Final answer` is a heading above the answer and ends nothing. */
function stopIn(text: string, stop: string, rules: ReadingRules): number {
  let at = text.indexOf(stop);
  if (rules === 1 || stop !== '###') return at;
  while (at >= 0 && (at === 0 || text[at - 1] === '\n') && matchesAt(answerHeading, text, at))
    at = text.indexOf(stop, answerHeading.lastIndex);
  return at;
}

const marks = String.raw`\s*_"'\x60“”‘’«»`;
const cue = new RegExp(
  String.raw`(?<![\p{L}\p{N}\p{M}])(answer|option|choice)[${marks}]*(?:(is)(?![\p{L}\p{N}\p{M}])(?:[${marks}]*[:=]+)?|[:=]+)`,
  'giu',
);

const heading = String.raw`[#*_> \t]{0,12}(?:(?:the|my)[ \t]{1,4})?(?:(?:final|correct|best)[ \t]{1,4})?answer[*_ \t]{0,8}`;
const answerHeading = new RegExp(String.raw`#{3,6}[ \t]${heading}(?![\p{L}\p{N}\p{M}])`, 'iuy');
/** What announces an answer besides: a box, a heading above it, an arrow or a dash behind "final answer". */
const laterCue = new RegExp(
  [
    cue.source,
    `(${boxMark})`,
    String.raw`(?<=^|\n)(${heading})(?=\n)`,
    String.raw`(?<=(?:final|correct|best)[ \t*_]{1,8})answer[*_"'\x60 \t]{0,8}(?:[→⇒➜–—]|[-=]{1,2}>|-(?=[ \t(*]))`,
  ].join('|'),
  'giu',
);

/** Where reading goes on after a cue: past spaces, quotes, emphasis and the words `the`, `option` and `choice`. */
const filler = new RegExp(String.raw`(?:[${marks}]+|(?:the|option|choice)(?![\p{L}\p{N}\p{M}]))*`, 'iuy');
const spaces = /[\t\p{Zs}*_"'`“”‘’«»]*/uy;

interface Cue {
  readonly kind: 'cue' | 'boxed' | 'heading';
  /** Just past the cue itself. */
  readonly end: number;
  /** The first character that could be an answer. */
  readonly start: number;
}

function* cues(text: string, rules: ReadingRules): Generator<Cue> {
  for (const match of text.matchAll(rules === 1 ? cue : laterCue)) {
    const [, noun, verb, box, head] = match;
    const kind = box ? 'boxed' : head ? 'heading' : 'cue';
    const end = match.index + match[0].length;
    const start = skip(filler, text, end);
    const crossed = text.slice(end, start).includes('\n');
    // "Consider each option:" before a list announces the options, not the answer; and a box holds its own line.
    const announces =
      crossed && (box !== undefined || (noun && noun.toLowerCase() !== 'answer' && !verb) || listed(text, start));
    yield { kind, end, start: announces ? skip(spaces, text, end) : start };
  }
}

/** Below a heading an answer stands by itself: "B", "(B) Aspirin", "B. Aspirin", not the first word of a sentence. */
const byItself = /[([]?[A-Za-z][)\]]?[*_"'`”’]{0,4}[ \t]{0,4}(?:[.):,;—–-]|\n|$)|[([][A-Za-z][)\]]/uy;

/** Two lines in a row that begin like `A.` and `B.` are a list of options. */
function listed(text: string, start: number): boolean {
  return /^[([]?[A-Za-z][.):\]][^\n]{0,400}\n\s{0,20}[([]?[A-Za-z][.):\]]/.test(text.slice(start, start + 450));
}

/** Where the paragraph of an answer ends, if what follows is not to be read. Positions must not go back. */
class Ends {
  #blank = -1;

  constructor(
    private readonly text: string,
    private readonly atBlankLine: boolean,
  ) {}

  after(answer: number): number {
    if (!this.atBlankLine) return Infinity;
    if (this.#blank < answer) this.#blank = this.text.indexOf('\n\n', answer);
    if (this.#blank < 0) this.#blank = Infinity;
    return this.#blank;
  }
}

function letter(text: string, form: AnswerForm & { kind: 'mcq' }, ends: Ends, rules: ReadingRules): Found {
  const reader = new LetterReader(text, form.letters, form.optionTexts ?? []);
  let cued = false;
  let last: Hit | undefined;
  let conflict = false;
  let close = Infinity;
  for (const { kind, end, start } of cues(text, rules)) {
    if (end > close) break;
    cued ||= kind !== 'heading';
    const hit = reader.afterCue(end, start);
    if (!hit || (kind === 'heading' && hit.rule !== 'cue-text' && !matchesAt(byItself, text, start))) continue;
    close = ends.after(start);
    conflict ||= last !== undefined && last.letter !== hit.letter;
    last = kind === 'boxed' ? { letter: hit.letter, rule: 'boxed' } : hit;
  }
  if (last) return { answer: last.letter, conflict, rule: last.rule };
  return cued ? nothing : loneLine(text, form.letters);
}

const quotes = String.raw`[\s*_"'\x60“”‘’«»]*`;
const lone = new RegExp(
  String.raw`^${quotes}(?:\(${quotes}([A-Z])${quotes}\)|\[${quotes}([A-Z])${quotes}\]|([A-Z]))${quotes}[.):]?${quotes}$`,
  'i',
);

function loneLine(text: string, letters: readonly string[]): Found {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    const match = trimmed.length <= 20 ? lone.exec(trimmed) : null;
    const read = match && (match[1] ?? match[2] ?? match[3])!.toUpperCase();
    if (read && letters.includes(read)) found.push(read);
  }
  const answer = found.at(-1);
  if (answer === undefined) return nothing;
  return { answer, conflict: found.some(other => other !== answer), rule: 'line' };
}

/** `yes`, `no` or `maybe` as a whole word that no second one is joined to. */
const yesNo = new RegExp(
  String.raw`[(\[]?[ *_]{0,8}(yes|no|maybe)(?![\p{L}\p{N}\p{M}]|[-‐‑‒–/'’+_](?=[\p{L}\p{N}\p{M}]))` +
    String.raw`(?![*_"'”’)\]]{0,8}[ \t]{0,8}(?:,[ \t]{0,8})?(?:[,/&]|or\b|and\b|(?<=,[ \t]{0,8}))[ \t]{0,8}(?:or[ \t]+)?[*_"'“‘(\[]{0,8}(?:yes|no|maybe)(?![\p{L}\p{N}\p{M}]))`,
  'iuy',
);
const lead = new RegExp(`[${marks}]*`, 'uy');

/** What ends a first word, so that it is an answer and not the beginning of a sentence: "No, …" but not "No difference …". */
const closed = /[*_"'`”’»)\]]{0,8}[\t\p{Zs}]{0,8}(?:[.,:;!?()[\]—–-]|\n|$)/uy;
/** After a cue, "no" before another word says that there is none of something, unless the word begins a reason. */
const noneOf =
  /[\t\p{Zs}]{1,8}(?!(?:because|since|as|for|if|when|while|unless|but|though|although|given|due|based|and|so|is)(?!\p{L}))\p{L}/iuy;

function word(text: string, maybe: boolean, ends: Ends, rules: ReadingRules): Found {
  const allowed = maybe ? ['yes', 'no', 'maybe'] : ['yes', 'no'];
  const at = (position: number, unless: (end: number, read: string) => boolean): string | undefined => {
    yesNo.lastIndex = position;
    const read = yesNo.exec(text)?.[1]?.toLowerCase();
    return read !== undefined && allowed.includes(read) && !unless(yesNo.lastIndex, read) ? read : undefined;
  };
  const start = skip(lead, text, 0);
  const first = at(start, end => !matchesAt(closed, text, end));
  let answer: string | undefined;
  let rule: ExtractRule = 'first-word';
  let conflict = false;
  let close = first === undefined ? Infinity : ends.after(start);
  for (const { kind, end: cueEnd, start } of cues(text, rules)) {
    if (cueEnd > close) break;
    const none = (end: number, said: string) => said === 'no' && matchesAt(noneOf, text, end);
    const read = at(start, kind === 'heading' ? end => !matchesAt(closed, text, end) : none);
    if (read === undefined) continue;
    conflict ||= answer !== undefined && answer !== read;
    answer = read;
    rule = kind === 'boxed' ? 'boxed' : 'cue';
    close = ends.after(start);
  }
  if (answer !== undefined) return { answer, conflict, rule };
  return first === undefined ? nothing : { answer: first, conflict: false, rule };
}
