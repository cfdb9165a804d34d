// SPDX-License-Identifier: MIT OR Unlicense
// comparetable: the tables of a comparison: what differs in what the runs say of themselves; and what each column is in each run, and how
// much more than in the baseline, sorted by any of it. The runs stand side by side; where there is not room for all, below one another,
// a column a block.

import { comparePassports, moreThan } from './comparison.js';
import { arrange, el, makeFit, setAttribute, setText } from './dom.js';
import { text } from './format.js';
import { drifts, perHour } from './verdict.js';

/** @typedef {import('./comparison.js').Row} Row
 *  @typedef {import('./comparison.js').Figures} Figures
 *  @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {'mean' | 'p99' | 'slope'} Statistic
 *  @typedef {{run: number, by: Statistic | ''}} Order by which statistic of which run; '': as the runs have them */

/** @type {[Statistic, string, string][]} */
const STATISTICS = [['mean', 'mean', 'The mean of all rows'], ['p99', 'p99', 'What 99 % of the rows do not exceed; a range where only the least and greatest of many rows are at hand'],
  ['slope', 'slope', 'Per hour (Theil and Sen); in brackets where it is not sure']];
const CLASSES = { mean: 'first', p99: 'middle', slope: 'slope' };
const ANY = -1; // run: that which is the farthest from the baseline
const MINUS = '\u2212';
const SAME = 0.0005;   // of the baseline: no difference worth a figure
const NOTABLE = 0.05; // of the baseline: less is told in a quieter voice
/** @type {Order} */
const PLAIN = { run: ANY, by: '' };

/** @param {(name: string) => void} goTo */
export function makeCompareTable(goTo) {
  const node = el('div', { class: 'scroll', role: 'region', 'aria-label': 'Columns compared' });
  let order = PLAIN;
  let rows = /** @type {Row[]} */ ([]);
  let names = /** @type {string[]} */ ([]);
  const show = makeFit(node, (narrow) => arrange(node, [narrow ? stacked() : sideBySide()]));

  /** @param {Row[]} next @param {string[]} of the runs, the baseline first */
  function render(next, of) {
    [rows, names] = [next, of];
    if (order.run >= names.length) order = PLAIN;
    show();
  }

  const sorted = () => (order.by === '' ? rows : [...rows].sort((a, b) => rank(b, order) - rank(a, order)));

  /** A head that sorts by what it says. @param {Order} by @param {string} label @param {string} title @param {Record<string, string>} set */
  function head(by, label, title, set) {
    const button = el('button', { type: 'button', text: label, title, 'data-key': `sort ${by.run} ${by.by}`, ...set });
    const on = order.run === by.run && order.by === by.by;
    const th = el('th', { scope: 'col', ...(by.by && { class: CLASSES[by.by] }) }, button);
    setAttribute(th, 'aria-sort', on ? 'descending' : null);
    button.addEventListener('click', () => {
      order = on ? PLAIN : by;
      show(true);
    });
    return th;
  }

  /** @param {string} name */
  function link(name) {
    const button = el('button', { type: 'button', class: 'link', text: name, title: `Show the chart of ${name}`, 'data-key': `to ${name}` });
    button.addEventListener('click', () => goTo(name));
    return button;
  }

  function sideBySide() {
    const titles = names.flatMap((name, run) => STATISTICS.map(([by, label, title]) =>
      head({ run, by }, label, `${title}. Sorts by ${run === 0 ? 'it' : 'how far it is from the baseline'}`, { 'aria-label': `${label} of ${name}` })));
    const groups = names.map((name, i) => el('th', { scope: 'colgroup', colspan: '3', class: 'first' }, swatch(i), name));
    return el('table', { class: 'figures compared' },
      el('thead', {}, el('tr', { class: 'runs' }, el('td'), ...groups), el('tr', {}, el('th', { scope: 'col', text: 'Column' }), ...titles)),
      el('tbody', {}, ...sorted().map((row) => el('tr', {}, el('th', { scope: 'row' }, link(row.name)), ...names.flatMap((_, i) => figures(row, i))))));
  }

  function stacked() {
    const titles = STATISTICS.map(([by, label, title]) => head({ run: names.length === 2 ? 1 : ANY, by }, label, `${title}. Sorts by how far it is from the baseline`, {}));
    return el('table', { class: 'figures compared stacked' }, el('thead', {}, el('tr', {}, el('th', { scope: 'col', text: 'Run' }), ...titles)),
      ...sorted().map((row) => el('tbody', {}, el('tr', { class: 'name' }, el('th', { scope: 'rowgroup', colspan: '4' }, link(row.name))),
        ...names.map((name, i) => el('tr', {}, el('th', { scope: 'row', class: 'which' }, el('div', {}, swatch(i), el('span', { text: name }))), ...figures(row, i))))));
  }
  return { node, render };
}

