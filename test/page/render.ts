import { Fragment, isValidElement, type VNode } from 'preact';
import { expect } from 'vitest';

const empty = new Set(['br', 'hr', 'img', 'input', 'meta', 'progress']);

/** What a component shows, as HTML: it is a function of what it is given, so that no browser is needed to call it. */
export function html(node: unknown): string {
  if (node === null || node === undefined || typeof node === 'boolean') return '';
  if (Array.isArray(node)) return node.map(html).join('');
  if (!isValidElement(node)) return String(node).replace(/[&<>]/g, sign => `&#${sign.charCodeAt(0)};`);
  const { type, props } = node as VNode<Record<string, unknown>>;
  if (type === Fragment) return html(props.children);
  if (typeof type === 'function') return html((type as (props: unknown) => unknown)(props));
  const attributes = Object.entries(props)
    .filter(
      ([name, value]) =>
        name !== 'children' && !['function', 'object'].includes(typeof value) && value !== false && value !== undefined,
    )
    .map(([name, value]) => ` ${name}="${String(value).replaceAll('"', '&quot;')}"`);
  return empty.has(type)
    ? `<${type}${attributes.join('')}>`
    : `<${type}${attributes.join('')}>${html(props.children)}</${type}>`;
}

/** The same without tags. */
export const text = (node: unknown) =>
  html(node)
    .replace(/<(?:p|h\d|li|div|section|dt|dd|tr)\b[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/\s*\n\s*/g, '\n')
    .trim();

/** That some texts stand in this order, each behind the one before. */
export function inOrder(whole: string, ...parts: readonly string[]): void {
  let at = 0;
  for (const part of parts) {
    const found = whole.indexOf(part, at);
    expect(found, `${part} behind ${whole.slice(0, at)}`).toBeGreaterThanOrEqual(0);
    at = found + part.length;
  }
}
