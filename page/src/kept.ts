import { effect, signal } from '@preact/signals';
import { safely } from './storage.js';
import { directions, fitting, type Language, language, languages, locales } from './words/words.js';

/** The colours of the page. */
export type Theme = 'auto' | 'light' | 'dark';

export const theme = signal<Theme>('auto');

/** The only things that this page keeps in the browser, and only if the person has chosen them. */
const keys = { language: 'meditron.language', theme: 'meditron.theme' };

const kept = safely(() => localStorage);

/** Language and colours as the person chose them, else as the system has them; the document follows them. */
export function begin(): void {
  const chosen = kept.get(keys.language);
  language.value = chosen && chosen in languages ? (chosen as Language) : fitting(navigator.languages);
  const colours = kept.get(keys.theme);
  if (colours === 'light' || colours === 'dark') theme.value = colours;
  effect(() => {
    const { documentElement: root } = document;
    root.lang = locales[language.value].split('-')[0]!;
    root.dir = directions[language.value];
    root.dataset.theme = theme.value;
  });
}

export function chooseLanguage(chosen: Language): void {
  language.value = chosen;
  kept.set(keys.language, chosen);
}

/** As the system has it is the default: then nothing is kept. */
export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  kept.set(keys.theme, chosen === 'auto' ? null : chosen);
}
