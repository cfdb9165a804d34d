// SPDX-License-Identifier: MIT OR Unlicense
// functiontable: the profiled functions of a run, one a line, for the range shown; a click leads to a function's charts.

import { getHistogram, getHistogramNow, getSeries } from './api.js';
import { arrange, el, setAttribute, setText } from './dom.js';
import { number, text } from './format.js';
import { rowOf, sorted, sparkline } from './functions.js';
import { histogramsOf } from './groups.js';
import { brief, heatOf } from './heat.js';
import { asked, traceOf } from './model.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./functions.js').Row} Row
 *  @typedef {import('./functions.js').Key} Key
 *  @typedef {import('./groups.js').Profiled} Profiled */

const POINTS = 60;          // of each column: the trend is small
const AGAIN_MS = 2000;      // between two requests while the view follows a run that lives
const TREND = { width: 120, height: 20 };
const SVG = 'http://www.w3.org/2000/svg';
const PARTS = ['hits', 'average_time', 'active_instances', 'p99', 'mean']; // what the table is made of
/** @type {{key: Key, text: string, title: string}[]} */
const HEADS = [
  { key: 'name', text: 'Function', title: 'Its charts are below' },
  { key: 'calls', text: 'Calls/s', title: 'Calls per second, over the range shown' },
  { key: 'active', text: 'Active', title: 'Calls that were under way at the end of the range' },
  { key: 'mean', text: 'Mean', title: 'Time of a call, the mean of all in the range shown' },
  { key: 'p99', text: 'p99', title: '' },
];
const P99 = { whole: '99 % of all calls in the range shown took no longer', parts: 'The worst 99th percentile of any interval in the range' };

export class FunctionTable {
  /** @param {(name: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.key = /** @type {Key} */ ('calls');
    this.down = true;
    this.rows = /** @type {Row[]} */ ([]);
    /** @type {Map<string, ReturnType<typeof makeLine>>} */
    this.lines = new Map();
    /** Of all calls in the range, by column; none where the program sends no histograms. @type {Map<number, import('./heat.js').Total>} */
    this.totals = new Map();
    this.body = el('tbody');
    this.heads = HEADS.map((head) => this.head(head));
    this.trend = el('th', { scope: 'col', class: 'trend', text: 'Mean over time' });
    this.node = el('section', { class: 'functions', 'aria-label': 'Functions' }, el('h3', { text: 'Functions' }),
      el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {}, ...this.heads.map(({ node }) => node), this.trend)), this.body)));
    this.seen = false;
    new IntersectionObserver((entries) => { // what is not seen is not fetched
      this.seen = entries.at(-1)?.isIntersecting ?? false;
      if (this.seen && this.feed) this.render(this.feed, this.functions);
    }).observe(this.node);
    this.busy = /** @type {AbortController | null} */ (null);
    this.feed = /** @type {Feed | null} */ (null);
    this.functions = /** @type {Profiled[]} */ ([]);
    this.asked = { what: '', time: -Infinity };
  }

  /** @param {{key: Key, text: string, title: string}} head */
  head({ key, text: label, title }) {
    const button = el('button', { type: 'button', text: label, title });
    const node = el('th', { scope: 'col' }, button);
    button.addEventListener('click', () => {
      this.down = this.key === key ? !this.down : key !== 'name';
      this.key = key;
      this.draw();
    });
    return { key, node, button };
  }

  /** Fetches what is shown if that is out of date. @param {Feed} feed @param {Profiled[]} functions */
  render(feed, functions) {
    if (feed !== this.feed) this.rest();
    this.feed = feed;
    this.functions = functions;
    this.node.hidden = functions.length === 0;
    const what = `${feed.epoch} ${functions.length}`;
    const old = feed.view.kind !== 'range' && !feed.over && performance.now() - this.asked.time > AGAIN_MS;
    if (!this.seen || this.node.hidden || (what === this.asked.what && !old)) return;
    this.asked = { what, time: performance.now() };
    this.fetch(feed, functions);
  }

  rest() {
    this.busy?.abort();
    this.feed = null;
    this.asked.what = '';
    this.rows = [];
    this.totals = new Map();
  }

  /** @param {Feed} feed @param {Profiled[]} functions */
  async fetch(feed, functions) {
    this.busy?.abort();
    const busy = this.busy = new AbortController();
    const range = feed.range;
    const columns = functions.flatMap(({ parts }) => PARTS.flatMap((part) => parts.get(part) ?? []));
    const whole = wholeOf(feed, functions);
    try {
      const [series, histogram] = await Promise.all([
        getSeries(feed.run.id, { ...asked(feed.view, range), points: POINTS, columns }, busy.signal),
        whole.columns.length > 0 ? getHistogram(feed.run.id, whole, busy.signal) : null]);
      this.totals = totalsOf(feed, histogram, whole.columns);
      this.show(feed, functions, new Map(columns.map((c) => [c, traceOf(series, feed.run.columns[c] ?? '')])), range);
    } catch {
      // Stays as it is: the charts tell when the server is away, and the next render tries again.
      if (!busy.signal.aborted) this.asked.what = '';
    }
  }

  /** For paper, from what the charts have. @param {Feed} feed @param {Profiled[]} functions */
  print(feed, functions) {
    const whole = wholeOf(feed, functions);
    try {
      if (whole.columns.length > 0) this.totals = totalsOf(feed, getHistogramNow(feed.run.id, whole), whole.columns);
    } catch {
      // The server is away: what was known stays.
    }
    this.show(feed, functions, feed.traces, feed.range);
  }

  /** @param {Feed} feed @param {Profiled[]} functions @param {Map<number, import('./model.js').Trace>} traces by column
   *  @param {import('./model.js').Range} range */
  show(feed, functions, traces, range) {
    /** @param {Profiled} it */
    const now = ({ parts }) => (feed.view.kind === 'range' ? null : feed.run.column_info[parts.get('active_instances') ?? -1]?.last ?? null);
    /** @param {Profiled} it */
    const total = ({ parts }) => this.totals.get([...parts.values()].find((i) => this.totals.has(i)) ?? -1);
    this.rows = functions.map((it) => rowOf(it, traces, range, now(it), total(it)));
    this.range = range;
    this.draw();
  }

  draw() {
    for (const { key, node, button } of this.heads) {
      setAttribute(node, 'aria-sort', key !== this.key ? null : this.down ? 'descending' : 'ascending');
      if (key === 'p99') setAttribute(button, 'title', this.totals.size > 0 ? P99.whole : P99.parts);
    }
    const reports = this.rows.some(({ p99 }) => p99 !== null);
    this.node.classList.toggle('no-p99', !reports);
    arrange(this.body, sorted(this.rows, this.key, this.down).map((row) => {
      const line = this.lines.get(row.name) ?? makeLine(row.name, () => this.choose(row.name));
      this.lines.set(row.name, line);
      line.set(row, this.range ?? { from: 0, to: 1 });
      return line.node;
    }));
  }
}

