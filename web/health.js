// SPDX-License-Identifier: MIT OR Unlicense
// health: which columns drift, how fast and how surely, where they shifted and what was far off: a table.

import { arrange, el, setText } from './dom.js';
import { moment, text } from './format.js';
import { byConcern, drifts, intervalWords, perHour, reason, tally, unitOf, verdictWords } from './verdict.js';

/** @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{goTo: (column: string) => void, zoom: (range: Range) => void}} Handlers */

const HEADS = ['Column', 'Verdict', 'Slope, 99 % sure within', 'Level', 'Shifts', 'Outliers'];
const AROUND = 20; // a moment is shown with so many times the width of a judged point around it

/** @param {Handlers} on */
export function makeHealth(on) {
  const summary = el('p', { class: 'lead', role: 'status' });
  const body = el('tbody');
  const table = el('table', { class: 'figures' }, el('thead', {}, el('tr', {}, ...HEADS.map((h) => el('th', { scope: 'col', text: h })))), body);
  const node = el('section', { class: 'health', 'aria-label': 'Health' }, summary,
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Verdicts, a column a row' }, table),
    el('p', { class: 'hint', text: 'Judged from at most 300 means of the time shown. Rising and falling are said only of a slope that is sure and more than the noise. On its chart a column has rings around its three farthest outliers, and bars before and after its three greatest shifts.' }));

  let shown = /** @type {import('./verdict.js').Drifts | null | undefined} */ (undefined);

  /** @param {import('./verdict.js').Drifts | null} found @param {string} trouble */
  function render(found, trouble) {
    setText(summary, trouble || (found ? tally(found.columns) : 'Judging …'));
    if (shown === found) return; // what has the focus stays
    shown = found;
    table.hidden = !found;
    if (!found) return;
    const width = (found.to - found.from) / 300 * AROUND;
    arrange(body, byConcern(found.columns).map((d) => row(d, on, width)));
  }
  return { node, render };
}

/** @param {Drift} d @param {Handlers} on @param {number} width ms */
function row(d, on, width) {
  const name = el('button', { type: 'button', class: 'link', text: d.name, title: `Show the chart of ${d.name}` });
  name.addEventListener('click', () => on.goTo(d.name));
  return el('tr', { 'data-verdict': d.verdict },
    el('th', { scope: 'row' }, name),
    el('td', { title: reason(d) }, el('span', { class: 'verdict', 'data-verdict': d.verdict, text: verdictWords(d) })),
    el('td', {}, ...slope(d)),
    el('td', { class: 'number', text: d.level === null ? '–' : text(d.level, unitOf(d)) }),
    el('td', {}, ...shifts(d, on, width)),
    el('td', {}, ...outliers(d, on, width)));
}

/** @param {Drift} d */
function slope(d) {
  if (d.slope === null) return [el('span', { class: 'quieter', text: d.points === 0 ? 'no value' : `${d.points} values` })];
  return [el('span', { text: perHour(d.slope, d) }), ' ', el('span', { class: 'quieter', text: `${intervalWords(d) || (drifts(d) ? 'hardly turns back' : 'not sure')}` })];
}

/** @param {string} label @param {number} from @param {number} to @param {number} width @param {Handlers} on */
function look(label, from, to, width, on) {
  const button = el('button', { type: 'button', class: 'link', text: label, title: 'Zoom to it' });
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
