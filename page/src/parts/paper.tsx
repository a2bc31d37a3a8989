import type { ComponentChildren } from 'preact';
import { words, writing } from '../words/words.js';

/** A page on paper, which stands alone: what it is, when it was made, and what it is not for. */
export function Paper({ created, children }: { readonly created: string; readonly children: ComponentChildren }) {
  const { answer: t, notice, intendedUse } = words.value;
  return (
    <article class="sheet">
      <header>
        <h1>{t.page}</h1>
        <p>
          {t.date} {writing.value.time(created)}
        </p>
        <p class="use">{intendedUse}</p>
      </header>
      {children}
      <footer>
        <p>{notice}</p>
        <p>{intendedUse}</p>
      </footer>
    </article>
  );
}
