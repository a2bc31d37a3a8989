/** A piece of markup that is safe to put into a page as it is. */
export interface Markup {
  readonly html: string;
}

type Child = Markup | string | number | undefined | false | readonly Child[];

/** An element of HTML or SVG. Attributes and texts are escaped; only {@link Markup} passes through as it is. */
export function tag(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...children: readonly Child[]
): Markup {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${escaped(shown(value))}"`,
  );
  const open = `<${name}${written.join('')}`;
  return { html: empty.has(name) ? `${open}>` : `${open}>${children.map(render).join('')}</${name}>` };
}

/** Text for a page: also inside attributes, where quotation marks matter. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, char => entities[char]!);
}

export function render(child: Child): string {
  if (child === undefined || child === false) return '';
  if (Array.isArray(child)) return child.map(render).join('');
  if (typeof child === 'object') return (child as Markup).html;
  return escaped(shown(child as string | number));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const empty = new Set(['meta', 'br', 'hr', 'input', 'link']);

/** Coordinates need no more than two digits. */
function shown(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
}
