/** A mark that can stand before an option: `a)`, `(B)`, `3.`, `④`, `•`. */
export interface Mark {
  /** Marks of one style belong together: the kind of name and what stands around it, such as `a)` for `b)`. */
  readonly style: string;
  readonly sequence: string;
  readonly frame: string;
  /** Its place in its sequence, from 1; 0 for bullets. */
  readonly ordinal: number;
  /** Where it begins, with what is before it, and where the text behind it begins. */
  readonly start: number;
  readonly end: number;
  /** As it was written, with its frame: `(B)`. */
  readonly shown: string;
  /** Bullets, boxes or signs before it. */
  readonly prefix: string;
  /** Whether the whole line, or the mark, is emphasised by `**` or `__`: the sign, if it does not close behind the mark. */
  readonly emphasis: string;
}

/** Names in their order. Each needs punctuation around it to be a mark. */
const sequences: readonly (readonly [name: string, members: string])[] = [
  ['A', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  ['a', 'abcdefghijklmnopqrstuvwxyz'],
  ['А', 'АБВГДЕЖЗИК'],
  ['а', 'абвгдежзик'],
  ['Α', 'ΑΒΓΔΕΖΗΘ'],
  ['α', 'αβγδεζηθ'],
  ['가', '가나다라마바사아자차'],
  ['ㄱ', 'ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊ'],
  ['甲', '甲乙丙丁戊己庚辛'],
  ['一', '一二三四五六七八九十'],
  ['ア', 'アイウエオカキクケコ'],
  ['あ', 'あいうえおかきくけこ'],
  ['イ', 'イロハニホヘト'],
  ['أ', 'أبجدهوزح'],
];

/** Names that are marks as they stand. */
const signs: readonly string[] = [
  '①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳',
  '❶❷❸❹❺❻❼❽❾❿',
  '➀➁➂➃➄➅➆➇➈➉',
  '➊➋➌➍➎➏➐➑➒➓',
  '⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽',
  '⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑',
  '⒜⒝⒞⒟⒠⒡⒢⒣⒤⒥',
  'ⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙ',
  'ⒶⒷⒸⒹⒺⒻⒼⒽⒾⒿ',
  '㉠㉡㉢㉣㉤㉥㉦㉧㉨㉩',
  '㉮㉯㉰㉱㉲㉳㉴㉵㉶㉷',
  '㈀㈁㈂㈃㈄㈅㈆㈇㈈㈉',
  'ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ',
  'ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ',
];

const romans = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII', 'XIII', 'XIV', 'XV'];

type Name = readonly [sequence: string, ordinal: number];
const members = new Map<string, Name[]>();
for (const [name, all] of sequences)
  Array.from(all, (c, i) => members.set(c, [...(members.get(c) ?? []), [name, i + 1] as const]));
const signed = new Map<string, Name>();
for (const all of signs) Array.from(all, (c, i) => signed.set(c, [all[0]!, i + 1] as const));

const bullet = /[*+](?=\s)|[-•‣◦○●□◯❍▪▫■◆◇►▶➢➤∙⁃·★❖](?=\s|\p{L})|o(?=\t|\s{2})/uy;
const box = /(?:\[[ xX✓✔]\]|\([ xX✓✔*]?\)|[☐☑☒✓✔✅⬜→=])\s*/uy;
const wordBefore =
  /(?:options?|choice|answer|antwort|aussage|réponse|proposition|opción|opcion|respuesta|alternativa|opção|resposta|opzione|risposta|选项|보기)\s*(?=[A-Za-z\d][\s.:)-])/iuy;
const token = /[IVX]{2,5}(?![A-Za-z\d])|[ivx]{2,5}(?![A-Za-z\d])|\d{1,2}(?!\d)|[A-Za-z](?![A-Za-z\d])|[^\x00-\x7f]/uy;
const closer = /[ \xa0]?(?:\.\)|\)\.|[.)]-(?=\s)|[.):\]}、。·•・|](?!\.)|>(?=\s)|=(?=\s)|\/(?=\s)|-(?=\s)|,(?=\s))/y;
const abbreviation = /(?:e\.g|i\.e|i\.[vmp]|s\.c|p\.o|[ap]\.m|z\.B|d\.h|u\.a|o\.g|p\.ej?|c\.a|U\.S|I\.[VM])\./y;
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };

