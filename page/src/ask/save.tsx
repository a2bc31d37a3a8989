import { render } from 'preact';
import type { Answer, Evidence, PanelRecord, PartialRecord } from '../../../src/server/meditron/protocol.js';
import { download, saveJson } from '../download.js';
import style from '../style/sheet.css?raw';
import { Sheet } from './sheet.js';

/** The record as a file: all that is needed to run the answer again. */
export function saveRecord(evidence: Evidence): void {
  saveJson(`meditron-${stamp(evidence)}.json`, evidence);
}

/** The same of several models. */
export function savePanel(record: PanelRecord): void {
  saveJson(`meditron-panel-${stamp(record)}.json`, record);
}

/** What was heard of a vote that was lost: to be read. */
export function savePart(part: PartialRecord): void {
  saveJson(`meditron-part-${stamp(part)}.json`, part);
}

/** The answer as one file without script, which looks as it prints. */
export function saveAsPage(answer: Answer, accuracy: string): void {
  download(`meditron-${stamp(answer.evidence)}.html`, 'text/html', asPage(answer, accuracy));
}

function asPage(answer: Answer, accuracy: string): string {
  const { lang, dir } = document.documentElement;
  const page = document.implementation.createHTMLDocument('Meditron');
  page.documentElement.lang = lang;
  page.documentElement.dir = dir;
  const head = (name: string, attributes: Record<string, string>, text = '') => {
    const element = page.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    page.head.prepend(element);
  };
  head('style', {}, style);
  head('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' });
  head('meta', { 'http-equiv': 'content-security-policy', content: "default-src 'none'; style-src 'unsafe-inline'" });
  head('meta', { charset: 'utf-8' });
  const holder = document.createElement('div');
  render(<Sheet answer={answer} accuracy={accuracy} />, holder);
  // On paper and in a file everything stands open.
  for (const closed of holder.querySelectorAll('details')) closed.open = true;
  page.body.append(page.importNode(holder, true));
  render(null, holder);
  return `<!doctype html>\n${page.documentElement.outerHTML}\n`;
}

/** The time of a record, for the name of its file. */
function stamp({ created }: Pick<Evidence, 'created'>): string {
  return created.slice(0, 19).replace(/\D/g, '-');
}
