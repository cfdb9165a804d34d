// SPDX-License-Identifier: MIT OR Unlicense
// card: the place of one chart: its title, its value, and, while it is near the window, the chart itself.

import { positive } from './axes.js';
import { NONE, makeChart } from './chart.js';
import { theme } from './colours.js';
import { el, setAttribute, setText } from './dom.js';
import { clock, duration, number, scaleOf, shown, text } from './format.js';
import { makeGrip } from './grip.js';
import { heightOf, plainLook } from './look.js';
import { extent } from './model.js';
import { PAPER, svgOf } from './picture.js';
import { perSecond, rateOf } from './rate.js';
import { drifts, perHour, reason, verdictWords } from './verdict.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./look.js').Look} Look
 *  @typedef {import('./model.js').Column} Column
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./model.js').Trace} Trace */
/** The cursor's time, and that of the row nearest to it. @typedef {{at: number, row: number}} Pointed
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, point: (pointed: Pointed | null) => void,
 *    menu: (card: Card, press: MouseEvent) => void, tall: (name: string, height: number, all: boolean) => void}} Handlers */

export class Card {
  /** @param {number} index @param {Column} column @param {Handlers} on */
  constructor(index, column, on) {
    this.index = index;
    this.column = column;
    this.on = on;
    this.value = el('span', { class: 'value' });
    this.unit = el('span', { class: 'unit' });
    this.spread = el('span', { class: 'spread' });
    this.tag = el('span', { class: 'tag' });
    this.finding = el('span', { class: 'verdict' });
    this.note = el('div', { class: 'note', 'aria-hidden': 'true' });
    this.plot = el('div', { class: 'plot', role: 'img', tabindex: '-1', 'aria-label': column.name });
    this.grip = makeGrip(column.name, (height, all) => on.tall(column.name, height, all));
    this.node = el('figure', { class: 'card' },
      el('figcaption', {}, el('span', { class: 'name', text: column.name, title: column.name }), this.tag, this.finding,
        el('span', { class: 'now' }, this.spread, this.value, this.unit), this.menuButton()), this.note, this.plot, this.grip.node);
    /** @type {ReturnType<typeof makeChart> | null} */
    this.chart = null;
    /** @type {Trace | undefined} */
    this.trace = undefined;
    this.paper = /** @type {Element | null} */ (null); // while the page is printed
    this.latest = /** @type {number | null} */ (null);
    this.drawn = -1; // the feed's version that the chart shows
    this.seen = false;
    this.log = this.rate = false;
    this.height = 0; // of the plot, CSS pixels
    this.width = 0;  // of the chart, CSS pixels; 0: it is too far from the window to be drawn
    this.dress(plainLook());
  }

  menuButton() {
    const button = el('button', { type: 'button', class: 'menu', 'aria-haspopup': 'menu', 'aria-label': `Options for ${this.column.name}`, title: 'Options', text: '⋯' });
    button.addEventListener('click', (event) => this.on.menu(this, event));
    return button;
  }

  /** What the values shown are counted in. */
  get shownUnit() {
    return this.rate ? perSecond(this.column.unit) : this.column.unit;
  }

  /** @param {Look} look */
  dress(look) {
    const { name } = this.column;
    const [log, rate, height] = [look.log.includes(name), look.rate.includes(name), heightOf(look, name)];
    const same = this.log === log && this.rate === rate;
    if (same && this.height === height) return;
    [this.log, this.rate, this.height] = [log, rate, height];
    this.node.style.setProperty('--plot', `${height}px`);
    this.grip.set(height);
    setText(this.tag, log ? 'log' : '');
    setText(this.unit, scaleOf(this.shownUnit, 0).unit);
    const { width } = this;
    if (same) return this.resize(width);
    this.enter(0);
    this.enter(width);
  }

  /** @param {number} width of the chart; 0: it is too far from the window to be drawn */
  enter(width) {
    this.width = width;
    if (width > 0) return;
    this.chart?.destroy();
    this.chart = null;
    this.drawn = -1;
  }

  make() {
    const { zoom, reset } = this.on;
    return makeChart(this.plot, { unit: this.shownUnit, width: this.width, height: this.height, log: this.log },
      { zoom, reset, cursor: () => this.point() });
  }

  /** @param {number} width */
  resize(width) {
    if (this.width > 0) this.width = width;
    this.chart?.resize(width, this.height);
    this.drawn = -1;
  }

  /** The chart is made when there is something to draw. True: it has been drawn, and is to be told. @param {Feed} feed @param {Range} range */
  draw(feed, range) {
    const raw = feed.traces.get(this.index);
    if (!raw || this.width === 0 || this.drawn === feed.version) return false;
    this.drawn = feed.version;
    this.chart ??= this.make();
    const found = feed.findings.get(this.index);
    this.trace = this.rate ? rateOf(raw) : raw;
    this.chart.draw({ trace: this.log ? positive(this.trace) : this.trace, range, gaps: feed.gaps, marks: feed.marks,
      found: found && this.shows(found) ? found : undefined });
    return true;
  }

