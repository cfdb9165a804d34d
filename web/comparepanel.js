// SPDX-License-Identifier: MIT OR Unlicense
// comparepanel: the run that is shown and others, one of them as the baseline: figures, passports, charts over each other.

import { compareColumns, runBefore, sharedMarks } from './comparison.js';
import { makeCompareFacts, makeCompareTable, swatch } from './comparetable.js';
import { arrange, el, setText } from './dom.js';
import { moment, text as textOf } from './format.js';
import { MOST_RUNS } from './insightstate.js';
import { elapsed, makeOverlay } from './overlaychart.js';
import { loadSides } from './sides.js';

/** @typedef {import('./comparison.js').Side} Side
 *  @typedef {import('./insightstate.js').Insight} Insight
 *  @typedef {import('./model.js').Run} Run */

const START = ''; // of the select: by their beginnings

/** @param {(changed: Partial<Insight>) => void} change */
export function makeCompare(change) {
  const lead = el('p', { class: 'lead', role: 'status' });
  const runs = el('ul', { class: 'sides', 'aria-label': 'Runs compared' });
  const align = el('select', { 'aria-label': 'What the runs are laid on each other by' });
  const whole = el('button', { type: 'button', class: 'quiet', text: 'Whole runs' });
  const add = el('select', { 'aria-label': 'Add a run' });
  const before = el('button', { type: 'button', class: 'quiet chief' });
  const controls = el('div', { class: 'controls' }, before, add, align, whole);
  const table = makeCompareTable((name) => goTo(name));
  const facts = makeCompareFacts();
  const grid = el('div', { class: 'grid' });
  const results = el('div', {}, section('What differs', facts.node), section('Columns', table.node, el('p', { class: 'hint',
    text: 'Of a counter its rate from point to point. A percentage tells how much more than in the first run, the baseline. A p99 is of all rows; where points stand for many of them it is known to lie within a range. A slope in brackets is not sure; beside a slope stands how much more it is than the baseline’s, in full ink where 99 % sure.' })),
  section('Charts', grid));
  results.hidden = align.hidden = whole.hidden = true;
  const node = el('section', { class: 'compare', 'aria-label': 'Compare' }, runs, controls, lead, results);
  /** @type {Map<string, HTMLElement>} */
  const figures = new Map();
  let shown = /** @type {Side[]} */ ([]);
  let span = /** @type {Insight['span']} */ (null);
  /** How the chart of each place is made. @type {Map<Element, () => {destroy: () => void}>} */
  const places = new Map();
  /** @type {Map<Element, {destroy: () => void}>} */
  const charts = new Map();
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const make = places.get(target);
      if (isIntersecting && make && !charts.has(target)) charts.set(target, make());
      else if (!isIntersecting) drop(target);
    }
  }, { rootMargin: '300px' });

  window.addEventListener('beforeprint', () => { // paper has no window that only some are in
    for (const [plot, make] of places) if (!charts.has(plot)) charts.set(plot, make());
  });

  align.addEventListener('change', () => change({ mark: align.value === START ? null : align.value.slice(1), span: null }));
  whole.addEventListener('click', () => change({ span: null }));

  /** @param {Element} place */
  function drop(place) {
    charts.get(place)?.destroy();
    charts.delete(place);
  }

  /** @param {string} name */
  function goTo(name) {
    const figure = figures.get(name);
    figure?.scrollIntoView({ block: 'center' });
    figure?.focus({ preventScroll: true });
  }

  /** @param {string[]} ids the baseline first @param {Insight} insight @param {AbortSignal} signal */
  async function load(ids, insight, signal) {
    if (ids.length < 2) {
      shown = [];
      return render(insight, []);
    }
    if (shown.length === 0) setText(lead, 'Fetching …');
    const loaded = await loadSides(ids, insight, signal);
    shown = loaded.sides;
    span = insight.span;
    render(insight, sharedMarks(loaded.marks.map((marks) => ({ marks }))));
  }

  /** @param {Insight} insight @param {string[]} marks */
  function render(insight, marks) {
    results.hidden = shown.length < 2;
    whole.hidden = insight.span === null;
    align.hidden = shown.length < 2 || (marks.length === 0 && insight.mark === null);
    const known = insight.mark === null || marks.includes(insight.mark) ? marks : [insight.mark, ...marks];
    align.replaceChildren(el('option', { value: START, text: 'from their beginnings' }),
      ...known.map((text) => el('option', { value: `=${text}`, text: `from the mark “${text}”` })));
    align.value = insight.mark === null ? START : `=${insight.mark}`;
    setText(lead, shown.length < 2 ? 'Add a run here, or tick runs in the list of runs: they are laid over this one.' : remarks(insight));
    if (shown.length < 2) return arrange(grid, []);
    facts.render(shown.map(({ run }) => run), names());
    table.render(compareColumns(shown), names());
    drawCharts();
  }

  /** @param {Insight} insight */
  function remarks({ mark, span: chosen }) {
    const without = mark === null ? [] : names().filter((_, i) => shown[i]?.marked === false);
    const time = chosen ? [`From ${elapsed(chosen[0])} to ${elapsed(chosen[1])}.`] : [];
    return [...time, ...without.map((name) => `${name} has no such mark and is laid by its beginning.`)].join(' ');
  }

  /** Runs of one application are told by when they began. */
  const names = () => {
    const one = new Set(shown.map(({ run }) => run.app)).size === 1;
    return shown.map(({ run }) => (one ? moment(run.started, Date.now()) : `${run.app}, ${moment(run.started, Date.now())}`));
  };

  /** All charts show the same time: what was chosen, or from the first beginning to the last end. @returns {[number, number]} */
  function range() {
    if (span) return span;
    const ends = shown.flatMap(({ series, zero }) => [series.time[0], series.time.at(-1)].flatMap((t) => (t === undefined ? [] : [t - zero])));
    return ends.length > 0 && Math.max(...ends) > Math.min(...ends) ? [Math.min(...ends), Math.max(...ends)] : [0, 1000];
  }

  function drawCharts() {
    near.disconnect();
    for (const place of [...charts.keys()]) drop(place);
    figures.clear();
    places.clear();
    const [from, to] = range();
    arrange(grid, compareColumns(shown).map(({ name, unit, kind, figures: of }) => {
      const plot = el('div', { class: 'plot', role: 'img', 'aria-label': `${name} in ${of.filter((f) => f?.mean !== null && f !== null).length} runs, from ${elapsed(from)} to ${elapsed(to)}. The table of columns has its figures.` });
      const now = el('span', { class: 'now', 'aria-hidden': 'true' });
      const shownUnit = kind === 'counter' ? `${unit}/s` : unit;
      places.set(plot, () => makeOverlay(plot, { name, unit, kind }, shown, [from, to], plot.clientWidth, {
        zoom: (chosen) => change({ span: chosen }),
        point: (values, at) => arrange(now, values === null ? [] : [el('span', { class: 'unit', text: elapsed(Math.round(at / 1000) * 1000) }),
          ...values.map((v, i) => el('span', {}, swatch(i), v === null ? '–' : textOf(v, shownUnit)))]),
      }));
      plot.addEventListener('dblclick', () => change({ span: null }));
      const node = el('figure', { class: 'card', tabindex: '-1' }, el('figcaption', {}, el('span', { class: 'name', text: name, title: name }),
        el('span', { class: 'unit', text: shownUnit }), now), plot);
      figures.set(name, node);
      return node;
    }));
    for (const plot of places.keys()) near.observe(plot);
  }

  let width = 0;
  new ResizeObserver(() => {
    const now = grid.querySelector('.card')?.clientWidth ?? 0;
    if (now === width || now === 0) return;
    width = now;
    if (shown.length > 1) drawCharts();
  }).observe(grid);

  let listed = { ids: '', runs: '' };
  let known = /** @type {Run[] | null} */ (null);

  /** The runs on top, from the list that the tree has. @param {string[]} ids the baseline first @param {string} own the run that is shown
   *  @param {Run[]} all */
  function renderRuns(ids, own, all) {
    const key = `${own} ${ids.join()}`;
    if (all === known && key === listed.ids) return;
    known = all;
    const now = { ids: key, runs: all.map((r) => r.id).join() };
    if (now.ids === listed.ids && now.runs === listed.runs) return; // what has the focus stays
    listed = now;
    arrange(runs, ids.map((id, i) => side(id, i, own, ids, all.find((r) => r.id === id))));
    const app = all.find((r) => r.id === own)?.app;
    const others = all.filter((r) => !ids.includes(r.id)).sort((a, b) => Number(b.app === app) - Number(a.app === app)).slice(0, 200);
    const last = ids.length > 1 ? undefined : runBefore(all, own);
    before.hidden = !last;
    setText(before, last ? `Compare with the run before (${moment(last.started, Date.now())})` : '');
    before.onclick = () => last && change({ compare: [last.id], base: last.id, span: null });
    add.hidden = ids.length >= MOST_RUNS || others.length === 0;
    add.replaceChildren(el('option', { value: '', text: 'Add a run …' }), ...others.map((r) => el('option', { value: r.id, text: `${r.app}, ${moment(r.started, Date.now())}` })));
    add.onchange = () => change({ compare: [...ids.filter((id) => id !== own), add.value], span: null });
  }

  /** @param {string} id @param {number} i @param {string} own @param {string[]} ids @param {Run | undefined} run */
  function side(id, i, own, ids, run) {
    const name = run ? `${run.app}, ${moment(run.started, Date.now())}` : id.slice(0, 8);
    const base = el('button', { type: 'button', class: 'link', text: 'make baseline', 'aria-label': `make baseline: ${name}` });
    base.addEventListener('click', () => change({ base: id }));
    const gone = el('button', { type: 'button', class: 'link', text: '×', 'aria-label': `Leave ${name} out`, title: 'Leave out' });
    gone.addEventListener('click', () => change({ compare: ids.filter((other) => other !== own && other !== id) }));
    return el('li', {}, swatch(i), el('span', { text: name }),
      i === 0 ? el('span', { class: 'quieter', text: 'baseline' }) : base, ...(id === own ? [] : [gone]));
  }

  function repaint() {
    if (shown.length > 1) drawCharts();
  }
  /** @param {string} why */
  function fail(why) {
    shown = [];
    results.hidden = true;
    setText(lead, `These runs cannot be compared: ${why}.`);
  }
  return { node, load, renderRuns, repaint, fail };
}

/** @param {string} title @param {...Node} children */
const section = (title, ...children) => el('section', {}, el('h3', { text: title }), ...children);
