// SPDX-License-Identifier: MIT OR Unlicense
// board: the charts of a run, in groups. Only those near the window exist; the others are empty places of their size.

import { Card } from './card.js';
import { axisWidth, forgetAxes, plotWidth } from './chart.js';
import { readTheme } from './colours.js';
import { arrange } from './dom.js';
import { FunctionTable } from './functiontable.js';
import { functionsOf, groupsOf, histogramOf } from './groups.js';
import { HeatCard, printHeats } from './heatcard.js';
import { makeHidden } from './hidden.js';
import { marked, plainLook, resized } from './look.js';
import { makeMenu } from './menu.js';
import { optionsOf } from './options.js';
import { makeSection } from './section.js';
import { watchTheme } from './theme.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./look.js').Look} Look
 *  @typedef {import('./groups.js').Group} Group
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, dress: (look: Look) => void,
 *    point: (pointed: import('./card.js').Pointed | null) => void}} Handlers */

const NEAR = 300; // pixels outside of the window: there a chart is made already
const MAKING_MS = 8; // of a frame

export class Board {
  /** @param {HTMLElement} place @param {Handlers} on */
  constructor(place, on) {
    this.place = place;
    this.on = on;
    /** @type {Feed | null} */
    this.feed = null;
    this.look = plainLook();
    this.built = '';   // what of the feed the cards were made of
    this.dressed = /** @type {Look | null} */ (null); // what they look like
    this.width = 0;    // of one chart, CSS pixels
    this.aligned = axisWidth();
    this.begun = false; // the first charts are made
    this.marking = false;
    /** By column. @type {Map<number, Card>} */
    this.cards = new Map();
    /** By the column of their histogram. @type {Map<number, HeatCard>} */
    this.heats = new Map();
    /** @type {WeakMap<Element, Card | HeatCard>} */
    this.cardOf = new WeakMap();
    this.functions = /** @type {import('./groups.js').Profiled[]} */ ([]);
    /** @type {Map<string, ReturnType<typeof makeSection>>} */
    this.sections = new Map();
    this.near = new IntersectionObserver((entries) => this.approach(entries), { rootMargin: `${NEAR}px` });
    this.view = new IntersectionObserver((entries) => this.scrolled(entries));
    this.table = new FunctionTable((name) => this.goTo(name));
    this.hidden = makeHidden((names) => this.on.dress(marked(this.look, 'hide', names, false)));
    this.openMenu = makeMenu();
    this.size = new ResizeObserver(() => this.resized());
    this.watch();
  }

  watch() {
    this.size.observe(this.place);
    watchTheme(() => {
      readTheme();
      for (const card of this.all()) card.chart?.repaint();
    });
    // While a range is being marked with the mouse, the charts stand still under it.
    this.place.addEventListener('mousedown', (event) => { this.marking = event.button === 0 && !event.shiftKey && !event.altKey; });
    window.addEventListener('beforeprint', () => this.print());
    window.addEventListener('afterprint', () => this.printed());
    for (const end of ['mouseup', 'blur']) window.addEventListener(end, () => { this.marking = false; });
  }

  /** Every place of a chart. @returns {(Card | HeatCard)[]} */
  all() {
    return [...this.cards.values(), ...this.heats.values()];
  }

  /** What the cards may ask for. @returns {import('./card.js').Handlers} */
  handlers() {
    return {
      zoom: (range) => {
        for (const card of this.all()) card.chart?.deselect();
        this.on.zoom(range);
      },
      reset: this.on.reset,
      point: this.on.point,
      menu: (card, press) => this.openMenu(press, optionsOf(card, this)),
      tall: (name, height, all) => this.on.dress(resized(this.look, all ? null : name, height)),
    };
  }

  /** The observers of what is near tell after the next frame only: the first charts are asked for, and made, in this one. */
  begin() {
    readTheme();
    const near = innerHeight + NEAR;
    const places = this.all().filter((card) => card.node.isConnected)
      .map((card) => ({ card, box: card.node.getBoundingClientRect() })).filter(({ box }) => box.top < near && box.bottom > -NEAR);
    for (const { card, box } of places) {
      card.enter(this.width);
      card.seen = box.top < innerHeight && box.bottom > 0;
    }
  }

