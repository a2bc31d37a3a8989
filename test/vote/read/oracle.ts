/**
 * A second reading of the rules for strict extraction, written apart from the one in `src/vote` and in another way: the text
 * is cut into tokens first, and every rule is a question about tokens. Slow and plain on purpose.
 */
export interface Reading {
  answer: string | undefined;
  conflict: boolean;
}

interface Token {
  kind: 'word' | 'blank' | 'newline' | 'sign';
  text: string;
}

const quoting = new Set([...'*_"\'`“”‘’«»']);

export function readOptions(text: string, options: Record<string, string>): Reading {
  const tokens = tokenize(prepare(text));
  const starts = findCues(tokens);
  if (starts.length === 0) return lastLetterLine(tokens, options);
  const said = starts.map(start => readCue(tokens, start, options)).filter(x => x !== undefined);
  return { answer: said.at(-1), conflict: new Set(said).size > 1 };
}

export function readYesNo(text: string): Reading {
  const tokens = tokenize(prepare(text));
  const said = findCues(tokens)
    .map(start => yesNoAt(tokens, pastFiller(tokens, start), ({ read, after }) => read !== 'no' || !isNoneOf(after)))
    .filter(x => x !== undefined);
  if (said.length > 0) return { answer: said.at(-1), conflict: new Set(said).size > 1 };
  let at = 0;
  while (at < tokens.length && (isGap(tokens[at]!) || tokens[at]!.kind === 'newline')) at++;
  return { answer: yesNoAt(tokens, at, ({ after }) => isClosed(after)), conflict: false };
}

const reasons = 'because since as for if when while unless but though although given due based and so is'.split(' ');

/** "no" and then, on the same line, a word that says what there is none of. */
function isNoneOf([blank, word]: readonly Token[]): boolean {
  const begins = word?.kind === 'word' && /^\p{L}/u.test(word.text);
  return blank?.kind === 'blank' && begins && !reasons.includes(/^\p{L}+/u.exec(word.text)![0].toLowerCase());
}

/** Past quotation marks, emphasis, brackets and blanks there is punctuation, a new line or nothing. */
function isClosed(after: readonly Token[]): boolean {
  const next = after.find(t => t.kind !== 'blank' && !'*_"\'`”’»'.includes(t.text));
  return next === undefined || next.kind === 'newline' || '.,:;!?()[]—–-'.includes(next.text);
}

function prepare(text: string): string {
  let copy = text.normalize('NFKC');
  copy = [...copy].filter(c => !/\p{Cf}/u.test(c)).join('');
  for (const end of ['<|im_end|>', '</s>', '<EOD>', '<PAD>', '\r\n', '\r', '\u2028', '\u2029'])
    copy = copy.split(end).join('\n');
  return copy.split('###')[0]!;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const character of text) {
    const kind = /[\p{L}\p{N}\p{M}]/u.test(character)
      ? 'word'
      : character === '\n'
        ? 'newline'
        : /\s/.test(character)
          ? 'blank'
          : 'sign';
    const last = tokens.at(-1);
    if (last && last.kind === kind && (kind === 'word' || kind === 'blank')) last.text += character;
    else tokens.push({ kind, text: character });
  }
  return tokens;
}

function isGap(token: Token): boolean {
  return token.kind === 'blank' || quoting.has(token.text);
}

interface Cue {
  word: string;
  is: boolean;
  end: number;
}

function findCues(tokens: Token[]): Cue[] {
  const cues: Cue[] = [];
  for (const [i, token] of tokens.entries()) {
    const word = token.text.toLowerCase();
    if (token.kind !== 'word' || !['answer', 'option', 'choice'].includes(word)) continue;
    const next = pastAnyGap(tokens, i + 1);
    const is = tokens[next]?.text.toLowerCase() === 'is';
    const colon = pastAnyGap(tokens, is ? next + 1 : next);
    if (isColon(tokens[colon])) {
      let end = colon;
      while (isColon(tokens[end])) end++;
      cues.push({ word, is, end });
    } else if (is) cues.push({ word, is, end: next + 1 });
  }
  return cues;
}

function isColon(token: Token | undefined): boolean {
  return token?.text === ':' || token?.text === '=';
}

function pastAnyGap(tokens: Token[], from: number): number {
  let at = from;
  while (at < tokens.length && (isGap(tokens[at]!) || tokens[at]!.kind === 'newline')) at++;
  return at;
}

function pastGap(tokens: Token[], from: number): number {
  let at = from;
  while (at < tokens.length && isGap(tokens[at]!)) at++;
  return at;
}

