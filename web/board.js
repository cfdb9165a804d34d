// SPDX-License-Identifier: MIT OR Unlicense
// board: the charts of a run, in groups. Only those near the window exist; the others are empty places of their size.

import { Card } from './card.js';
import { plotWidth, readTheme } from './chart.js';
import { arrange, el } from './dom.js';
import { groups } from './model.js';
import { watchTheme } from './theme.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./card.js').Handlers} Handlers */

const NEAR = '300px'; // how far outside of the window a chart is drawn already

export class Board {
  /** @param {HTMLElement} place @param {Handlers} on */
  constructor(place, on) {
    this.place = place;
    this.on = { ...on, zoom: (/** @type {import('./model.js').Range} */ range) => {
      for (const card of this.cards.values()) card.chart?.deselect();
      on.zoom(range);
    } };
    /** @type {Feed | null} */
    this.feed = null;
    this.built = '';   // what of the feed the cards were made of
    this.width = 0;    // of one chart, CSS pixels
    this.dragging = false;
    /** @type {Map<Element, Card>} */
    this.cards = new Map();
    this.near = new IntersectionObserver((entries) => this.scrolled(entries), { rootMargin: NEAR });
    this.watch();
  }

  watch() {
    readTheme();
    new ResizeObserver(() => this.resized()).observe(this.place);
    watchTheme(() => {
      readTheme();
      for (const card of this.cards.values()) card.chart?.repaint();
    });
    // While a range is being drawn with the mouse, the charts stand still under it.
    this.place.addEventListener('mousedown', (event) => { this.dragging = event.button === 0; });
    for (const end of ['mouseup', 'blur']) window.addEventListener(end, () => { this.dragging = false; });
  }

  /** @param {IntersectionObserverEntry[]} entries */
  scrolled(entries) {
    for (const { target, isIntersecting } of entries) this.cards.get(target)?.enter(isIntersecting ? this.width : 0);
    this.ask();
    this.render(this.feed);
  }

  resized() {
    const width = this.measure();
    if (width === 0 || width === this.width) return;
    this.width = width;
    for (const card of this.cards.values()) card.resize(width);
    this.ask();
    this.render(this.feed);
  }

  /** All charts have the width of the first. */
  measure() {
    return this.place.querySelector('.plot')?.clientWidth ?? 0;
  }

  /** Tells the feed what is near the window, and how fine it can be shown. */
  ask() {
    const columns = [...this.cards.values()].filter((card) => card.chart).map((card) => card.index);
    if (this.width > 0) this.feed?.want(columns, Math.round(plotWidth(this.width) * Math.min(devicePixelRatio, 2)));
  }

  clear() {
    this.near.disconnect();
    for (const card of this.cards.values()) card.enter(0);
    this.cards.clear();
    this.built = '';
  }

  /** @param {Feed} feed */
  build(feed) {
    const columns = feed.run.column_info;
    const key = JSON.stringify([feed.run.id, columns.map((c) => [c.name, c.unit, c.kind])]);
    if (key === this.built) return;
    this.clear();
    this.built = key;
    arrange(this.place, groups(columns).map((group) => {
      const cards = group.columns.map((i) => new Card(i, /** @type {import('./model.js').Column} */ (columns[i]), this.on));
      for (const card of cards) this.cards.set(card.node, card);
      return el('section', { 'aria-label': group.title }, el('h3', { text: group.title }),
        el('div', { class: 'grid' }, ...cards.map((card) => card.node)));
    }));
    this.width = this.measure();
    for (const card of this.cards.values()) this.near.observe(card.node);
  }

  /** @param {Feed | null} feed */
  render(feed) {
    this.feed = feed;
    if (!feed) return this.clear();
    this.build(feed);
    if (this.dragging) return;
    const range = feed.range;
    for (const card of this.cards.values()) card.draw(feed, range);
  }
}
