/**
 * The day that published templates are told in place of today's, so that the same question gives the same prompt on every day. It is the
 * one that Llama 3.1's template falls back to.
 */
export const fixedDate = { iso: '2024-07-26', words: '26 Jul 2024' } as const;
