/** The style sheet of the HTML report: light and dark, narrow and wide, and paper. No image, no font from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --text: #1c2430; --soft: #5a6675; --line: #d9dee5;
  --accent: #1f5fae; --right: #1f7a5c; --wrong: #c2571a; --open: #8a94a3; --c1: #c2571a; --c2: #1f7a5c; --c3: #8150a8;
  --mark-right: #e1f2ea; --mark-wrong: #fbe9dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181e; --panel: #1c222b; --text: #e4e8ee; --soft: #9aa6b5; --line: #333c48;
    --accent: #79b0f0; --right: #58c09a; --wrong: #f0955a; --open: #7d8896; --c1: #f0955a; --c2: #58c09a; --c3: #c39be6;
    --mark-right: #1d3a30; --mark-wrong: #452a1b;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.15rem; margin: 36px 0 10px; }
h3 { font-size: 0.95rem; margin: 0 0 6px; }
p { margin: 0 0 10px; }
.soft, figcaption { color: var(--soft); }
.caution { border-left: 3px solid var(--wrong); padding: 6px 12px; background: var(--panel); margin: 14px 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: 0.85rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.published { font-size: 0.85rem; color: var(--soft); } .published ol { margin: 2px 0 10px; padding-left: 1.6em; } sup { font-size: 0.75em; color: var(--soft); }
.charts { display: grid; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; margin: 0; }
figure { margin: 0; padding: 14px; background: var(--panel); border-radius: 8px; break-inside: avoid; }
figcaption { font-size: 0.85rem; margin-top: 6px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg .tick, svg .axis-title { fill: var(--soft); font-size: 12px; }
svg .label { font-weight: 600; }
.grid { stroke: var(--line); } .axis, .track { stroke: var(--soft); } .track { stroke: var(--line); }
.ideal { stroke: var(--soft); stroke-dasharray: 5 5; }
.whisker { stroke: var(--accent); stroke-width: 2.5; stroke-opacity: 0.55; stroke-linecap: round; }
.dot { fill: var(--accent); stroke: var(--panel); stroke-width: 1.5; }
.ring { fill: none; stroke: var(--wrong); stroke-width: 2; }
.curve { fill: none; stroke-width: 2.2; stroke: var(--accent); }
.curve1 { stroke: var(--c1); } .curve2 { stroke: var(--c2); } .curve3 { stroke: var(--c3); }
.fill0 { fill: var(--accent); } .fill1 { fill: var(--c1); } .fill2 { fill: var(--c2); } .fill3 { fill: var(--c3); }
rect.right { fill: var(--right); } rect.wrong { fill: var(--wrong); } rect.open { fill: var(--open); }
.key { display: inline-block; width: 0.75em; height: 0.75em; border-radius: 2px; margin: 0 4px 0 10px; }
.key.right { background: var(--right); } .key.wrong { background: var(--wrong); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
details.facts { margin: 6px 0; } summary { cursor: pointer; padding: 4px 0; font-weight: 600; }
form { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: end; margin: 12px 0; }
label { display: grid; gap: 2px; font-size: 0.82rem; color: var(--soft); min-width: 0; }
label.search { flex: 1 1 220px; }
input, select, button { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; max-width: 100%; }
input:focus-visible, select:focus-visible, button:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
button { cursor: pointer; } button:disabled { opacity: 0.45; cursor: default; }
.pager { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 10px 0; }
ol.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ol.rows > li { border-bottom: 1px solid var(--line); }
button.row { display: grid; grid-template-columns: 5.2em 1fr auto; gap: 2px 14px; width: 100%; text-align: left; border: 0; border-radius: 0; padding: 9px 4px; background: none; }
button.row:hover { background: var(--panel); }
button.row .stem { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button.row .under { grid-column: 2 / -1; font-size: 0.82rem; color: var(--soft); overflow-wrap: anywhere; }
.votes { font-variant-numeric: tabular-nums; white-space: nowrap; color: var(--soft); }
.verdict { font-weight: 600; } .verdict.right { color: var(--right); } .verdict.wrong { color: var(--wrong); } .verdict.none, .verdict.open { color: var(--open); }
.detail { padding: 4px 4px 18px; }
.detail .text, .detail pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.detail .text { max-width: 75ch; margin-bottom: 8px; }
.options { list-style: none; margin: 0 0 12px; padding: 0; max-width: 75ch; }
.options li { padding: 3px 8px; border-radius: 5px; } .options li.right { background: var(--mark-right); } .options li.wrong { background: var(--mark-wrong); }
.chain { background: var(--panel); border-radius: 8px; padding: 8px 12px; margin: 8px 0; }
.chain pre { margin: 4px 0 0; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
.chain .head { font-size: 0.85rem; color: var(--soft); }
.chain .head b { color: var(--text); }
@media (max-width: 560px) {
  svg text { font-size: 15px; } svg .tick, svg .axis-title { font-size: 15px; }
  main { padding: 16px 12px 48px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
  button.row { grid-template-columns: 1fr auto; } button.row .stem, button.row .under { grid-column: 1 / -1; } button.row .stem { white-space: normal; }
  .votes { order: -1; grid-column: 2; grid-row: 1; }
  th, td { padding-right: 10px; }
}
@media print {
  :root { --page: #fff; --panel: #fff; --text: #000; --soft: #444; --line: #bbb; --accent: #1f5fae; --right: #1f7a5c; --wrong: #c2571a; --mark-right: #eee; --mark-wrong: #eee; }
  main { max-width: none; padding: 0; } form, .pager button, noscript { display: none; } figure { border: 1px solid var(--line); }
  h2 { break-after: avoid; } ol.rows > li, tr { break-inside: avoid; }
}
`;
