// SPDX-License-Identifier: MIT OR Unlicense
// heatcard: the place of one function's heat map. Its data is its own: it is asked for while it is seen, and stays until newer is there.

import { getHistogram, getHistogramNow } from './api.js';
import { plotWidth } from './chart.js';
import { openTable } from './datatable.js';
import { el, setAttribute, setText } from './dom.js';
import { clock, date, number, span, text } from './format.js';
import { cellAt, cellWords, heatOf, partsIn, totalWords } from './heat.js';
import { makeHeatChart } from './heatchart.js';
import { asked } from './model.js';
import { saveCanvas } from './save.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./heat.js').Heat} Heat
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {Pick<import('./card.js').Handlers, 'zoom' | 'reset' | 'point'> & {menu: (card: HeatCard, press: MouseEvent) => void}} Handlers */

const PART = 4;       // CSS pixels of the narrowest part
const BEAT_MS = 1000; // programs tell how often each time was measured once a second: narrower parts would be empty
const AT_ONCE = 8;    // heat maps in a request of one that prints
const AGAIN_MS = 2000; // between two requests while the view follows a run that lives

export class HeatCard {
  /** @param {number} index the column's @param {string} name of the function @param {Handlers} on */
  constructor(index, name, on) {
    this.index = index;
    this.name = name;
    this.on = on;
    this.told = el('span', { class: 'told-cell', 'aria-hidden': 'true' });
    this.plot = el('div', { class: 'plot', role: 'img', tabindex: '-1', 'aria-label': `How long the calls of ${name} took` });
    const menu = el('button', { type: 'button', class: 'menu', 'aria-haspopup': 'menu', 'aria-label': `Options for the latency of ${name}`, title: 'Options', text: '⋯' });
    menu.addEventListener('click', (event) => on.menu(this, event));
    this.node = el('figure', { class: 'card heat' }, el('figcaption', {}, el('span', { class: 'name', text: 'Latency of all calls' }),
      el('span', { class: 'tag', text: 'the stronger, the more calls; line: p50, dashed: p99' }), el('span', { class: 'now' }), menu),
    this.told, this.plot);
    /** @type {ReturnType<typeof makeHeatChart> | null} */
    this.chart = null;
    this.heat = /** @type {Heat | null} */ (null);
    this.range = /** @type {Range} */ ({ from: 0, to: 1 });
    this.drawn = -1;
    this.seen = false;
    this.width = 0;
    this.busy = /** @type {AbortController | null} */ (null);
    this.asked = { epoch: -1, time: -Infinity };
  }

  /** @param {number} width of the other charts; 0: it is too far from the window to be drawn */
  enter(width) {
    this.width = width;
    if (width > 0) return;
    this.busy?.abort();
    this.asked = { epoch: -1, time: -Infinity };
    this.chart?.destroy();
    this.chart = null;
    this.drawn = -1;
  }

  /** @param {number} width */
  resize(width) {
    if (this.width > 0) this.width = width;
    this.chart?.resize(this.plot.clientWidth, this.plot.clientHeight);
    this.drawn = -1;
  }

  /** True: it has been drawn, and is to be told. @param {Feed} feed @param {Range} range */
  draw(feed, range) {
    if (this.width === 0) return false;
    this.load(feed);
    if (this.drawn === feed.version || !this.heat) return false;
    this.paint(feed, range, this.heat);
    return true;
  }

  /** @param {Feed} feed @param {Range} range @param {Heat} heat */
  paint(feed, range, heat) {
    this.drawn = feed.version;
    this.range = range;
    this.heat = heat;
    this.chart ??= makeHeatChart(this.plot, { width: this.plot.clientWidth, height: this.plot.clientHeight, unit: heat.unit },
      { zoom: this.on.zoom, reset: this.on.reset, cursor: () => this.point() });
    this.chart.draw({ heat, range, gaps: feed.gaps, marks: feed.marks });
  }

  /** The chart in words. @param {Feed} _ @param {Range} range */
  tell(_, range) {
    if (!this.heat) return;
    setAttribute(this.plot, 'aria-label', `How long the calls of ${this.name} took, ${clock(range.from)} to ${clock(range.to)}: ${totalWords(this.heat).replaceAll(' · ', ', ')}`);
    this.point();
  }