/** Every mark with which a folded line can begin. */
export function marksAt(folded: string): readonly Mark[] {
  const start = folded.length - folded.trimStart().length;
  if (start === folded.length) return [];
  let at = start;
  const found: Mark[] = [];
  const skip = (pattern: RegExp) => {
    const length = lengthAt(pattern, folded, at);
    at += length;
    while (length > 0 && isBlank(folded[at])) at++;
    return length > 0;
  };
  let dot = '';
  skip(/#{1,6}(?=\s)/y);
  if (folded[at] === '|') skip(/\|/y);
  if (skip(bullet)) dot = folded[start]!;
  if (dot && at < folded.length)
    found.push({ ...blankMark, style: `${dot} `, sequence: dot, start, end: at, shown: dot, prefix: '' });
  const boxed = at;
  if (skip(box) && at < folded.length && !found.length && /[[(☐☑☒✓✔✅⬜]/u.test(folded[boxed]!)) {
    const prefix = folded.slice(boxed, at).trim();
    found.push({ ...blankMark, style: '☐ ', sequence: '☐', start, end: at, shown: '☐', prefix });
  }
  return [...found, ...namedMarks(folded, start, at)];
}

const blankMark = { frame: ' ', ordinal: 0, emphasis: '' } as const;

/** Marks with a name, `from` on; what stands before it from `start` on is its prefix. */
function namedMarks(folded: string, start: number, from: number): readonly Mark[] {
  const sign = /(?:\*\*|__|\*(?=\S)|_(?=\S))/y;
  let at = from;
  const emphasised = lengthAt(sign, folded, at);
  const emphasis = folded.slice(at, at + emphasised);
  const prefix = folded.slice(start, from).replaceAll(' ', '').replace(/^#+/, '').replace(/^\|/, '');
  at += emphasised;
  return emphasisedNames(folded, at, emphasis).map(({ end: behind, closed, ...name }) => {
    const shown = folded.slice(at, behind).trim();
    let end = behind;
    let open = closed ? '' : emphasis;
    if (open !== '' && folded.startsWith(emphasis, end)) {
      end += emphasis.length;
      open = '';
      // `**A**. text`: what closes the mark stands behind the emphasis.
      if (/[.):]/.test(folded[end] ?? '')) end++;
    }
    const star = open === '*' || open === '=' ? open : '';
    while (isBlank(folded[end])) end++;
    return { ...name, start, end, shown, prefix: prefix + star, emphasis: star ? '' : open };
  });
}

/** Names behind an opened emphasis, which may close before what stands behind the name: `**A**. text`. */
function emphasisedNames(folded: string, at: number, emphasis: string): readonly Named[] {
  const found = framed(folded, at);
  if (found.length > 0 || emphasis === '') return found;
  const close = at + lengthAt(token, folded, at);
  if (!folded.startsWith(emphasis, close)) return [];
  const closed = folded.slice(0, close) + folded.slice(close + emphasis.length);
  return framed(closed, at).map(name => ({ ...name, end: name.end + emphasis.length, closed: true }));
}

interface Named {
  readonly style: string;
  readonly sequence: string;
  readonly frame: string;
  readonly ordinal: number;
  readonly end: number;
  /** Whether an emphasis that was opened before it is closed. */
  readonly closed?: boolean;
}

/** A name and what stands around it. */
function framed(folded: string, at: number): readonly Named[] {
  const sign = signed.get(folded[at] ?? '');
  if (sign) {
    const end = at + 1 + lengthAt(/\s?[.):](?!\d)/y, folded, at + 1);
    return [named(sign, '', end)];
  }
  const opener = folded[at] ?? '';
  if (opener in closing) {
    const inner = at + 1 + lengthAt(/\s{0,2}/y, folded, at + 1);
    const length = lengthAt(token, folded, inner);
    let end = inner + length;
    end += lengthAt(/\s{0,2}/y, folded, end);
    if (length === 0 || folded[end] !== closing[opener]) return [];
    end++;
    end += lengthAt(/[.):](?=\s|$)/y, folded, end);
    return namesOf(folded.slice(inner, inner + length)).map(name => named(name, opener + closing[opener], end));
  }
  const word = lengthAt(wordBefore, folded, at);
  const begin = at + word;
  const length = lengthAt(token, folded, begin);
  if (length === 0) return [];
  const behind = begin + length;
  return namesOf(folded.slice(begin, behind)).flatMap(name => {
    return framesBehind(folded, behind, name).map(({ frame, end }) =>
      named(name, word > 0 ? `word ${frame}` : frame, end),
    );
  });
}

function framesBehind(folded: string, at: number, [sequence]: Name): readonly { frame: string; end: number }[] {
  const number = sequence === '1';
  const keycap = lengthAt(/\ufe0f?\u20e3/y, folded, at);
  if (number && keycap > 0) return [{ frame: 'keycap', end: at + keycap }];
  // Without punctuation: only names that nobody takes for a word or a number of something.
  const plain = /^[Aa1I]$/.test(sequence);
  const wide = plain && lengthAt(/\t|\s{2}/y, folded, at) > 0 ? [{ frame: 'tab', end: at }] : [];
  const length = lengthAt(closer, folded, at);
  if (length > 0) {
    const end = at + length;
    const frame = folded.slice(at, end).trim();
    // Numbers as `1.5`, `10:30`, `1/2`; abbreviations as `e.g.`, `U.S.`; any other is a name: `A.S. aureus`.
    if (number && /\d/.test(folded[end] ?? '') && /[.:,/-]$/.test(frame)) return wide;
    if (frame === '.' && lengthAt(abbreviation, folded, at - 1) > 0) return wide;
    // `A.- text`, or `A.` before `- text`.
    const short =
      frame === '.-' || frame === ')-' ? [{ frame: frame[0]!, end: at + folded.slice(at).indexOf('-') }] : [];
    return [{ frame, end }, ...short, ...wide];
  }
  if (!plain || wide.length > 0) return wide;
  if (at === folded.length) return [{ frame: 'alone', end: at }];
  return sequence !== 'a' && isBlank(folded[at]) ? [{ frame: 'bare', end: at }] : [];
}

/**
 * Marks inside a folded line, behind a blank, punctuation or a character of a script without blanks. Only styles that are
 * seldom anything else.
 */
export function marksInside(folded: string, from: number): readonly Mark[] {
  const found: Mark[] = [];
  for (let at = Math.max(from, 1); at < folded.length && found.length < maxInside; at++) {
    if (isBlank(folded[at])) continue;
    if (!signed.has(folded[at]!) && !isBorder(folded[at - 1]!)) continue;
    for (const { end: behind, ...name } of framed(folded, at)) {
      if (!/^(?:\.|\)|\.\)|:|、|\(\)|\[\]|)$/.test(name.frame)) continue;
      if (/[.:]$/.test(name.frame) && !/\s|[^\x00-\x7f]/.test(folded[behind] ?? '')) continue;
      let end = behind;
      while (isBlank(folded[end])) end++;
      if (end === folded.length) continue;
      found.push({ ...name, start: at, end, shown: folded.slice(at, behind).trim(), prefix: '', emphasis: '' });
    }
  }
  return found;
}

