/** Marks on one character; what any script needs is far below (UAX 15, stream-safe text). */
const mostMarks = 30;

/** More combining marks in a row than {@link mostMarks}. */
export const markRun = new RegExp(`(\\p{M}{${mostMarks}})\\p{M}+`, 'gu');

/**
 * Unicode normalization in time proportional to the length. `String.normalize` sorts the combining marks of a character in
 * quadratic time, minutes for a megabyte of them; those beyond the thirtieth are left out.
 */
export function normalized(text: string, form: 'NFC' | 'NFKC'): string {
  return text.replace(markRun, '$1').normalize(form);
}