/** How to ask for all calls in the range, as one part. @param {Feed} feed @param {Profiled[]} functions */
const wholeOf = (feed, functions) => ({ ...asked(feed.view, feed.range), points: 1, columns: histogramsOf(feed.run.column_info, functions) });

/** @param {Feed} feed @param {import('./heat.js').Histogram | null} histogram @param {number[]} columns
 *  @returns {Map<number, import('./heat.js').Total>} */
function totalsOf(feed, histogram, columns) {
  return new Map(columns.flatMap((c) => {
    const heat = histogram && heatOf(histogram, feed.run.columns[c] ?? '');
    return heat ? [[c, heat.total]] : [];
  }));
}

/** @param {string} name @param {() => void} choose */
function makeLine(name, choose) {
  const button = el('button', { type: 'button', text: `${name}()`, title: `Show the charts of ${name}()` });
  button.addEventListener('click', choose);
  const cells = { calls: el('td'), active: el('td'), mean: el('td'), p99: el('td') };
  const path = document.createElementNS(SVG, 'path');
  const trend = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${TREND.width} ${TREND.height}`, width: TREND.width, height: TREND.height,
    role: 'img', preserveAspectRatio: 'none' })) trend.setAttribute(key, String(value));
  trend.append(path);
  const node = el('tr', {}, el('th', { scope: 'row' }, button), ...Object.values(cells), el('td', { class: 'trend' }, trend));
  /** @param {Row} row @param {import('./model.js').Range} range */
  const set = (row, range) => {
    setText(cells.calls, row.calls === null ? '–' : number(Number(row.calls.toPrecision(4))));
    setText(cells.active, row.active === null ? '–' : number(Number(row.active.toPrecision(2))));
    setText(cells.mean, text(row.mean, 's'));
    setText(cells.p99, brief(row.p99, 's'));
    setAttribute(path, 'd', sparkline(row.trend, range, TREND.width, TREND.height));
    const values = row.trend.mean.filter((v) => v !== null);
    setAttribute(trend, 'aria-label', values.length === 0 ? 'no calls' :
      `mean from ${text(Math.min(...values), 's')} to ${text(Math.max(...values), 's')}, last ${text(values.at(-1), 's')}`);
  };
  return { node, set };
}