/** @param {Row} row @param {number} run */
const figures = (row, run) => STATISTICS.map(([by]) => el('td', { class: CLASSES[by] }, ...cell(row, run, by)));

/** @param {number} i of the run */
export const swatch = (i) => el('span', { class: 'swatch', 'data-series': String(i + 1) });

/** How far up a column stands in an order. @param {Row} row @param {Order} order @returns {number} */
function rank(row, { run, by }) {
  const figures = row.figures[run];
  if (by === '') return 0;
  if (run === ANY) return Math.max(...row.figures.slice(1).map((_, i) => apart(row, i + 1, by)));
  if (run > 0) return apart(row, run, by);
  return (figures && valueOf(figures, by)) ?? -Infinity;
}

/* ---- one figure ---- */

/** The upper end stands for a percentile that is known within a range. @param {Figures} f @param {Statistic} by */
const valueOf = (f, by) => (by === 'p99' ? f.p99?.[1] ?? null : f[by]);

/** How far a column of a run is from the baseline, as a share of that; of a slope, what the difference is an hour, as a share of the
 *  baseline's level. What is not told comes last. @param {Row} row @param {number} run @param {Statistic} by */
function apart(row, run, by) {
  const [f, base] = [row.figures[run], row.figures[0]];
  if (!f || !base) return -Infinity;
  const level = base.drift?.level ?? 0;
  const more = by === 'slope' ? slopeMore(f.drift, base.drift) : null;
  const share = by === 'slope' ? moreThan(more === null ? null : level + more, level) : moreThan(valueOf(f, by), valueOf(base, by));
  return share === null ? -Infinity : Math.abs(share);
}

/** @param {Row} row @param {number} run @param {Statistic} by @returns {(Node | string)[]} lines break between its parts */
function cell(row, run, by) {
  const f = row.figures[run] ?? null;
  const base = run === 0 ? null : row.figures[0] ?? null; // it is the baseline
  const v = f && valueOf(f, by);
  if (!f || v === null) return [el('span', { class: 'quieter', text: '–' })];
  if (by === 'slope') return [el('span', { text: figure(row, f, by) }), ...slopeDifference(f.drift, base?.drift)];
  const more = moreThan(v, base && valueOf(base, by));
  const overlap = by === 'p99' && base?.p99 && f.p99 && f.p99[0] <= base.p99[1] && base.p99[0] <= f.p99[1] && f.p99[0] !== f.p99[1];
  const difference = more === null || overlap || Math.abs(more) < SAME ? '' : percent(more);
  return [...(by === 'p99' && lies(f) ? within(row, f) : [el('span', { text: figure(row, f, by) })]),
    ...(difference ? [' ', el('span', { class: Math.abs(more ?? 0) >= NOTABLE ? 'delta' : 'delta quieter', text: difference })] : [])];
}

/** How much more an hour than the baseline; null where neither is sure. @param {Drift | undefined} d @param {Drift | undefined} base */
function slopeMore(d, base) {
  if (!d || !base || d.slope === null || base.slope === null || !(drifts(d) || drifts(base))) return null;
  return d.slope - base.slope;
}

