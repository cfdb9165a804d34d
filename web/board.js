// SPDX-License-Identifier: MIT OR Unlicense
// board: the charts of a run, in groups. Only those near the window exist; the others are empty places of their size.

import { makeChart, plotWidth, readTheme } from './chart.js';
import { arrange, el, setAttribute, setText } from './dom.js';
import { clock, number, scaleOf, shown, text } from './format.js';
import { extent, groups } from './model.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./model.js').Column} Column
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, cursor: (time: number | null) => void}} Handlers */

/** @param {HTMLElement} place @param {Handlers} on */
export function makeBoard(place, on) {
  /** @type {Feed | null} */
  let feed = null;
  let built = '';
  let width = 0;
  let dragging = false;
  /** @type {Map<Element, ReturnType<typeof makeCard>>} */
  const cards = new Map();

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) cards.get(target)?.enter(isIntersecting ? width : 0);
    ask();
    render(feed);
  }, { rootMargin: '300px' });

  new ResizeObserver(() => {
    const first = /** @type {HTMLElement | null} */ (place.querySelector('.plot'));
    if (!first || first.clientWidth === width || first.clientWidth === 0) return;
    width = first.clientWidth;
    for (const card of cards.values()) card.resize(width);
    ask();
    render(feed);
  }).observe(place);

  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    readTheme();
    for (const card of cards.values()) card.repaint();
  });
  readTheme();

  // While a range is being drawn with the mouse, the charts stand still under it.
  place.addEventListener('mousedown', () => { dragging = true; });
  window.addEventListener('mouseup', () => { dragging = false; });

  /** Tells the feed what is in view. */
  function ask() {
    const wanted = [...cards.values()].filter((c) => c.near()).map((c) => c.index);
    if (feed && width > 0) feed.want(wanted, Math.round(plotWidth(width) * Math.min(devicePixelRatio, 2)));
  }

  /** @param {Feed} of */
  function build(of) {
    const key = JSON.stringify([of.run.id, of.run.column_info.map((c) => [c.name, c.unit, c.kind])]);
    if (key === built) return;
    built = key;
    near.disconnect();
    for (const card of cards.values()) card.enter(0);
    cards.clear();
    const sections = groups(of.run.column_info).map(({ title, columns }) => {
      const made = columns.map((i) => makeCard(i, /** @type {Column} */ (of.run.column_info[i]), {
        zoom: (range) => {
          for (const card of cards.values()) card.deselect();
          on.zoom(range);
        },
        reset: on.reset,
        cursor: on.cursor,
      }));
      made.forEach((card) => cards.set(card.node, card));
      return el('section', { 'aria-label': title }, el('h3', { text: title }), el('div', { class: 'grid' }, ...made.map((c) => c.node)));
    });
    arrange(place, sections);
    width = /** @type {HTMLElement | null} */ (place.querySelector('.plot'))?.clientWidth ?? 0;
    for (const card of cards.values()) near.observe(card.node);
  }

  /** @param {Feed | null} of */
  function render(of) {
    feed = of;
    if (!feed) {
      near.disconnect();
      for (const card of cards.values()) card.enter(0);
      cards.clear();
      built = '';
      return;
    }
    build(feed);
    if (dragging) return;
    const range = feed.range;
    for (const card of cards.values()) card.draw(feed, range);
  }
  return { render };
}

/** The place of one chart: its title, its value, and, while it is in view, the chart.
 *  @param {number} index @param {Column} column @param {Handlers} on */
function makeCard(index, column, on) {
  const value = el('span', { class: 'value' });
  const unit = el('span', { class: 'unit' });
  const spread = el('span', { class: 'spread' });
  const plot = el('div', { class: 'plot', role: 'img' });
  const declared = scaleOf(column.unit, 0).unit;
  const node = el('figure', { class: 'card' },
    el('figcaption', {}, el('span', { class: 'name', text: column.name, title: column.name }),
      el('span', { class: 'now' }, spread, value, unit)), plot);
  /** @type {ReturnType<typeof makeChart> | null} */
  let chart = null;
  /** @type {import('./model.js').Trace | undefined} */
  let trace;
  /** @type {ReturnType<typeof extent>} */
  let seen = { latest: null, min: null, max: null };

  /** The value under the cursor, or the latest. @param {number | null} at */
  function say(at) {
    const v = at === null ? seen.latest : trace?.mean[at];
    const s = shown(v, column.unit);
    setText(value, s.value);
    setText(unit, s.unit || declared);
    setText(spread, at === null || !trace ? '' : spreadOf(trace.min[at], trace.max[at], scaleOf(column.unit, v ?? 0).by));
    node.classList.toggle('hover', at !== null);
  }

  /** @param {number | null} at */
  function cursor(at) {
    say(at);
    on.cursor(at === null ? null : trace?.time[at] ?? null);
  }

  return {
    node,
    index,
    near: () => chart !== null,
    /** @param {number} width 0: it left the view */
    enter(width) {
      if (width > 0 && !chart) chart = makeChart(plot, column.unit, width, { ...on, cursor });
      if (width === 0) {
        chart?.destroy();
        chart = null;
      }
    },
    /** @param {number} width */
    resize: (width) => chart?.resize(width),
    repaint: () => chart?.repaint(),
    deselect: () => chart?.deselect(),
    /** @param {Feed} feed @param {Range} range */
    draw(feed, range) {
      if (!chart) return;
      trace = feed.traces.get(index);
      chart.draw({ trace, range, gaps: feed.gaps, marks: feed.marks });
      if (!trace) return;
      seen = extent(trace, range);
      // The newest point may stand for many rows: while the view follows, the last row's own value is at hand.
      if (feed.view.kind !== 'range') seen.latest = feed.run.column_info[index]?.last ?? seen.latest;
      say(chart.index());
      setAttribute(plot, 'aria-label', summary(column, seen, feed, range));
    },
  };
}

/** "1.1 … 9.2" where a point stands for several rows. @param {number | null | undefined} min
 *  @param {number | null | undefined} max @param {number} by */
function spreadOf(min, max, by) {
  if (min === null || min === undefined || max === null || max === undefined || min === max) return '';
  return `${number(min / by)} … ${number(max / by)}`;
}

/** @param {Column} column @param {ReturnType<typeof extent>} seen @param {Feed} feed @param {Range} range */
function summary(column, seen, feed, range) {
  const when = `${clock(range.from)} to ${clock(range.to)}`;
  if (seen.latest === null) return `${column.name}: no value from ${when}`;
  const lost = feed.gaps.reduce((n, g) => n + (g[1] > range.from && g[0] < range.to ? g[2] : 0), 0);
  const more = lost > 0 ? `, ${number(lost)} rows lost` : '';
  return `${column.name}: latest ${text(seen.latest, column.unit)}, least ${text(seen.min, column.unit)}, ` +
    `greatest ${text(seen.max, column.unit)}, from ${when}${more}`;
}
