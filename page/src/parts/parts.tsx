import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/api.js';
import { words } from '../words/words.js';

interface Children {
  readonly children: ComponentChildren;
}

/** Something to open; what is in it is there for who searches and prints. */
export function Disclosure({
  title,
  children,
  isOpen,
  class: name,
}: Children & { readonly title: ComponentChildren; readonly isOpen?: boolean; readonly class?: string }) {
  return (
    <details class={name ?? 'disclosure'} open={isOpen ?? false}>
      <summary>{title}</summary>
      <div class="inside">{children}</div>
    </details>
  );
}

/** A label with its control and what is to be known of it. */
export function Field({
  id,
  label,
  hint,
  children,
}: Children & { readonly id: string; readonly label: string; readonly hint?: string | undefined }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Text of the model or the program, which is not in the page's language. */
export function English({ children, class: name }: Children & { readonly class?: string }) {
  return (
    <span lang="en" dir="ltr" class={name}>
      {children}
    </span>
  );
}

/** What happened, what is kept, what to do; what the program said itself stands below. */
export function Failed({
  problem,
  what = whatOf(problem),
  children,
}: {
  readonly problem: Problem;
  readonly what?: string;
  readonly children?: ComponentChildren;
}) {
  const { shell } = words.value;
  const { details } = problem;
  return (
    <div class="failed" role="alert">
      <p class="what">{what}</p>
      {children}
      {problem.message !== '' && problem.code !== 'UNREACHABLE' && (
        <Disclosure title={shell.details}>
          <p class="hint">{shell.english}</p>
          <p>
            <English>{problem.message}</English>
          </p>
          {details && details.length > 0 && (
            <pre lang="en" dir="ltr">
              {details.join('\n')}
            </pre>
          )}
        </Disclosure>
      )}
    </div>
  );
}

/** A problem in the page's own words. */
export function whatOf({ code }: Problem): string {
  const { failed, shell } = words.value;
  if (code === 'UNREACHABLE') return shell.unreachable;
  if (code === 'UNAUTHORIZED') return shell.needsKey;
  return code in failed.what ? failed.what[code as keyof typeof failed.what] : failed.what.other;
}

/** What stands on what is shown. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {rows.map(
        row =>
          row && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const focused = new WeakSet<object>();

/** Puts the focus on the heading of something when it appears, once. */
export function focusOnce(owner: object) {
  return (element: HTMLElement | null) => {
    if (!element || focused.has(owner)) return;
    focused.add(owner);
    element.focus();
    element.scrollIntoView({ block: 'nearest' });
  };
}