/** Reading goes on in a later line, unless a cue that is only "option:" or a list of options stands before the break. */
function pastFiller(tokens: Token[], cue: Cue): number {
  let at = cue.end;
  for (;;) {
    at = pastAnyGap(tokens, at);
    if (!['the', 'option', 'choice'].includes(tokens[at]?.text.toLowerCase() ?? '')) break;
    at++;
  }
  const broken = tokens.slice(cue.end, at).some(t => t.kind === 'newline');
  if (!broken) return at;
  const announces = cue.word !== 'answer' && !cue.is;
  const lines = textOf(tokens.slice(at))
    .split('\n')
    .filter(line => line.trim() !== '');
  const isItem = (line: string | undefined) => /^\s*[([]?[a-z][.):\]]/i.test(line ?? '');
  return announces || (isItem(lines[0]) && isItem(lines[1])) ? pastGap(tokens, cue.end) : at;
}

function textOf(tokens: Token[]): string {
  return tokens.map(t => t.text).join('');
}

function readCue(tokens: Token[], cue: Cue, options: Record<string, string>): string | undefined {
  const start = pastFiller(tokens, cue);
  if (tokens[start]?.text.toLowerCase() === 'not') return undefined;
  const line = lineFrom(tokens, start);
  const before = tokens.slice(cue.end, start);
  const named = optionCalled(textOf(line), options) ?? optionCalled(textOf([...before, ...line]), options);
  if (named) return named;
  const direct = directLetter(line, options);
  if (direct.joined) return undefined;
  if (direct.letter) return direct.letter;
  const bracketed = new Set<string>();
  for (const [i, token] of line.entries()) {
    if (token.text !== '(' && token.text !== '[') continue;
    const letterAt = pastGap(line, i + 1);
    const letter = optionLetter(line[letterAt], options);
    const closeAt = pastGap(line, letterAt + 1);
    if (!letter || line[closeAt]?.text !== (token.text === '(' ? ')' : ']')) continue;
    if (line[i - 1]?.kind === 'word') continue;
    const words = line.slice(0, i).filter(t => !isGap(t));
    while (['the', 'option', 'choice', 'answer'].includes(words.at(-1)?.text.toLowerCase() ?? '')) words.pop();
    if (words.at(-1)?.text.toLowerCase() === 'not') continue;
    bracketed.add(letter);
  }
  return bracketed.size === 1 ? [...bracketed][0] : undefined;
}

function lineFrom(tokens: Token[], start: number): Token[] {
  const end = tokens.findIndex((t, i) => i >= start && t.kind === 'newline');
  return tokens.slice(start, end < 0 ? undefined : end);
}

function words(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  );
}

function optionCalled(line: string, options: Record<string, string>): string | undefined {
  const said = words(line).join(' ');
  if (said.length < 2) return undefined;
  const same = Object.keys(options).filter(letter => words(options[letter]!).join(' ') === said);
  return same.length === 1 ? same[0] : undefined;
}

function optionLetter(token: Token | undefined, options: Record<string, string>): string | undefined {
  if (!token || !/^[A-Za-z]$/.test(token.text)) return undefined;
  const letter = token.text.toUpperCase();
  return letter in options ? letter : undefined;
}

interface Direct {
  letter?: string;
  joined?: true;
}

