import { computed, signal } from '@preact/signals';
import { ar } from './ar.js';
import { de } from './de.js';
import { en, type Messages } from './en.js';
import { es } from './es.js';
import { fr } from './fr.js';
import { directions, grammar, type Language, languages, locales } from './grammar.js';
import { pt } from './pt.js';

export const catalogues: Readonly<Record<Language, Messages>> = { en, fr, de, es, pt, ar };

/** The language of the page. */
export const language = signal<Language>('en');

/** The page's words, in its language. */
export const words = computed(() => catalogues[language.value]);

/** How the page's language counts and writes numbers and times. */
export const writing = computed(() => grammar(language.value));

/** The first language of a list, as `navigator.languages`, that the page has; English otherwise. */
export function fitting(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0]!;
    if (base in languages) return base as Language;
  }
  return 'en';
}

export { directions, type Language, languages, locales, type Messages };
