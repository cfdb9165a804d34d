// SPDX-License-Identifier: MIT OR Unlicense
// card: the place of one chart: its title, its value, and, while it is near the window, the chart itself.

import { makeChart } from './chart.js';
import { el, setAttribute, setText } from './dom.js';
import { clock, number, scaleOf, shown, text } from './format.js';
import { extent } from './model.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./model.js').Column} Column
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./model.js').Trace} Trace */
/** The cursor's time, and that of the row nearest to it. @typedef {{at: number, row: number}} Pointed
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, point: (pointed: Pointed | null) => void}} Handlers */

export class Card {
  /** @param {number} index @param {Column} column @param {Handlers} on */
  constructor(index, column, on) {
    this.index = index;
    this.column = column;
    this.on = on;
    this.value = el('span', { class: 'value' });
    this.unit = el('span', { class: 'unit', text: scaleOf(column.unit, 0).unit });
    this.spread = el('span', { class: 'spread' });
    this.plot = el('div', { class: 'plot', role: 'img', 'aria-label': column.name });
    this.node = el('figure', { class: 'card' },
      el('figcaption', {}, el('span', { class: 'name', text: column.name, title: column.name }),
        el('span', { class: 'now' }, this.spread, this.value, this.unit)), this.plot);
    /** @type {ReturnType<typeof makeChart> | null} */
    this.chart = null;
    /** @type {Trace | undefined} */
    this.trace = undefined;
    this.latest = /** @type {number | null} */ (null);
    this.drawn = -1; // the feed's version that the chart shows
  }

  /** @param {number} width of the chart; 0: it is too far from the window to be drawn */
  enter(width) {
    if ((width > 0) === (this.chart !== null)) return;
    this.chart?.destroy();
    this.chart = null;
    this.drawn = -1;
    const { zoom, reset } = this.on;
    if (width > 0) this.chart = makeChart(this.plot, this.column.unit, width, { zoom, reset, cursor: () => this.point() });
  }

  /** @param {number} width */
  resize(width) {
    this.chart?.resize(width);
    this.drawn = -1;
  }

  /** @param {Feed} feed @param {Range} range */
  draw(feed, range) {
    if (!this.chart || this.drawn === feed.version) return;
    this.drawn = feed.version;
    this.trace = feed.traces.get(this.index);
    this.chart.draw({ trace: this.trace, range, gaps: feed.gaps, marks: feed.marks });
    if (!this.trace) return;
    const seen = extent(this.trace, range);
    // The newest point may stand for many rows: while the view follows, the last row's own value is at hand.
    if (feed.view.kind !== 'range') seen.latest = feed.run.column_info[this.index]?.last ?? seen.latest;
    this.latest = seen.latest;
    this.say(this.chart.cursor()?.index ?? null);
    setAttribute(this.plot, 'aria-label', summary(this.column, seen, feed, range));
  }

  /** The cursor moved, over this chart or another. */
  point() {
    const cursor = this.chart?.cursor() ?? null;
    this.say(cursor?.index ?? null);
    const row = cursor && this.trace?.time[cursor.index];
    this.on.point(cursor && row ? { at: cursor.time, row } : null);
  }

  /** The value under the cursor, or the latest. @param {number | null} at the point's index */
  say(at) {
    const v = at === null ? this.latest : this.trace?.mean[at];
    const s = shown(v, this.column.unit);
    setText(this.value, s.value);
    setText(this.unit, s.unit || scaleOf(this.column.unit, 0).unit);
    const by = scaleOf(this.column.unit, v ?? 0).by;
    setText(this.spread, at === null ? '' : spreadOf(this.trace?.min[at], this.trace?.max[at], by));
    this.node.classList.toggle('hover', at !== null);
  }
}

/** "1.1 … 9.2" where a point stands for several rows. @param {number | null | undefined} min
 *  @param {number | null | undefined} max @param {number} by */
function spreadOf(min, max, by) {
  if (min === null || min === undefined || max === null || max === undefined || min === max) return '';
  return `${number(min / by)} … ${number(max / by)}`;
}

/** What the chart shows, in words. @param {Column} column @param {ReturnType<typeof extent>} seen @param {Feed} feed @param {Range} range */
function summary(column, seen, feed, range) {
  const when = `${clock(range.from)} to ${clock(range.to)}`;
  if (seen.latest === null) return `${column.name}: no value from ${when}`;
  const lost = feed.gaps.reduce((n, g) => n + (g[1] > range.from && g[0] < range.to ? g[2] : 0), 0);
  const more = lost > 0 ? `, ${number(lost)} rows lost` : '';
  return `${column.name}: latest ${text(seen.latest, column.unit)}, least ${text(seen.min, column.unit)}, ` +
    `greatest ${text(seen.max, column.unit)}, from ${when}${more}`;
}