function directLetter(line: Token[], options: Record<string, string>): Direct {
  let at = 0;
  const bracket = line[0]?.text === '(' || line[0]?.text === '[' ? line[0].text : undefined;
  if (bracket) at = pastGap(line, 1);
  const letter = optionLetter(line[at], options);
  if (!letter) return {};
  const close = bracket === '(' ? ')' : ']';
  const closeAt = pastGap(line, at + 1);
  const closed = bracket !== undefined && line[closeAt]?.text === close;
  const after = closed ? closeAt + 1 : at + 1;
  if (joinedTo(line, after, options)) return { joined: true };
  if (closed) return { letter };
  if (bracket && !laterClosed(line, after, bracket, close)) return {};
  const next = line[after];
  const second = line[after + 1];
  if (next?.text === '+') return {};
  if (next && "-‐‑‒–−/'’_".includes(next.text) && second?.kind === 'word') return {};
  if (dotAndWord(line, after, options[letter])) return {};
  const name = words(textOf(line));
  const others = Object.keys(options).filter(o => o !== letter);
  const beginsAs = (option: string[]) => option.length > 1 && option.every((w, i) => w === name[i]);
  if (others.some(o => words(options[o]!)[0] === letter.toLowerCase() && beginsAs(words(options[o]!)))) return {};
  const lower = (token: Token | undefined) => token?.kind === 'word' && /^\p{Ll}/u.test(token.text);
  if ((letter === 'A' || letter === 'I') && next?.kind === 'blank' && lower(second)) return {};
  if (line[at]!.text !== letter) {
    const rest = line.slice(after).filter(t => t.kind !== 'blank');
    if (rest.length > 0 && !/^[`\p{P}]$/u.test(next!.text)) return {};
  }
  return { letter };
}

function laterClosed(line: Token[], after: number, open: string, close: string): boolean {
  if (!':.,;—–-'.includes(line[pastGap(line, after)]?.text ?? ' ')) return false;
  for (const token of line.slice(after)) {
    if (token.text === close) return true;
    if (token.text === open) return false;
  }
  return false;
}

/** A dot and a lower-case word that does not begin the text of the option. */
function dotAndWord(line: Token[], after: number, option: string | undefined): boolean {
  const dot = pastQuotes(line, after);
  if (line[dot]?.text !== '.') return false;
  const quoted = pastQuotes(line, dot + 1);
  const word = line[line[quoted]?.kind === 'blank' ? quoted + 1 : quoted];
  if (word?.kind !== 'word' || !/^\p{Ll}/u.test(word.text)) return false;
  return option === undefined || words(option)[0] !== word.text.toLowerCase();
}

function pastQuotes(line: Token[], from: number): number {
  let at = from;
  while (quoting.has(line[at]?.text ?? ' ')) at++;
  return at;
}

function joinedTo(line: Token[], after: number, options: Record<string, string>): boolean {
  let at = pastQuotes(line, after);
  if (line[at]?.text === ')' || line[at]?.text === ']') at++;
  at = pastGap(line, at);
  let joints = 0;
  while (['or', 'and', '/', '&', ','].includes(line[at]?.text.toLowerCase() ?? '')) {
    joints++;
    at = pastGap(line, at + 1);
  }
  if (joints === 0) return false;
  if (['option', 'choice'].includes(line[at]?.text ?? '')) at = pastGap(line, at + 1);
  if (line[at]?.text === '(' || line[at]?.text === '[') at = pastGap(line, at + 1);
  const letter = optionLetter(line[at], options);
  if (!letter) return false;
  const [next, second] = [line[at + 1], line[at + 2]];
  const article = line[at]!.text === 'a' || line[at]!.text === 'i';
  if (article && next?.kind === 'blank' && second?.kind === 'word') return false;
  if (next?.text === '+') return false;
  if (next && "-‐‑‒–−'’_".includes(next.text) && second?.kind === 'word') return false;
  return !dotAndWord(line, at + 1, undefined);
}

function lastLetterLine(tokens: Token[], options: Record<string, string>): Reading {
  const said: string[] = [];
  for (const line of textOf(tokens).split('\n')) {
    let bare = [...line].filter(c => !quoting.has(c) && c.trim() !== '').join('');
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['', ''],
    ] as const) {
      const inside = bare.slice(open.length, open.length + 1);
      const rest = bare.slice(open.length + 1);
      if (bare.startsWith(open) && ['', '.', ')', ':'].some(end => rest === close + end)) bare = inside;
    }
    const letter = optionLetter({ kind: 'word', text: bare }, options);
    if (letter) said.push(letter);
  }
  return { answer: said.at(-1), conflict: new Set(said).size > 1 };
}

interface Said {
  read: string;
  after: readonly Token[];
}

function yesNoAt(tokens: Token[], start: number, holds: (said: Said) => boolean): string | undefined {
  let at = start;
  if (tokens[at]?.text === '(' || tokens[at]?.text === '[') at = pastGap(tokens, at + 1);
  const isAnswer = (t: Token | undefined) => t !== undefined && /^(yes|no|maybe)$/i.test(t.text);
  const word = tokens[at];
  if (!isAnswer(word)) return undefined;
  const [next, second] = [tokens[at + 1], tokens[at + 2]];
  if (next && "-‐‑‒–/'’+_".includes(next.text) && second?.kind === 'word') return undefined;
  let joint = pastGap(tokens, at + 1);
  if (tokens[joint]?.text === ')' || tokens[joint]?.text === ']') joint = pastGap(tokens, joint + 1);
  let joints = 0;
  while (['or', 'and', '/', '&', ','].includes(tokens[joint]?.text.toLowerCase() ?? '')) {
    joints++;
    joint = pastGap(tokens, joint + 1);
  }
  if (tokens[joint]?.text === '(') joint = pastGap(tokens, joint + 1);
  if (joints > 0 && isAnswer(tokens[joint])) return undefined;
  const read = word!.text.toLowerCase();
  return holds({ read, after: tokens.slice(at + 1) }) ? read : undefined;
}
