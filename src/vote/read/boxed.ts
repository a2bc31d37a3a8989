/** Stands for "the answer is" before what was in a box: a character that no text keeps. */
export const boxMark = '\uE000';

/**
 * The text with every `\boxed{…}`, `\fbox{…}` and `<answer>…</answer>` as a line of its own, which begins with {@link boxMark} and holds its
 * content without LaTeX; letters in mathematics elsewhere (`$B$`) and styled text (`\text{B}`) as plain ones. A box that is not closed stays as it is.
 */
export function withoutLatex(text: string): string {
  const plain = text.replaceAll(boxMark, '');
  const parts: string[] = [];
  let from = 0;
  for (const match of plain.matchAll(box)) {
    if (match.index < from) continue;
    const start = match.index + match[0].length;
    const tag = match[0].startsWith('<');
    const end = tag ? start : closingBrace(plain, start);
    if (end === undefined) continue;
    parts.push(plainly(plain.slice(from, match.index)));
    if (tag) parts.push(match[0].startsWith('</') ? '\n' : `\n${boxMark}`);
    else {
      const content = unwrapped(plain.slice(start, end));
      // Two line ends in a row are more than one: they end an answer in some formats.
      const before = match.index === 0 || plain[match.index - 1] === '\n' ? '' : '\n';
      parts.push(content === '' ? ' ' : `${before}${boxMark}${content}${plain[end + 1] === '\n' ? '' : '\n'}`);
    }
    from = tag ? start : end + 1;
  }
  parts.push(plainly(plain.slice(from)));
  return parts.join('');
}

const box = /\\(?:boxed|fbox)[ \t\n]{0,8}\{|<answer>\s*|<\/answer>/gi;
/** A box that holds more is no answer. */
const longestBox = 500;

function closingBrace(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < Math.min(text.length, start + longestBox); at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '{') depth++;
    else if (character === '}' && depth-- === 0) return at;
  }
  return undefined;
}

const styles =
  /\\(?:text(?:bf|it|rm|sf|tt|sc|up|md|normal)?|math(?:bf|it|rm|sf|tt|bb|cal|scr|normal)?|boxed|fbox|mbox|hbox|emph|underline|operatorname|boldsymbol|bm|bf|rm|it|left|right|displaystyle|quad|qquad)\*?(?![A-Za-z])/g;

function unwrapped(content: string): string {
  return content
    .replace(styles, ' ')
    .replace(/\\([%&#_$])/g, (_, sign: string) => (sign === '$' ? '' : sign))
    .replace(/\\[()[\],;:!\\]|[{}$~]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const style = String.raw`\\(?:text(?:bf|it|rm)?|math(?:bf|rm|it))[ \t]{0,4}\{[ \t]{0,4}`;
const styled = new RegExp(String.raw`${style}([^{}\n]{0,400})\}`, 'g');
const inMath = /\$[ \t]{0,4}([([]?[A-Za-z][)\]]?)[ \t]{0,4}\$|\\\([ \t]{0,4}([([]?[A-Za-z][)\]]?)[ \t]{0,4}\\\)/g;

function plainly(text: string): string {
  const once = text.replace(styled, '$1');
  return once.replace(styled, '$1').replace(inMath, (_, dollars, brackets) => dollars ?? brackets);
}