/** No share is told, since the baseline's may be near 0, or go the other way. Notable where the two are surely different.
 *  @param {Drift | undefined} d @param {Drift | undefined} base */
function slopeDifference(d, base) {
  const more = slopeMore(d, base);
  if (more === null || !d || !base) return [];
  const sure = surelyAbove(d, base) || surelyAbove(base, d);
  return [' ', el('span', { class: sure ? 'delta' : 'delta quieter', text: perHour(more, d) })];
}

/** @param {Drift} a @param {Drift} b */
const surelyAbove = (a, b) => a.low !== null && b.high !== null && a.low > b.high;

/** @param {Row} row */
const unitOf = (row) => (row.kind === 'counter' ? `${row.unit}/s` : row.unit);

/** Whether the percentile is known within a range only. @param {Figures} f */
const lies = ({ p99 }) => p99 !== null && Math.abs(p99[1] - p99[0]) > 0.005 * Math.abs(p99[1]);

/** @param {Row} row @param {Figures} f */
const within = (row, f) => [el('span', { text: `${text(f.p99?.[0], unitOf(row))} …` }), ' ', el('span', { text: text(f.p99?.[1], unitOf(row)) })];

/** @param {Row} row @param {Figures} f @param {Statistic} by */
function figure(row, f, by) {
  if (by !== 'slope') return text(valueOf(f, by), unitOf(row));
  const words = f.drift && f.slope !== null ? perHour(f.slope, f.drift) : '–';
  return drifts(f.drift) ? words : `(${words})`;
}

/** "+12 %", "−0.4 %", "×3.1" where it is more than double. @param {number} more */
function percent(more) {
  if (more >= 1) return `×${(1 + more).toPrecision(2)}`;
  const share = Math.abs(more * 100);
  return `${more < 0 ? MINUS : '+'}${share >= 10 ? Math.round(share) : share.toFixed(1)} %`;
}

/* ---- what differs ---- */

/** First what differs, as that is the first suspect, then in a line what is the same. */
export function makeCompareFacts() {
  const place = el('div', { class: 'scroll', role: 'region', 'aria-label': 'What differs between the runs' });
  const same = el('p', { class: 'same-facts quieter' });
  const node = el('div', {}, place, same);
  let facts = /** @type {ReturnType<typeof comparePassports>} */ ([]);
  let names = /** @type {string[]} */ ([]);
  const show = makeFit(place, (narrow) => arrange(place, facts.length === 0 ? [] : [narrow ? stacked() : sideBySide()]));

  /** @param {import('./model.js').RunDetail[]} runs @param {string[]} of them, the baseline first */
  function render(runs, of) {
    const all = comparePassports(runs);
    facts = all.filter((f) => f.differs);
    names = of;
    const rest = all.filter((f) => !f.differs).map(({ fact, values }) => `${fact} ${values[0]}`);
    setText(same, rest.length > 0 ? `The same in all: ${rest.join(' · ')}` : '');
    show();
  }

  function sideBySide() {
    const head = el('thead', {}, el('tr', {}, el('td'), ...names.map((name, i) => el('th', { scope: 'col' }, swatch(i), name))));
    return el('table', { class: 'figures facts' }, head, el('tbody', {}, ...facts.map(({ fact, values }) =>
      el('tr', {}, el('th', { scope: 'row', text: fact }), ...values.map((v) => el('td', { text: v || '–' }))))));
  }

  function stacked() {
    return el('table', { class: 'figures facts stacked' }, ...facts.map(({ fact, values }) => el('tbody', {}, el('tr', { class: 'name' }, el('th', { scope: 'rowgroup', colspan: '2', text: fact })),
      ...values.map((v, i) => el('tr', {}, el('th', { scope: 'row', class: 'which' }, el('div', {}, swatch(i), el('span', { text: names[i] ?? '' }))), el('td', { text: v || '–' }))))));
  }
  return { node, render };
}
