// SPDX-License-Identifier: MIT OR Unlicense
// health: which columns drift, how fast and how surely, where they shifted and what was far off: a table.

import { arrange, el, makeFit, setText } from './dom.js';
import { moment, text } from './format.js';
import { byConcern, drifts, intervalWords, perHour, reason, tally, unitOf, verdictWords } from './verdict.js';

/** @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{goTo: (column: string) => void, zoom: (range: Range) => void}} Handlers */

const LABELS = ['Slope', 'Level', 'Shifts', 'Outliers'];
const HEADS = ['Column', 'Verdict', 'Slope, 99 % sure within', ...LABELS.slice(1)];
const AROUND = 20; // a moment is shown with so many times the width of a judged point around it

/** @param {Handlers} on */
export function makeHealth(on) {
  const summary = el('p', { class: 'lead', role: 'status' });
  const place = el('div', { class: 'scroll', role: 'region', 'aria-label': 'Verdicts, column by column' });
  const node = el('section', { class: 'health', 'aria-label': 'Health' }, summary, place,
    el('p', { class: 'hint', text: 'Judged from at most 300 means of the time shown. Rising and falling are said only of a slope that is sure and more than the noise. On its chart a column has rings around its three farthest outliers, and bars before and after its three greatest shifts.' }));
  const show = makeFit(place, (narrow) => arrange(place, shown ? [table(shown, on, narrow)] : []));

  let shown = /** @type {import('./verdict.js').Drifts | null | undefined} */ (undefined);

  /** @param {import('./verdict.js').Drifts | null} found @param {string} trouble */
  function render(found, trouble) {
    setText(summary, trouble || (found ? tally(found.columns) : 'Judging …'));
    if (shown === found) return; // what has the focus stays
    shown = found;
    show();
  }
  return { node, render };
}

/** @param {import('./verdict.js').Drifts} found @param {Handlers} on @param {boolean} narrow there is not room for all side by side */
function table(found, on, narrow) {
  const width = (found.to - found.from) / 300 * AROUND;
  const columns = byConcern(found.columns);
  if (narrow) return el('table', { class: 'figures stacked' }, ...columns.map((d) => block(d, on, width)));
  return el('table', { class: 'figures' }, el('thead', {}, el('tr', {}, ...HEADS.map((h) => el('th', { scope: 'col', text: h })))),
    el('tbody', {}, ...columns.map((d) => row(d, on, width))));
}

/** @param {Drift} d @param {Handlers} on @param {number} width ms */
function row(d, on, width) {
  return el('tr', { 'data-verdict': d.verdict }, el('th', { scope: 'row' }, link(d, on)), verdict(d), ...findings(d, on, width).map((parts) => el('td', {}, ...parts)));
}

/** The same as lines with labels; what there is nothing of has none. @param {Drift} d @param {Handlers} on @param {number} width ms */
function block(d, on, width) {
  const lines = findings(d, on, width).map((parts, i) => ({ parts, label: LABELS[i] ?? '' })).filter(({ parts }) => parts.length > 0);
  return el('tbody', { 'data-verdict': d.verdict }, el('tr', { class: 'name' }, el('th', { scope: 'rowgroup', colspan: '2' }, link(d, on)), verdict(d)),
    ...lines.map(({ parts, label }) => el('tr', {}, el('th', { scope: 'row', class: 'label', text: label }), el('td', { colspan: '2' }, ...parts))));
}

/** @param {Drift} d @param {Handlers} on */
function link(d, on) {
  const name = el('button', { type: 'button', class: 'link', text: d.name, title: `Show the chart of ${d.name}`, 'data-key': `to ${d.name}` });
  name.addEventListener('click', () => on.goTo(d.name));
  return name;
}

/** @param {Drift} d */
const verdict = (d) => el('td', { title: reason(d) }, el('span', { class: 'verdict', 'data-verdict': d.verdict, text: verdictWords(d) }));

/** What there is beside the verdict, as LABELS name it. @param {Drift} d @param {Handlers} on @param {number} width ms */
const findings = (d, on, width) => [slope(d), [el('span', { text: d.level === null ? '–' : text(d.level, unitOf(d)) })], shifts(d, on, width), outliers(d, on, width)];

/** @param {Drift} d */
function slope(d) {
  if (d.slope === null) return [el('span', { class: 'quieter', text: d.points === 0 ? 'no value' : `${d.points} values` })];
  return [el('span', { text: perHour(d.slope, d) }), ' ', el('span', { class: 'quieter', text: `${intervalWords(d) || (drifts(d) ? 'hardly turns back' : 'not sure')}` })];
}

/** @param {string} label @param {number} from @param {number} to @param {number} width @param {Handlers} on */
function look(label, from, to, width, on) {
  const button = el('button', { type: 'button', class: 'link', text: label, title: 'Zoom to it', 'data-key': `${label} ${from}` });
  button.addEventListener('click', () => on.zoom({ from: from - width, to: to + width }));
  return button;
}

/** @param {Drift} d @param {Handlers} on @param {number} width */
function shifts(d, on, width) {
  const unit = unitOf(d);
  return d.shifts.map((s) =>
    el('div', {}, el('span', { text: `${text(s.before, unit)} → ${text(s.after, unit)},` }), ' ', look(moment(s.time, Date.now()), s.time, s.time, width, on)));
}

/** The farthest off, and how many others. @param {Drift} d @param {Handlers} on @param {number} width */
function outliers(d, on, width) {
  const most = [...d.outliers].sort((a, b) => Math.abs(b.score) - Math.abs(a.score))[0];
  if (!most) return [];
  const more = d.outliers_found > 1 ? [' ', el('span', { text: `and ${d.outliers_found - 1} more` })] : [];
  return [el('div', {}, el('span', { text: `${text(most.value, unitOf(d))},` }), ' ', look(moment(most.from, Date.now()), most.from, most.to, width, on), ...more)];
}
