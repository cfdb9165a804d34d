// SPDX-License-Identifier: MIT OR Unlicense
// datatable: what a chart shows, as a table in a dialog: for those who don't see the chart, or want its numbers.

import { el } from './dom.js';
import { clock, date, number, scaleOf, span } from './format.js';

/** @typedef {import('./card.js').Card} Card
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./model.js').Trace} Trace */

/** @param {Card} card @param {Range} range @param {number} now */
export function showTable({ column, trace, shownUnit }, range, now) {
  const points = trace ? inRange(trace, range) : [];
  open(column.name, caption(points.length, trace, span(range.from, range.to, now)), trace ? table(trace, points, shownUnit) : '');
}

/** @param {string} title @param {string} about @param {string[]} heads @param {string[][]} rows the first of each is its head */
export function openTable(title, about, heads, rows) {
  open(title, about, el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col', text })))),
    el('tbody', {}, ...rows.map(([head = '', ...cells]) => el('tr', {}, el('th', { scope: 'row', text: head }), ...cells.map((text) => el('td', { text })))))));
}

/** @param {string} title @param {string} about @param {Node | string} values */
function open(title, about, values) {
  const close = el('button', { type: 'button', class: 'quiet', text: 'Close' });
  const dialog = el('dialog', { class: 'datatable', 'aria-labelledby': 'datatable-title' },
    el('header', {}, el('h2', { id: 'datatable-title', text: title }), close), el('p', { text: about }),
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Values of ${title}` }, values));
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Trace} trace @param {Range} range @returns {number[]} indices, the newest first */
const inRange = ({ time }, { from, to }) => [...time.keys()].filter((i) => {
  const t = /** @type {number} */ (time[i]);
  return t >= from && t <= to;
}).reverse();

/** @param {number} count @param {Trace | undefined} trace @param {string} when */
function caption(count, trace, when) {
  if (count === 0) return `${when}: no value.`;
  const most = trace?.rows.reduce((a, b) => Math.max(a, b), 1) ?? 1;
  const each = most === 1 ? 'one row each' : `up to ${number(most)} rows each: their mean, least and greatest`;
  return `${when}, newest first: ${number(count)} points, ${each}.`;
}

/** @param {Trace} trace @param {number[]} points @param {string} unit */
function table(trace, points, unit) {
  const size = points.reduce((a, i) => Math.max(a, Math.abs(trace.mean[i] ?? 0)), 0);
  const scale = scaleOf(unit, size);
  const spread = points.some((i) => trace.rows[i] !== 1) && trace.min !== trace.mean;
  /** @param {number | null | undefined} v */
  const value = (v) => el('td', { text: v === null || v === undefined ? '–' : number(v / scale.by) });
  const days = new Set(points.map((i) => date(trace.time[i] ?? 0))).size > 1;
  const heads = ['Time', spread ? 'Mean' : 'Value', ...(spread ? ['Least', 'Greatest', 'Rows'] : [])];
  return el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((text, i) =>
    el('th', { scope: 'col', text: i > 0 && i < 4 && scale.unit ? `${text}, ${scale.unit}` : text })))),
  el('tbody', {}, ...points.map((i) => {
    const time = trace.time[i] ?? 0;
    return el('tr', {}, el('th', { scope: 'row', text: `${days ? `${date(time)} ` : ''}${clock(time, true)}` }), value(trace.mean[i]),
      ...(spread ? [value(trace.min[i]), value(trace.max[i]), el('td', { text: number(trace.rows[i] ?? 0) })] : []));
  })));
}
