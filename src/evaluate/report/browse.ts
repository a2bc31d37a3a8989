/**
 * The script of the HTML report: filters, pages and details of the questions. It runs in the browser as it stands. Every
 * text of the data becomes a text node; nothing is ever parsed as HTML.
 */
export const browse = `'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const perPage = 50;
const $ = id => document.getElementById(id);
const el = (name, className, ...children) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  for (const child of children) if (child !== undefined && child !== null && child !== false) node.append(child);
  return node;
};
const verdictOf = row => row.error !== undefined ? 'none' : row.gold === undefined ? 'open' : row.answer === undefined ? 'none' : row.correct ? 'right' : 'wrong';
const verdictWords = { right: 'right', wrong: 'wrong', none: 'no answer', open: 'not scored' };
const leading = row => (row.votes[0] ? row.votes[0].count : 0);
const rows = data.rows.map((row, index) => ({
  row, index,
  verdict: verdictOf(row),
  haystack: [row.id, row.question, ...(row.options || [])].join('\\n').toLowerCase(),
}));
const byId = new Map();
for (const entry of rows) byId.set(entry.row.id, [...(byId.get(entry.row.id) || []), entry]);

const choices = (select, values, all) => {
  select.append(new Option(all, ''));
  for (const value of values) select.append(new Option(value, value));
  select.closest('label').hidden = values.length < 2;
};
const distinct = pick => [...new Set(rows.map(entry => pick(entry.row)).filter(value => value !== undefined))];
choices($('run'), data.runs, 'all');
choices($('subject'), distinct(row => row.subject).sort(), 'all');
choices($('decision'), distinct(row => row.decision).sort(), 'all');

let shown = [];
let page = 0;
const orders = {
  file: (a, b) => a.index - b.index,
  least: (a, b) => leading(a.row) - leading(b.row) || a.index - b.index,
  most: (a, b) => leading(b.row) - leading(a.row) || a.index - b.index,
};
const filter = () => {
  const words = $('search').value.toLowerCase().split(/\\s+/).filter(Boolean);
  const [run, verdict, subject, decision] = ['run', 'verdict', 'subject', 'decision'].map(id => $(id).value);
  shown = rows.filter(entry =>
    (run === '' || data.runs[entry.row.run] === run) &&
    (verdict === '' || entry.verdict === verdict) &&
    (subject === '' || entry.row.subject === subject) &&
    (decision === '' || entry.row.decision === decision) &&
    words.every(word => entry.haystack.includes(word)));
  shown.sort(orders[$('order').value]);
  page = 0;
  draw();
};

const draw = () => {
  const pages = Math.max(1, Math.ceil(shown.length / perPage));
  page = Math.min(Math.max(0, page), pages - 1);
  $('rows').replaceChildren(...shown.slice(page * perPage, (page + 1) * perPage).map(item));
  const left = data.left > 0 ? '; ' + data.left + ' more are in results.jsonl alone, too many for a page' : '';
  const state = (shown.length === 0 ? 'no question' :
    (page * perPage + 1) + '–' + Math.min(shown.length, (page + 1) * perPage) + ' of ' + shown.length) + left;
  for (const node of document.querySelectorAll('.state')) node.textContent = state;
  for (const node of document.querySelectorAll('button.back')) node.disabled = page === 0;
  for (const node of document.querySelectorAll('button.next')) node.disabled = page >= pages - 1;
};

const item = entry => {
  const { row, verdict } = entry;
  const li = el('li');
  const votes = row.votes.map(vote => vote.answer + ' ' + vote.count).join(' · ');
  const under = [row.id, row.subject, data.runs.length > 1 && data.runs[row.run],
    row.gold !== undefined && 'right answer ' + row.gold, row.answer !== undefined && 'given ' + row.answer, row.decision]
    .filter(Boolean).join(' · ');
  const button = el('button', 'row',
    el('span', 'verdict ' + verdict, verdictWords[verdict]),
    el('span', 'stem', row.question.slice(0, 400)),
    el('span', 'votes', votes),
    el('span', 'under', under));
  button.type = 'button';
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!open));
    if (open) li.lastChild.remove();
    else li.append(detail(entry));
  });
  li.append(button);
  return li;
};

const letter = i => String.fromCharCode(65 + i);
const facts = parts => parts.filter(Boolean).join(', ');
const detail = ({ row }) => {
  const box = el('div', 'detail');
  for (const passage of row.context || []) box.append(el('div', 'text soft', passage));
  box.append(el('div', 'text', row.question));
  if (row.options) {
    box.append(el('ul', 'options', ...row.options.map((option, i) => {
      const name = letter(i);
      const votes = row.votes.find(vote => vote.answer === name);
      const score = (row.scores || []).find(entry => entry.answer === name);
      const notes = facts([name === row.gold && 'right answer', name === row.answer && 'given', votes && votes.count + ' of ' + row.samples.length + ' votes',
        score && (100 * score.probability).toFixed(1) + ' %']);
      const mark = name === row.gold ? 'right' : name === row.answer && row.gold !== undefined ? 'wrong' : '';
      return el('li', mark, name + '. ' + option, notes && el('span', 'soft', '  (' + notes + ')'));
    })));
  } else {
    const scores = (row.scores || []).map(entry => entry.answer + ' ' + (100 * entry.probability).toFixed(1) + ' %').join(', ');
    const line = facts([row.gold !== undefined && 'right answer: ' + row.gold, row.answer !== undefined && 'given: ' + row.answer, scores]);
    if (line) box.append(el('p', '', line));
  }
  const summary = facts([row.decision && 'decision: ' + row.decision + (row.reason ? ' (' + row.reason + ')' : ''), row.tie && 'tie', row.forced && 'answer forced',
    row.promptTokens !== undefined && row.promptTokens + ' prompt tokens', row.ms !== undefined && (row.ms / 1000).toFixed(1) + ' s', row.protocol && 'protocol ' + row.protocol,
    row.cluster !== undefined && 'repeats ' + row.cluster]);
  if (summary) box.append(el('p', 'soft', summary));
  if (row.error !== undefined) box.append(el('p', 'verdict wrong', row.error));
  const others = byId.get(row.id).filter(other => other.row !== row)
    .map(other => data.runs[other.row.run] + ': ' + (other.row.answer === undefined ? 'no answer' : other.row.answer) + ' (' + verdictWords[other.verdict] + ')');
  if (others.length > 0) box.append(el('p', 'soft', 'In other runs: ' + others.join('; ')));
  row.samples.forEach((sample, i) => {
    const notes = facts([sample.tokens !== undefined && sample.tokens + ' tokens', sample.logprob != null && 'log-probability ' + sample.logprob.toFixed(1), sample.finish]);
    box.append(el('div', 'chain',
      el('div', 'head', 'Chain ' + (i + 1) + ' → ', el('b', '', sample.answer === undefined ? 'no answer' : sample.answer), notes && ' (' + notes + ')'),
      el('pre', '', sample.text)));
  });
  return box;
};

let timer;
$('search').addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(filter, 150); });
for (const id of ['run', 'verdict', 'subject', 'decision', 'order']) $(id).addEventListener('change', filter);
$('filters').addEventListener('submit', event => { event.preventDefault(); filter(); });
for (const node of document.querySelectorAll('button.back')) node.addEventListener('click', () => { page--; draw(); });
for (const node of document.querySelectorAll('button.next')) node.addEventListener('click', () => { page++; draw(); });
$('browser').hidden = false;
filter();
`;
