/** Control characters but newline and tab, and the marks that change the direction in which text is read. */
const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;

/**
 * Text from a model or a file as it may be shown on a terminal: a control character could move the cursor, recolour or
 * retitle the window, or reorder what is read, so each is shown as a visible sign of its own (`␛`). One character stays one
 * character, whatever comes before and after, so text may be shown piece by piece. Newline and tab stay.
 */
export function plain(text: string): string {
  return text.replace(controls, c => {
    const code = c.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '␡' : '\uFFFD';
  });
}

/** The same on one line, for labels and tables. */
export function oneLine(text: string): string {
  return plain(text).replaceAll('\n', '¶').replaceAll('\t', '→');
}

/** The same, but colours and weights stay: what chalk writes, and nothing that moves the cursor. */
export function plainButStyled(text: string): string {
  return text
    .split(/(\x1b\[\d{1,2}m)/)
    .map((part, i) => (i % 2 === 1 ? part : plain(part)))
    .join('');
}

/** JSON in which the same characters are escaped, so that it parses to the same value and is as harmless to print. */
export function plainJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    controls,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
