import { normalized } from '../../check/unicode.js';
import type { AnswerForm, Extraction, ExtractRule } from './answer.js';
import { type Hit, LetterReader } from './letter.js';

/** What ends a text besides the models' end tokens. */
export const defaultStops: readonly string[] = ['###'];

/**
 * Reads the answer of a generated text: what follows the last "answer is", "option is", "choice:" … that names exactly one
 * option, else a line that is only a letter, or a first word that is only yes, no or maybe. What is not clearly one option
 * is no answer.
 */
export function extractStrict(
  text: string,
  form: AnswerForm,
  stops: readonly string[] = defaultStops,
  blankLineEnds = false,
): Extraction {
  const clean = readable(text, stops);
  const ends = new Ends(clean, blankLineEnds);
  const found = form.kind === 'boolean' ? word(clean, form.maybe ?? true, ends) : letter(clean, form, ends);
  return { ...found, vote: found.answer };
}

type Found = Omit<Extraction, 'vote'>;

const nothing: Found = { answer: undefined, conflict: false, rule: 'none' };

/**
 * A copy to read from: compatibility-folded, because models write full-width letters; invisible characters removed, because
 * they can stand inside a word; end tokens and all line ends as newlines; cut at the first stop string.
 */
function readable(text: string, stops: readonly string[]): string {
  const folded = normalized(text, 'NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/<\|im_end\|>|<\/s>|<EOD>|<PAD>|\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n');
  let end = folded.length;
  for (const stop of stops) {
    const at = stop === '' ? -1 : folded.indexOf(stop);
    if (at >= 0) end = Math.min(end, at);
  }
  return folded.slice(0, end);
}

const marks = String.raw`\s*_"'\x60“”‘’«»`;
const cue = new RegExp(
  String.raw`(?<![\p{L}\p{N}\p{M}])(answer|option|choice)[${marks}]*(?:(is)(?![\p{L}\p{N}\p{M}])(?:[${marks}]*[:=]+)?|[:=]+)`,
  'giu',
);

/** Where reading goes on after a cue: past spaces, quotes, emphasis and the words `the`, `option` and `choice`. */
const filler = new RegExp(String.raw`(?:[${marks}]+|(?:the|option|choice)(?![\p{L}\p{N}\p{M}]))*`, 'iuy');
const spaces = /[\t\p{Zs}*_"'`“”‘’«»]*/uy;

interface Cue {
  /** Just past the cue itself. */
  readonly end: number;
  /** The first character that could be an answer. */
  readonly start: number;
}

function* cues(text: string): Generator<Cue> {
  for (const match of text.matchAll(cue)) {
    const end = match.index + match[0].length;
    const start = skip(filler, text, end);
    const crossed = text.slice(end, start).includes('\n');
    // "Consider each option:" before a list announces the options, not the answer.
    const announces = crossed && ((match[1]!.toLowerCase() !== 'answer' && !match[2]) || listed(text, start));
    yield { end, start: announces ? skip(spaces, text, end) : start };
  }
}

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

function letter(text: string, form: AnswerForm & { kind: 'mcq' }, ends: Ends): Found {
  const reader = new LetterReader(text, form.letters, form.optionTexts ?? []);
  let cued = false;
  let last: Hit | undefined;
  let conflict = false;
  let close = Infinity;
  for (const { end, start } of cues(text)) {
    if (end > close) break;
    cued = true;
    const hit = reader.afterCue(end, start);
    if (!hit) continue;
    close = ends.after(start);
    conflict ||= last !== undefined && last.letter !== hit.letter;
    last = hit;
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

function word(text: string, maybe: boolean, ends: Ends): Found {
  const allowed = maybe ? ['yes', 'no', 'maybe'] : ['yes', 'no'];
  const at = (position: number, unless: (end: number, read: string) => boolean): string | undefined => {
    yesNo.lastIndex = position;
    const read = yesNo.exec(text)?.[1]?.toLowerCase();
    return read !== undefined && allowed.includes(read) && !unless(yesNo.lastIndex, read) ? read : undefined;
  };
  const start = skip(lead, text, 0);
  const first = at(start, end => !test(closed, text, end));
  let answer: string | undefined;
  let conflict = false;
  let close = first === undefined ? Infinity : ends.after(start);
  for (const { end: cueEnd, start } of cues(text)) {
    if (cueEnd > close) break;
    const read = at(start, (end, said) => said === 'no' && test(noneOf, text, end));
    if (read === undefined) continue;
    conflict ||= answer !== undefined && answer !== read;
    answer = read;
    close = ends.after(start);
  }
  if (answer !== undefined) return { answer, conflict, rule: 'cue' };
  const rule: ExtractRule = 'first-word';
  return first === undefined ? nothing : { answer: first, conflict: false, rule };
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

function test(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}
