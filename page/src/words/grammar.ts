/** The languages of the page, each in its own name. */
export const languages = {
  en: 'English',
  fr: 'Français',
  de: 'Deutsch',
  es: 'Español',
  pt: 'Português',
  ar: 'العربية',
} as const;

export type Language = keyof typeof languages;

/** What `Intl` is asked for. Numbers in Arabic are written as the model writes them: doses must not change their digits. */
export const locales: Readonly<Record<Language, string>> = {
  en: 'en-GB',
  fr: 'fr',
  de: 'de',
  es: 'es',
  pt: 'pt-PT',
  ar: 'ar-u-nu-latn',
};

export const directions: Readonly<Record<Language, 'ltr' | 'rtl'>> = {
  en: 'ltr',
  fr: 'ltr',
  de: 'ltr',
  es: 'ltr',
  pt: 'ltr',
  ar: 'rtl',
};

/** The plural categories of each language, as `Intl.PluralRules` has them. */
export interface Categories {
  readonly en: 'one' | 'other';
  readonly fr: 'one' | 'many' | 'other';
  readonly de: 'one' | 'other';
  readonly es: 'one' | 'many' | 'other';
  readonly pt: 'one' | 'many' | 'other';
  readonly ar: 'zero' | 'one' | 'two' | 'few' | 'many' | 'other';
}

export type Forms<L extends Language> = Readonly<Record<Categories[L], string>>;

const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}]/u;

/** How a language counts, and writes numbers, times and dates. */
export function grammar<L extends Language>(language: L) {
  const locale = locales[language];
  const rules = new Intl.PluralRules(locale);
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
  const dated = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
  const timed = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });
  const unit = (unit: string, unitDisplay: 'long' | 'short' = 'long', maximumFractionDigits = 0) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits });
  const [seconds, minutes, hours] = [unit('second'), unit('minute'), unit('hour')];
  const [kilobytes, megabytes, gigabytes] = [
    unit('kilobyte', 'short'),
    unit('megabyte', 'short'),
    unit('gigabyte', 'short', 1),
  ];
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const number = (n: number) => plain.format(n);
  return {
    number,
    /** The form for `n`, with the number in the place of `#`. */
    plural: (n: number, forms: Forms<L>) => forms[rules.select(n) as Categories[L]].replace('#', number(n)),
    /** Two digits: a speed. */
    about: (n: number) => short.format(n),
    /** About how long: seconds below two minutes, in steps that do not flicker. */
    duration(ms: number): string {
      const s = Math.max(1, Math.round(ms / 1000));
      if (s < 10) return seconds.format(s);
      if (s < 120) return seconds.format(Math.round(s / 5) * 5);
      return s < 7200 ? minutes.format(Math.round(s / 60)) : hours.format(Math.round(s / 3600));
    },
    /** The number and its unit stay on one line. */
    bytes(n: number): string {
      const [unit, size] =
        n < 1e6 ? [kilobytes, Math.ceil(n / 1e3)] : n < 1e9 ? [megabytes, n / 1e6] : [gigabytes, n / 1e9];
      return unit.format(size).replace(' ', '\u00a0');
    },
    date: (iso: string) => dated.format(new Date(iso)),
    time: (iso: string) => timed.format(new Date(iso)),
    and: (items: readonly string[]) => list.format(items),
    /** What stands behind a word that something follows. */
    colon: language === 'fr' ? '\u00a0: ' : ': ',
    /** What stands between facts that are no sentence. */
    comma: directions[language] === 'rtl' ? '، ' : ', ',
    /** A name or a text inside a sentence that may run the other way: each keeps its own order. */
    isolated: (text: string) =>
      directions[language] === 'rtl' || rightToLeft.test(text) ? `\u2068${text}\u2069` : text,
  };
}
