import { letter } from '../question.js';
import type { Draft } from './draft.js';
import { endsInVerdict, keyLine, standsApart, trailingKey } from './keys.js';
import { type Run, refused } from './runs.js';

/** Takes off what marks one option as right or says how many chose it. */
export function withoutSigns(
  draft: Draft,
  given: readonly string[],
  run: Run,
): { options: string[]; marked: number | undefined } {
  const byOrdinal = [...run.items].sort((a, b) => a.ordinal - b.ordinal);
  const signs = new Map<number, string>();
  const prefixes = byOrdinal.map(({ mark }) => signOf(mark.prefix));
  const usual = prefixes.find(({ rest }, i) => prefixes.some((other, j) => j !== i && other.rest === rest))?.rest ?? '';
  prefixes.forEach(({ right, rest }, i) => {
    const { line, mark } = byOrdinal[i]!;
    if (right || (rest !== usual && /^[*→=]$/.test(rest))) signs.set(i, mark.prefix);
    else if (rest !== usual)
      throw refused(draft.lines[line], `${mark.prefix || 'nothing'} stands before this option, unlike the others`);
  });
  const bold = byOrdinal.flatMap(({ mark }, i) => (mark.emphasis !== '' || isBold(given[i]!) ? [i] : []));
  let options = given.map((text, i) => unclosed(text, byOrdinal[i]!.mark.emphasis));
  if (bold.length === 1) signs.set(bold[0]!, '**');
  else if (bold.length > 0 && bold.length < given.length)
    draft.find('mark', undefined, '**', `the emphasis of ${bold.map(letter).join(', ')} was taken off`);
  options = options.map(unemphasised);
  options = options.map((text, i) => {
    const end = ending(text, rightEnding);
    // `*S. aureus*` is a name in italics.
    const sign = end.startsWith('*') && text.slice(0, -end.length).includes('*') && !/correct/i.test(end) ? '' : end;
    if (sign !== '') signs.set(i, sign);
    return text.slice(0, text.length - (sign || ending(text, wrongEnding)).length).trimEnd();
  });
  options = options.map((text, i) => {
    const at = trailingKey(text);
    if (at < 0) return text;
    const key = keyLine(text.slice(at).replace(/^[([*_]+/, ''));
    const line = draft.lines[byOrdinal[i]!.line]!;
    if (key?.strength !== 'mark' || i < options.length - 1 || !(run.inside || standsApart(text, at)))
      throw refused(line, 'is its end part of the option, or the answer?');
    draft.findKey(line, key, text.slice(at));
    const left = text.slice(0, at).trimEnd();
    return left.slice(0, left.length - ending(left, /[\s;,([]{1,20}$/).length);
  });
  if (run.inside) options = withoutSeparators(options);
  const joined = options.slice(0, -1).findIndex(text => joinsOn.test(text.slice(-20)));
  if (run.inside && (joined >= 0 || /[?？]/.test(options.at(-1)!)))
    throw refused(
      draft.lines[byOrdinal[Math.max(joined, 0)]!.line],
      'it may be a sentence that names the options rather than a list of them',
    );
  options.forEach((text, i) => {
    if (endsInVerdict(text)) throw refused(draft.lines[byOrdinal[i]!.line], 'it seems to say which option is right');
  });
  const shares = options.map(text => ending(text, /[([]\s{0,3}\d{1,3}\s{0,3}%\s{0,3}[)\]]$/));
  const percent = shares.reduce((sum, share) => sum + Number(/\d+/.exec(share) ?? Number.NaN), 0);
  if (options.length >= 3 && Math.abs(percent - 100) <= 2) {
    options = options.map((text, i) => text.slice(0, text.length - shares[i]!.length).trimEnd());
    draft.find('mark', undefined, shares.join(' '), 'how many chose each option was taken off');
  }
  if (signs.size > 1)
    throw refused(draft.lines[byOrdinal[[...signs.keys()][1]!]!.line], 'several options are marked as right');
  for (const [i, sign] of signs)
    draft.find(
      'key',
      draft.lines[byOrdinal[i]!.line],
      sign,
      `it marks option ${letter(i)} as right, and was taken off`,
    );
  return { options, marked: signs.keys().next().value };
}

/** What people write behind the right option, and behind a wrong one. */
const rightEnding =
  /(?:[✓✔✅☑]\ufe0f?|\*correct\*|(?<=\S)\*{1,2}|[([](?:correct(?:\s{1,3}answer)?|right(?:\s{1,3}answer)?|richtig(?:e\s{1,3}antwort)?|correct[ae]|corrett[oa]|corret[oa]|juste|정답|正确|正解)[)\]]|(?:<-{1,9}|←|-{2,9}>?)\s{0,3}(?:correct|right|answer|richtig)(?:\s{1,3}answer)?)[.\s]{0,3}$/iu;
const wrongEnding = /(?:[✗✘❌]\ufe0f?|[([](?:incorrect|wrong|falsch)[)\]])[.\s]{0,3}$/iu;

/** What matches at the end of a text, of which only the last 80 characters are looked at. */
function ending(text: string, pattern: RegExp): string {
  return pattern.exec(text.slice(-80))?.[0] ?? '';
}

/** An option inside a sentence ends with what joins it to the next. */
const joinsOn = /(?:[,;，；、]|\s(?:and|or|und|oder|et|ou|y|o|e|og|en|of))$/iu;

/** A prefix without its box or tick, and whether these say that the option is right. */
function signOf(prefix: string): { right: boolean; rest: string } {
  const box = /\[[^\]]?\]|\([^)]?\)|[☐☑☒✓✔✅⬜]/u.exec(prefix)?.[0] ?? '';
  return { right: /[xX✓✔✅☑☒*]/u.test(box), rest: prefix.replace(box, '') };
}

function isBold(text: string): boolean {
  return /^(\*\*|__)(?!\s)[^*_]+\1$/.test(text);
}

export function unemphasised(text: string): string {
  const sign = /^(?:\*\*|__)/.exec(text)?.[0];
  if (sign === undefined || text.length < 5 || !text.endsWith(sign)) return text;
  const inner = text.slice(2, -2);
  return inner.includes(sign) ? text : inner.trim();
}

/** Text whose emphasis was opened before its mark. */
function unclosed(text: string, emphasis: string): string {
  return emphasis !== '' && text.endsWith(emphasis) ? text.slice(0, -emphasis.length).trim() : text;
}

/** `A) x; B) y; C) z`: what stands between options of one line belongs to none. */
function withoutSeparators(options: readonly string[]): string[] {
  for (const sign of [';', ',', '；', '，', '、', '|', '/'])
    if (options.slice(0, -1).every(text => text.endsWith(sign)))
      return options.map(text => (text.endsWith(sign) ? text.slice(0, -1).trim() : text));
  return [...options];
}
