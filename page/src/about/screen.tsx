import type { Machine } from '../machine.js';
import { words } from '../words/words.js';

/** What it is for, how it works, and what becomes of what is typed. */
export function AboutScreen({ machine }: { readonly machine: Machine }) {
  const { about: t, notice, intendedUse, shell } = words.value;
  const version = machine.state.value?.version;
  const sections = [
    [t.use, t.useItems],
    [t.how, t.howItems],
    [t.privacy, t.privacyItems],
  ] as const;
  return (
    <div class="prose">
      <h1>{t.title}</h1>
      <p class="intended">{intendedUse}</p>
      {sections.map(([title, items]) => (
        <section key={title}>
          <h2>{title}</h2>
          <ul>
            {items.map(item => (
              <li key={item}>{item}</li>
            ))}
          </ul>
        </section>
      ))}
      <p>{notice}</p>
      {machine.model(undefined)?.demonstration && <p class="badge">{shell.demonstrationLong}</p>}
      {version && <p class="hint">{t.version(version)}</p>}
    </div>
  );
}