/** More marks on one line are no options. */
const maxInside = 200;

function isBorder(c: string): boolean {
  return isBlank(c) || /[;,.?:!|，；。？：！\u3040-\u9fff\uac00-\ud7af]/.test(c);
}

function namesOf(text: string): readonly Name[] {
  if (/^\d/.test(text)) return [['1', Number(text)]];
  const names: Name[] = [...(members.get(text) ?? [])];
  const roman = romans.indexOf(text.toUpperCase());
  if (roman >= 0) names.push([text === text.toUpperCase() ? 'I' : 'i', roman + 1]);
  return names;
}

function named([sequence, ordinal]: Name, frame: string, end: number): Named {
  return { style: `${sequence}${frame}`, sequence, frame, ordinal, end };
}

function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

function isBlank(c: string | undefined): boolean {
  return c === ' ' || c === '\t';
}

/** Whether the names are letters, which a model is shown too. */
export function isLettered(sequence: string): boolean {
  return sequence === 'A' || sequence === 'a';
}

/** What an answer key names: the ordinals that `B`, `3`, `④`, `ii` can be, with their sequences. */
export function namesIn(text: string): readonly Name[] {
  const sign = signed.get(text);
  return sign ? [sign] : namesOf(text);
}

/** Whether a mark is a letter that stands before little else than options. */
export function isLetterMark({ sequence, frame }: Mark): boolean {
  return isLettered(sequence) && !/^(?:alone|[-=,/>])$/.test(frame);
}