  /** Asks for what is shown if that is out of date. @param {Feed} feed */
  async load(feed) {
    const pace = Math.max(AGAIN_MS, this.heat?.width ?? 0);
    const old = feed.view.kind !== 'range' && !feed.over && performance.now() - this.asked.time > pace;
    if (!this.seen || (this.asked.epoch === feed.epoch && !old)) return;
    this.asked = { epoch: feed.epoch, time: performance.now() };
    this.busy?.abort();
    const busy = this.busy = new AbortController();
    try {
      const found = await getHistogram(feed.run.id, this.what(feed, [this]), busy.signal);
      if (busy.signal.aborted) return;
      this.heat = heatOf(found, feed.run.columns[this.index] ?? '');
      this.drawn = -1;
      if (this.draw(feed, feed.range)) this.tell(feed, feed.range);
    } catch {
      if (!busy.signal.aborted) this.asked.epoch = -1; // the charts tell when the server is away; the next rows try again
    }
  }

  /** How to ask for what cards as wide as this one show. @param {Feed} feed @param {HeatCard[]} cards */
  what(feed, cards) {
    const { from, to } = feed.range;
    const points = Math.max(1, Math.round(Math.min(plotWidth(this.plot.clientWidth) / PART, (to - from) / BEAT_MS)));
    return { ...asked(feed.view, feed.range), points, columns: cards.map((card) => card.index) };
  }

  /** After it was on paper: one that is not near the window has no chart. */
  printed() {
    if (this.width === 0) this.enter(0);
  }

  /** The cursor moved, over this chart or another: the cell that is pointed at, or what the whole time has. */
  point() {
    const cursor = this.chart?.cursor() ?? null;
    const { heat } = this;
    if (!heat) return;
    const cell = cursor && cursor.value !== null ? cellAt(heat, cursor.time, cursor.value) : null;
    setText(this.told, cell ? cellWords(cell, heat.unit) : totalWords(heat));
    if (cursor?.value !== null) this.on.point(cursor && { at: cursor.time, row: cell?.time ?? cursor.time });
  }

  /** @param {Feed} feed @returns {import('./menu.js').Item[]} */
  options(feed) {
    return [
      { text: 'Table of values', title: 'What the chart shows, as numbers', run: () => this.table() },
      { text: 'Save as PNG', title: 'This chart as a picture', run: () => {
        if (this.chart) saveCanvas(this.chart.canvas, `${this.name}, ${this.told.textContent}`, `${feed.run.app}-${this.name}-latency-${date(this.range.from)}`);
      } },
    ];
  }

  table() {
    const { heat, range } = this;
    if (!heat) return;
    const parts = partsIn(heat, range).reverse();
    const heads = ['Time', 'Calls', 'Mean', 'p50', 'p90', 'p99', 'Greatest'];
    const columns = [heat.mean, heat.p50, heat.p90, heat.p99, heat.max];
    openTable(`Latency of ${this.name}`, `${span(range.from, range.to, Date.now())}, newest first: ${totalWords(heat)}.`, heads, parts.map((i) =>
      [clock(heat.time[i] ?? 0), number(heat.count[i] ?? 0), ...columns.map((column) => text(column[i], heat.unit))]));
  }
}

/** Paper shows those that were never near the window, too. @param {HeatCard[]} cards @param {Feed} feed */
export function printHeats(cards, feed) {
  const missing = cards.filter((card) => !card.chart);
  for (let i = 0; i < missing.length; i += AT_ONCE) {
    const some = missing.slice(i, i + AT_ONCE);
    try {
      const found = getHistogramNow(feed.run.id, /** @type {HeatCard} */ (some[0]).what(feed, some));
      for (const card of some) {
        const heat = heatOf(found, feed.run.columns[card.index] ?? '');
        if (!heat) continue;
        card.paint(feed, feed.range, heat);
        card.tell(feed, feed.range);
      }
    } catch {
      return; // the server is away: what was drawn is printed
    }
  }
}
