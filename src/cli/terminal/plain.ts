/**
 * Text from a model or a file as it may be shown on a terminal: a control character could move the cursor, recolour or
 * retitle the window, or reorder what is read, so each is shown as a visible sign of its own (`␛`). One character stays one
 * character, whatever comes before and after, so text may be shown piece by piece. Newline and tab stay.
 */
export function plain(text: string): string {
  return text
    .replace(/[\0-\x08\x0b-\x1f]/g, c => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll('\x7f', '␡')
    .replace(/[\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, '\uFFFD');
}

/** The same on one line, for labels and tables. */
export function oneLine(text: string): string {
  return plain(text).replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}
