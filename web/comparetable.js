// SPDX-License-Identifier: MIT OR Unlicense
// comparetable: what each column is in each run, and how much more than in the baseline; sorted by any of it.

import { moreThan } from './comparison.js';
import { arrange, el, setAttribute } from './dom.js';
import { text } from './format.js';
import { drifts, perHour } from './verdict.js';

/** @typedef {import('./comparison.js').Row} Row
 *  @typedef {import('./comparison.js').Figures} Figures
 *  @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {'mean' | 'p99' | 'slope'} Statistic */

/** @type {[Statistic, string, string][]} */
const STATISTICS = [['mean', 'mean', 'The mean of all rows'], ['p99', 'p99', 'What 99 % of the rows do not exceed; a range where only the least and greatest of many rows are at hand'],
  ['slope', 'slope', 'Per hour (Theil and Sen); in brackets where it is not sure']];
const MINUS = '\u2212';
const SAME = 0.0005;   // of the baseline: no difference worth a figure
const NOTABLE = 0.05; // of the baseline: less is told in a quieter voice

/** @param {(name: string) => void} goTo */
export function makeCompareTable(goTo) {
  const head = el('thead');
  const body = el('tbody');
  const node = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Columns compared' }, el('table', { class: 'figures compared' }, head, body));
  /** By which statistic of which run; run -1: by name as the runs have them. */
  let order = { run: -1, by: /** @type {Statistic} */ ('mean') };
  let again = () => {};

  /** @param {Row[]} rows @param {string[]} names of the runs, the baseline first */
  function render(rows, names) {
    again = () => render(rows, names);
    if (order.run >= names.length) order = { run: -1, by: 'mean' };
    arrange(head, [groups(names), titles(names)]);
    const sorted = order.run < 0 ? rows : [...rows].sort((a, b) => rank(b) - rank(a));
    arrange(body, sorted.map((row) => line(row, goTo)));
  }

  /** @param {Row} row */
  function rank(row) {
    const figures = row.figures[order.run];
    if (!figures) return -Infinity;
    const v = valueOf(figures, order.by);
    if (order.run === 0) return v ?? -Infinity;
    const more = moreThan(v, row.figures[0] ? valueOf(row.figures[0], order.by) : null);
    return more === null ? -Infinity : Math.abs(more);
  }

  /** @param {string[]} names */
  function titles(names) {
    const cells = names.flatMap((name, run) => STATISTICS.map(([by, label, title]) => {
      const button = el('button', { type: 'button', text: label, title: `${title}. Sorts by ${run === 0 ? 'it' : 'how far it is from the baseline'}` });
      const cell = el('th', { scope: 'col', ...(by === 'mean' && { class: 'first' }) }, button);
      button.setAttribute('aria-label', `${label} of ${name}`);
      setAttribute(cell, 'aria-sort', order.run === run && order.by === by ? 'descending' : null);
      button.addEventListener('click', () => {
        order = order.run === run && order.by === by ? { run: -1, by } : { run, by };
        again();
      });
      return cell;
    }));
    return el('tr', {}, el('th', { scope: 'col', text: 'Column' }), ...cells);
  }
  return { node, render };
}

/** @param {string[]} names */
function groups(names) {
  return el('tr', { class: 'runs' }, el('td'), ...names.map((name, i) => el('th', { scope: 'colgroup', colspan: '3', class: 'first' },
    el('span', { class: 'swatch', 'data-series': String(i + 1) }), name)));
}

/** The upper end stands for a percentile that is known within a range. @param {Figures} f @param {Statistic} by */
const valueOf = (f, by) => (by === 'p99' ? f.p99?.[1] ?? null : f[by]);

/** @param {Row} row @param {(name: string) => void} goTo */
function line(row, goTo) {
  const name = el('button', { type: 'button', class: 'link', text: row.name, title: `Show the chart of ${row.name}` });
  name.addEventListener('click', () => goTo(row.name));
  return el('tr', {}, el('th', { scope: 'row' }, name), ...row.figures.flatMap((f, i) => STATISTICS.map(([by]) =>
    el('td', { ...(by !== 'p99' && { class: by === 'mean' ? 'first' : 'slope' }) }, ...cell(row, f, i === 0 ? null : row.figures[0] ?? null, by)))));
}

/** @param {Row} row @param {Figures | null} f @param {Figures | null} base null: it is the baseline @param {Statistic} by */
function cell(row, f, base, by) {
  const v = f && valueOf(f, by);
  if (!f || v === null) return [el('span', { class: 'quieter', text: '–' })];
  if (by === 'slope') return [el('span', { text: figure(row, f, by) }), ...slopeDifference(f.drift, base?.drift)];
  const more = moreThan(v, base && valueOf(base, by));
  const overlap = by === 'p99' && base?.p99 && f.p99 && f.p99[0] <= base.p99[1] && base.p99[0] <= f.p99[1] && f.p99[0] !== f.p99[1];
  const difference = more === null || overlap || Math.abs(more) < SAME ? '' : percent(more);
  return [el('span', { text: figure(row, f, by) }),
    ...(difference ? [el('span', { class: Math.abs(more ?? 0) >= NOTABLE ? 'delta' : 'delta quieter', text: difference })] : [])];
}

/** How much more an hour than the baseline: no share, since that may be near 0, or go the other way. Notable where the two are
 *  surely different; not said where neither is sure. @param {Drift | undefined} d @param {Drift | undefined} base */
function slopeDifference(d, base) {
  if (!d || !base || d.slope === null || base.slope === null || !(drifts(d) || drifts(base))) return [];
  const apart = surelyAbove(d, base) || surelyAbove(base, d);
  return [' ', el('span', { class: apart ? 'delta' : 'delta quieter', text: perHour(d.slope - base.slope, d) })];
}

/** @param {Drift} a @param {Drift} b */
const surelyAbove = (a, b) => a.low !== null && b.high !== null && a.low > b.high;

/** @param {Row} row @param {Figures} f @param {Statistic} by */
function figure(row, f, by) {
  const unit = row.kind === 'counter' ? `${row.unit}/s` : row.unit;
  if (by === 'mean') return text(f.mean, unit);
  if (by === 'p99') return f.p99 && Math.abs(f.p99[1] - f.p99[0]) > 0.005 * Math.abs(f.p99[1]) ? `${text(f.p99[0], unit)} … ${text(f.p99[1], unit)}` : text(f.p99?.[1], unit);
  const words = f.drift && f.slope !== null ? perHour(f.slope, f.drift) : '–';
  return drifts(f.drift) ? words : `(${words})`;
}

/** "+12 %", "−0.4 %", "×3.1" where it is more than double. @param {number} more */
function percent(more) {
  if (more >= 1) return `×${(1 + more).toPrecision(2)}`;
  const share = Math.abs(more * 100);
  return `${more < 0 ? MINUS : '+'}${share >= 10 ? Math.round(share) : share.toFixed(1)} %`;
}