  /** Makes the charts that come near, and lets go of those that are far. @param {IntersectionObserverEntry[]} entries */
  approach(entries) {
    for (const { target, isIntersecting } of entries) this.cardOf.get(target)?.enter(isIntersecting ? this.width : 0);
    this.ask();
    this.draw();
  }

  /** Only what is seen is drawn as rows arrive. @param {IntersectionObserverEntry[]} entries */
  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const card = this.cardOf.get(target);
      if (card) card.seen = isIntersecting;
    }
    this.draw();
  }

  /** Called when the page has been laid out, and before it is painted: here it costs nothing to measure it. */
  resized() {
    const width = this.measure();
    if (width === 0 || (width === this.width && this.begun)) return;
    this.width = width;
    if (this.begun) for (const card of this.all()) card.resize(width);
    else this.begin();
    this.begun = true;
    this.ask();
    this.draw();
  }

  /** All charts have the width of the first; only heat maps are wider. */
  measure() {
    return this.place.querySelector('.card:not(.heat)')?.clientWidth ?? 0;
  }

  /** Tells the feed what is near the window, and how fine it can be shown. */
  ask() {
    const columns = [...this.cards.values()].filter((card) => card.width > 0).map((card) => card.index);
    if (this.width > 0) this.feed?.want(columns, Math.round(plotWidth(this.width) * Math.min(devicePixelRatio, 2)));
  }

  clear() {
    this.near.disconnect();
    this.view.disconnect();
    for (const card of this.all()) card.enter(0);
    this.cards.clear();
    this.heats.clear();
    this.sections.clear();
    this.table.rest();
    forgetAxes();
    this.aligned = axisWidth();
    this.built = '';
    this.dressed = null;
  }

  /** @param {Feed} feed */
  build(feed) {
    const columns = feed.run.column_info;
    const key = JSON.stringify([feed.run.id, columns.map((c) => [c.name, c.unit, c.kind])]);
    if (key === this.built) return;
    this.clear();
    this.built = key;
    this.functions = functionsOf(columns);
    const on = this.handlers();
    columns.forEach((column, i) => {
      const card = new Card(i, column, on);
      this.cards.set(i, card);
      this.cardOf.set(card.node, card);
    });
  }

  /** Puts the cards where the look wants them. @param {Feed} feed */
  dress(feed) {
    if (this.dressed === this.look) return;
    const first = this.dressed === null;
    this.dressed = this.look;
    const columns = feed.run.column_info;
    for (const card of this.cards.values()) card.dress(this.look);
    const groups = groupsOf(columns, this.look);
    const nodes = groups.map((group) => this.section(group, histogramOf(columns, group)));
    const functions = groups.findIndex(({ kind }) => kind === 'function');
    if (this.functions.length > 0) nodes.splice(functions < 0 ? nodes.length : functions, 0, this.table.node);
    arrange(this.place, [...nodes, this.hidden.show(columns.map((c) => c.name).filter((name) => this.look.hide.includes(name)))]);
    if (first) {
      this.begun = false;
      this.size.unobserve(this.place);
      this.size.observe(this.place); // calls resized() for these charts
    }
    for (const card of this.all()) {
      if (!card.node.isConnected) {
        card.enter(0);
        card.seen = false;
      }
      for (const observer of [this.near, this.view]) {
        if (card.node.isConnected) observer.observe(card.node);
        else observer.unobserve(card.node);
      }
    }
  }

  /** @param {Group} group @param {number} index the column of its histogram */
  heat(group, index) {
    const { zoom, reset, point } = this.handlers();
    const made = this.heats.get(index) ?? new HeatCard(index, group.title, { zoom, reset, point,
      menu: (card, press) => this.feed && this.openMenu(press, card.options(this.feed)) });
    this.heats.set(index, made);
    this.cardOf.set(made.node, made);
    return made.node;
  }

  /** @param {Group} group @param {number | undefined} histogram its column */
  section(group, histogram) {
    const key = keyOf(group.kind, group.title);
    const made = this.sections.get(key) ?? makeSection(group, (names, on) => this.on.dress(marked(this.look, 'rate', names, on)));
    this.sections.set(key, made);
    return made.show(group.columns.map((i) => /** @type {Card} */ (this.cards.get(i))), histogram === undefined ? [] : [this.heat(group, histogram)]);
  }

  /** To the charts of a function; those that are pinned stand elsewhere, those that are hidden come back. @param {string} name */
  goTo(name) {
    const parts = this.functions.find((it) => it.name === name)?.parts ?? new Map();
    const names = [...parts.values()].map((i) => this.cards.get(i)?.column.name ?? '');
    if (names.some((column) => this.look.hide.includes(column))) {
      this.look = marked(this.look, 'hide', names, false);
      this.on.dress(this.look);
      if (this.feed) this.dress(this.feed);
    }
    const pinned = names.every((column) => this.look.pin.includes(column));
    this.sections.get(pinned ? keyOf('pinned', 'Pinned') : keyOf('function', `${name}()`))?.focus();
  }

  /** Brings a column's chart into view; one that is hidden comes back. False: there is none yet. @param {string} name */
  show(name) {
    const card = [...this.cards.values()].find((c) => c.column.name === name);
    if (!card || this.place.hidden) return false;
    if (!card.node.isConnected) this.on.dress(marked(this.look, 'hide', [name], false));
    requestAnimationFrame(() => {
      card.node.scrollIntoView({ block: 'center' });
      card.plot.focus({ preventScroll: true });
    });
    return true;
  }

  /** @param {Feed | null} feed @param {Look} look */
  render(feed, look) {
    this.feed = feed;
    this.look = look;
    if (!feed) return this.clear();
    this.build(feed);
    this.dress(feed);
    this.draw();
  }

  /** Making charts takes longer than drawing them anew: some of them now, and the others in the next frames. */
  draw() {
    const { feed } = this;
    if (!feed || this.marking) return;
    const range = feed.range;
    const drawn = [];
    const begun = performance.now();
    let [making, more] = [false, false];
    for (const card of this.all()) {
      const made = card.chart !== null;
      if ((card.seen || !made) && card.draw(feed, range)) drawn.push(card);
      making ||= !made && card.chart !== null;
      more = !made && card.chart !== null && performance.now() - begun >= MAKING_MS;
      if (more) break;
    }
    // After the last canvas: before text is drawn on one, the browser works out anew the styles of all that has changed.
    for (const card of drawn) card.tell(feed, range);
    if (drawn.length > 0 && !making) feed.took(performance.now() - begun);
    if (more) requestAnimationFrame(() => this.draw());
    else this.table.render(feed, this.functions);
    queueMicrotask(() => this.align()); // then those that were made are drawn, too
  }

  /** When a label is wider than all before, the charts that were drawn without it make room. */
  align() {
    if (axisWidth() === this.aligned) return;
    this.aligned = axisWidth();
    for (const card of this.all()) card.chart?.align();
  }

  /** Paper has no window that only some charts are in. */
  print() {
    const { feed } = this;
    if (!feed || this.place.hidden) return;
    const cards = [...this.cards.values()].filter((card) => card.node.isConnected);
    feed.complete(cards.map((card) => card.index));
    for (const card of cards) card.print(feed, feed.range);
    printHeats([...this.heats.values()].filter((card) => card.node.isConnected), feed);
    this.table.print(feed, this.functions);
  }

  printed() {
    for (const card of this.cards.values()) {
      card.paper?.remove();
      card.paper = null;
    }
    for (const card of this.heats.values()) card.printed();
  }
}

/** @param {Group['kind']} kind @param {string} title */
const keyOf = (kind, title) => `${kind} ${title}`;