  /** A counter is judged by its rate. @param {import('./verdict.js').Drift} found */
  shows(found) {
    return (found.kind === 'counter') === this.rate;
  }

  /** The figures above the chart, and the chart in words. @param {Feed} feed @param {Range} range */
  tell(feed, range) {
    showVerdict(this.finding, feed.findings.get(this.index));
    const seen = extent(this.trace ?? NONE, range);
    // The newest point may stand for many rows: while the view follows, the last row's own value is at hand.
    if (feed.view.kind !== 'range' && !this.rate) seen.latest = feed.run.column_info[this.index]?.last ?? seen.latest;
    this.latest = seen.latest;
    this.say(this.chart?.cursor()?.index ?? null);
    setAttribute(this.plot, 'aria-label', this.summary(seen, feed, range));
  }

  /** A drawing in place of the chart, which is as fine as a screen. @param {Feed} feed @param {Range} range */
  print(feed, range) {
    const raw = feed.traces.get(this.index);
    if (!raw) return;
    this.trace = this.rate ? rateOf(raw) : raw;
    this.tell(feed, range);
    const svg = svgOf({ title: this.column.name, about: '', unit: this.shownUnit, log: this.log, trace: this.trace, range, gaps: feed.gaps,
      marks: feed.marks, colours: theme }, PAPER);
    this.paper = document.importNode(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement, true);
    this.paper.classList.add('paper');
    this.plot.append(this.paper);
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
    const s = shown(v, this.shownUnit);
    setText(this.value, s.value);
    setText(this.unit, s.unit || scaleOf(this.shownUnit, 0).unit);
    const by = scaleOf(this.shownUnit, v ?? 0).by;
    setText(this.spread, at === null ? '' : spreadOf(this.trace?.min[at], this.trace?.max[at], by));
    setText(this.note, at === null ? '' : this.chart?.pointedAt() ?? '');
    this.node.classList.toggle('hover', at !== null);
  }

  /** What the chart shows, in words. @param {ReturnType<typeof extent>} seen @param {Feed} feed @param {Range} range */
  summary(seen, feed, range) {
    const { name } = this.column;
    const when = `${clock(range.from)} to ${clock(range.to)}`;
    if (seen.latest === null) return `${name}: no value from ${when}`;
    const lost = feed.gaps.reduce((n, g) => n + (g[1] > range.from && g[0] < range.to ? g[2] : 0), 0);
    const unit = this.shownUnit;
    const found = feed.findings.get(this.index);
    return `${name}: latest ${text(seen.latest, unit)}, least ${text(seen.min, unit)}, greatest ${text(seen.max, unit)}, from ${when}` +
      (lost > 0 ? `, ${number(lost)} rows lost` : '') + (this.finding.textContent && `, ${this.finding.dataset.verdict} by ${this.finding.textContent}`) +
      (found && this.shows(found) ? findingsNote(found) : '') +
      (this.rate && this.trace ? rateNote(this.trace) : '') +
      (this.log && (seen.min ?? 1) <= 0 ? ', values that are not above 0 are not drawn' : '');
  }
}

/** Only what drifts says so: most do not. @param {HTMLElement} node @param {import('./verdict.js').Drift | undefined} found */
function showVerdict(node, found) {
  const drifting = drifts(found) ? found : null;
  setText(node, drifting ? perHour(drifting.slope, drifting) : '');
  setAttribute(node, 'data-verdict', drifting && drifting.verdict);
  setAttribute(node, 'title', drifting && `${verdictWords(drifting)}. ${reason(drifting)}`);
}

/** @param {import('./verdict.js').Drift} found */
function findingsNote({ shifts, outliers }) {
  const rings = outliers.length > 0 ? `, ${outliers.length} ${outliers.length === 1 ? 'outlier' : 'outliers'} with a ring` : '';
  return rings + (shifts.length > 0 ? `, a new level ${shifts.length === 1 ? 'once' : `${shifts.length} times`}` : '');
}

/** @param {Trace} trace */
function rateNote({ time, rows }) {
  if (!rows.some((n) => n > 1)) return ', rate from row to row';
  return `, rate over ${duration((/** @type {number} */ (time.at(-1)) - /** @type {number} */ (time[0])) / time.length)} each`;
}

/** "1.1 … 9.2" where a point stands for several rows. @param {number | null | undefined} min
 *  @param {number | null | undefined} max @param {number} by */
function spreadOf(min, max, by) {
  if (min === null || min === undefined || max === null || max === undefined || min === max) return '';
  return `${number(min / by)} … ${number(max / by)}`;
}
