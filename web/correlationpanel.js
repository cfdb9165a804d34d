// SPDX-License-Identifier: MIT OR Unlicense
// correlationpanel: the heat map of the time shown, and the points of a pair.

import { getCorrelation, getSeries } from './api.js';
import { bring, el, setText } from './dom.js';
import { number } from './format.js';
import { makeMatrix } from './matrix.js';
import { coefficient, pairOf, pointsOf, prepared, strongest } from './relation.js';
import { makeScatter } from './scatter.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./insightstate.js').Insight} Insight
 *  @typedef {import('./relation.js').Correlation} Correlation */

const MOST = 64;      // columns in a heat map
const POINTS = 2000;  // as the server takes (server/API.md)
const TOLD = 8;       // pairs, for whoever does not see the map

/** @param {(changed: Partial<Insight>) => void} change of what is looked at */
export function makeCorrelation(change) {
  const lead = el('p', { class: 'lead', role: 'status' });
  const changes = el('input', { type: 'checkbox' });
  const which = el('label', { class: 'check', title: 'Two columns that only rise over the same hours have nothing in common then' },
    changes, el('span', { text: 'Changes from point to point' }));
  const matrix = makeMatrix((x, y) => {
    asked = true;
    change({ pair: [x, y] });
  });
  const words = el('details', { class: 'strongest' }, el('summary', { text: 'The strongest, in words' }), el('ul'));
  const scatter = makeScatter();
  const node = el('section', { class: 'correlation', 'aria-label': 'Correlation' },
    el('div', { class: 'lead-line' }, lead, which), el('div', { class: 'side-by-side' }, el('div', {}, matrix.node, words), scatter.node));
  changes.addEventListener('change', () => change({ changes: changes.checked }));
  /** What is shown, and of what. */
  let shown = { correlation: /** @type {Correlation | null} */ (null), key: '' };
  let cloud = '';
  let trouble = '';
  let asked = false; // for a pair, here: its points are brought into view, as a large map is taller than the window
  let told = /** @type {Correlation | null} */ (null); // in words

  /** @param {Feed} feed @param {Insight} insight @param {import('./model.js').Range} range @param {AbortSignal} signal */
  async function load(feed, insight, range, signal) {
    const columns = feed.run.column_info.map((_, i) => i).slice(0, MOST);
    const correlation = await getCorrelation(feed.run.id, { ...range, columns, differenced: insight.changes }, signal);
    trouble = '';
    shown = { correlation, key: `${feed.run.id} ${range.from} ${range.to} ${insight.changes}` };
    render(feed, insight);
    await loadPair(feed, insight, signal);
  }

  /** @param {Feed} feed @param {Insight} insight @param {AbortSignal} [signal] */
  async function loadPair(feed, insight, signal = new AbortController().signal) {
    const { correlation, key } = shown;
    const names = insight.pair;
    const [i, j] = names ? names.map((name) => feed.run.columns.indexOf(name)) : [-1, -1];
    const wanted = correlation && names && i !== undefined && j !== undefined && i >= 0 && j >= 0 && i !== j ? `${key} ${JSON.stringify(names)}` : '';
    if (wanted === cloud) return;
    cloud = wanted;
    if (!wanted || !correlation || !names) return scatter.render(null);
    const series = await getSeries(feed.run.id, { from: correlation.from, to: correlation.to, points: POINTS, columns: [Number(i), Number(j)] }, signal);
    if (cloud !== wanted) return;
    const values = names.map((name, k) => prepared(series.time, series.columns[name]?.mean ?? [],
      feed.run.column_info[k === 0 ? Number(i) : Number(j)]?.kind === 'counter', correlation.differenced));
    const units = names.map((_, k) => {
      const column = feed.run.column_info[k === 0 ? Number(i) : Number(j)];
      return column?.kind === 'counter' ? `${column.unit}/s` : column?.unit ?? '';
    });
    const { r, n } = pairOf(correlation, correlation.columns.indexOf(names[1]), correlation.columns.indexOf(names[0]));
    scatter.render({ x: names[0], y: names[1], units: [units[0] ?? '', units[1] ?? ''], r, n, changes: correlation.differenced,
      points: pointsOf(series.time, values[0] ?? [], values[1] ?? []) });
    if (asked) bring(scatter.node, 'nearest');
    asked = false;
  }

  /** @param {Feed} feed @param {Insight} insight */
  function render(feed, insight) {
    changes.checked = insight.changes;
    const c = shown.correlation;
    const here = c !== null && shown.key.startsWith(feed.run.id);
    matrix.node.hidden = words.hidden = !here;
    if (!c || !here) return setText(lead, trouble || 'Correlating …');
    const all = feed.run.columns.length;
    const of = c.exact ? `${number(c.points)} rows` : `${number(c.points)} means of equal parts of this time`;
    setText(lead, `Pearson\u2019s r over ${of}${all > MOST ? `, of the first ${MOST} of ${all} columns` : ''}, counters as rates, similar columns side by side.`);
    matrix.render(c, insight.pair);
    if (told === c) return;
    told = c;
    words.querySelector('ul')?.replaceChildren(...strongest(c, TOLD).map((p) => el('li', { text: `${p.x} and ${p.y}: ${coefficient(p.r)}, n = ${number(p.n)}` })));
  }
  /** @param {string} why */
  function fail(why) {
    shown = { correlation: null, key: '' };
    trouble = `These columns cannot be correlated: ${why}.`;
    setText(lead, trouble);
  }
  return { node, load, loadPair, render, fail, repaint: scatter.repaint };
}
