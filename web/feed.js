// SPDX-License-Identifier: MIT OR Unlicense
// feed: the data of the run that is shown. Fetches what is in view at the resolution of the screen, joins it with what
// the stream brings, and keeps what it has while the server is away.

import { Refusal, follow, getRun, getSeries, getSeriesNow } from './api.js';
import { append, asked, coarsen, mergeGaps, mergeMarks, rangeOf, traceOf, trim } from './model.js';

/** @typedef {import('./model.js').RunDetail} RunDetail
 *  @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').Series} Series
 *  @typedef {import('./model.js').View} View
 *  @typedef {import('./model.js').Trace} Trace */

const BATCH = 24;          // columns in one request: the first charts need not wait for the last
const MANY = 200;          // the same where nobody waits for the first
const SETTLE_MS = 1200;    // until rows that came before the stream's hello can be read (server/API.md)
const PATIENCE_MS = 500;   // with a request that was overtaken
const RETRY_MS = 2000;
const PACE_MS = { least: 200, most: 1000 }; // between two redraws as rows arrive; the longer one takes, the longer,
const PACE_COST = 28;                       // so many times as long: what follows a script's drawing takes several times as long again
const TAIL_POINTS = 4000;  // of the stream, kept to bridge the time until they can be read

export class Feed {
  /** @param {RunDetail} run @param {View} view @param {() => void} notify called when there is something new to show */
  constructor(run, view, notify) {
    this.run = run;
    this.view = view;
    this.away = /** @type {number | null} */ (null); // since when the server cannot be reached, ms
    this.behind = /** @type {boolean | null} */ (null); // what the stream says of the storage
    this.gone = false;       // the server lists this run no more; for a while it can still be read,
    this.unreadable = false; // but no longer
    /** @type {Map<number, Trace>} by column */
    this.traces = new Map();
    /** @type {import('./model.js').Gap[]} */
    this.gaps = [];
    /** @type {import('./model.js').Mark[]} */
    this.marks = [];
    /** What charts show of what was found of columns: where they drift, shifted, or were far off.
     *  @type {Map<number, import('./verdict.js').Drift | undefined>} */
    this.findings = new Map();
    this.first = Math.min(run.started, run.last);
    this.last = run.last;

    this.notify = notify;
    this.version = 0; // rises with each change that charts show
    this.shown = -Infinity; // when that was
    this.flowing = 0;       // timer: rows have come that are not shown yet
    this.cost = 0;          // of a redraw, ms, of late
    this.points = 600;
    this.wanted = /** @type {number[]} */ ([]);
    /** Rises when what was fetched is out of date; a column is up to date if it has the same number. */
    this.epoch = 0;
    this.fetched = /** @type {Map<number, number>} */ (new Map());
    this.busy = /** @type {AbortController | null} */ (null);
    this.begun = 0; // when that request was sent
    this.tail = /** @type {Series[]} */ ([]);
    this.timers = /** @type {Set<number>} */ (new Set());
    this.hangUp = /** @type {(() => void) | null} */ (null);
    this.closed = false;
    this.learning = false;
  }

  /** The range all charts show. */
  get range() {
    return rangeOf(this.view, this.first, this.last);
  }

  /** What there is to see. @returns {import('./navigate.js').Bounds} */
  get bounds() {
    return { first: this.first, last: Math.max(this.last, this.first + 1000), live: this.run.state === 'live' };
  }

  changed() {
    clearTimeout(this.flowing);
    this.flowing = 0;
    this.shown = performance.now();
    this.version++;
    this.notify();
  }

  /** New rows are shown as often as they make a difference: when they fill a pixel, but now and then in any case. */
  flowed() {
    if (this.flowing) return;
    const { from, to } = this.range;
    const pace = Math.min(Math.max((to - from) / this.points, PACE_MS.least, PACE_COST * this.cost), PACE_MS.most);
    this.flowing = window.setTimeout(() => this.changed(), Math.max(0, this.shown + pace - performance.now()));
  }

  /** All that is seen was drawn anew. @param {number} ms what that took */
  took(ms) {
    this.cost += (ms - this.cost) / 4;
  }

  /** True once the run has said its last word. (A silent one may go on.) */
  get over() {
    return this.run.state === 'ended' || this.run.state === 'crashed';
  }

  /** Opens the stream if the run may still say something. */
  listen() {
    if (this.hangUp || this.closed || this.over || this.unreadable) return;
    this.hangUp = follow(this.run.id, {
      hello: (run, again) => {
        this.away = null;
        this.take(run);
        if (again) this.refresh();
        this.later(SETTLE_MS, () => this.settle());
      },
      rows: (news) => this.grow(news),
      run: (run) => this.take(run),
      dropped: () => this.later(SETTLE_MS, () => this.refresh()),
      storage: ({ behind }) => {
        this.behind = behind;
        this.changed();
      },
      lost: () => {
        this.away ??= Date.now();
        this.changed();
        this.learn(); // the stream does not tell whether it is the server that is away or the run
      },
    });
  }

  /** Does not wait for the next attempt. */
  retry() {
    const { away } = this;
    this.rest();
    this.away = away;
    this.listen();
    this.refresh();
  }

  /** Lets the stream go, for as long as nobody looks. */
  rest() {
    this.hangUp?.();
    this.hangUp = null;
    this.away = null; // as far as anyone can tell
  }

  /** The server no longer has this run, or has it again. What was received stays. @param {boolean} gone */
  vanish(gone) {
    if (gone === this.gone) return;
    this.gone = gone;
    if (!gone && this.unreadable) {
      this.unreadable = false;
      this.refresh();
    }
    this.changed();
  }

  close() {
    this.closed = true;
    this.rest();
    this.busy?.abort();
    clearTimeout(this.flowing);
    this.timers.forEach((t) => clearTimeout(t));
  }

  /** @param {View} view */
  look(view) {
    this.view = view;
    this.refresh();
    this.changed();
  }

  /** Which columns are in view, and how many points fill a chart. @param {number[]} columns @param {number} points */
  want(columns, points) {
    this.wanted = columns;
    if (points > this.points * 1.3 || points < this.points / 2) {
      this.points = points;
      this.refresh();
    } else {
      this.pump();
    }
  }

  /** Fetches anew what is in view, and the rest when it comes into view. What was asked for just now is waited for, and shown
   *  meanwhile: a wheel turns faster than answers come, and nothing would be shown before it stood still. */
  refresh() {
    this.epoch++;
    if (this.busy && performance.now() - this.begun > PATIENCE_MS) {
      this.busy.abort();
      this.busy = null;
    }
    this.pump();
  }

  /** News of the run from the stream or the list. @param {Run} run */
  take(run) {
    const grown = run.columns.length !== this.run.columns.length;
    const turned = run.state !== this.run.state;
    Object.assign(this.run, run);
    this.advance(run.last);
    if (grown || turned) this.learn();
    if (turned) this.later(SETTLE_MS, () => this.settle());
    this.listen();
    if (grown || turned) this.changed();
    else this.notify();
  }

  /** What came around a turn of events can be read by now. */
  settle() {
    if (this.over) this.rest();
    this.refresh();
    this.learn();
  }

  /** Units, kinds and last values are told only by the run itself. */
  async learn() {
    if (this.learning || this.closed) return;
    this.learning = true;
    try {
      const run = await getRun(this.run.id);
      if (this.closed) return;
      Object.assign(this.run, run);
      this.changed();
    } catch (error) {
      if (!this.deleted(error)) this.later(RETRY_MS, () => this.learn());
    } finally {
      this.learning = false;
    }
  }

  /** A run that was deleted is asked for no more; what was received stays. @param {unknown} error */
  deleted(error) {
    if (!(error instanceof Refusal) || error.status !== 404) return false;
    this.unreadable = true;
    this.rest();
    this.vanish(true);
    return true;
  }

  /** @param {number} ms @param {() => void} what */
  later(ms, what) {
    const timer = window.setTimeout(() => {
      this.timers.delete(timer);
      if (!this.closed) what();
    }, ms);
    this.timers.add(timer);
  }

  /** @param {number | undefined} time */
  advance(time) {
    if (time !== undefined && time > this.last) this.last = time;
  }

  /** One request at a time, for the columns in view that are out of date. */
  pump() {
    if (this.busy || this.closed || this.unreadable) return;
    const columns = this.wanted.filter((c) => this.fetched.get(c) !== this.epoch).slice(0, BATCH);
    if (columns.length === 0) return;
    const what = { ...asked(this.view, this.range), points: this.points, columns };
    this.receive(columns, (signal) => getSeries(this.run.id, what, signal));
  }

  /** What was asked for before there was a feed. @param {import('./early.js').First} first */
  begin({ columns, points, series }) {
    this.points = points;
    this.receive(columns, () => series);
  }

  /** @param {number[]} columns @param {(signal: AbortSignal) => Promise<Series>} ask */
  async receive(columns, ask) {
    const busy = this.busy = new AbortController();
    const epoch = this.epoch;
    this.begun = performance.now();
    try {
      const series = await ask(busy.signal);
      if (busy.signal.aborted) return;
      this.busy = null;
      this.adopt(series, columns, epoch);
      if (!this.hangUp) this.away = null;
      this.changed();
      this.pump();
    } catch (error) {
      if (busy.signal.aborted) return;
      this.busy = null;
      if (this.deleted(error)) return;
      if (error instanceof Refusal) console.warn(error.message);
      else this.away ??= Date.now();
      this.changed();
      this.later(RETRY_MS, () => this.pump());
    }
  }

  /** Has all of these columns when it returns, unless the server is away. @param {number[]} columns */
  complete(columns) {
    const missing = columns.filter((c) => this.fetched.get(c) !== this.epoch);
    if (this.away !== null || this.unreadable) return;
    for (let i = 0; i < missing.length; i += MANY) {
      const some = missing.slice(i, i + MANY);
      try {
        this.adopt(getSeriesNow(this.run.id, { ...asked(this.view, this.range), points: this.points, columns: some }), some, this.epoch);
      } catch {
        return; // the stream, or the next request, tells what is wrong
      }
    }
  }

  /** @param {Series} series @param {number[]} columns @param {number} epoch when it was asked for */
  adopt(series, columns, epoch) {
    this.advance(series.time.at(-1));
    if (this.view.kind === 'all' && series.time.length > 0) this.first = Math.min(this.first, series.time[0] ?? this.first);
    this.gaps = series.gaps ?? [];
    this.marks = series.marks ?? [];
    for (const c of columns) {
      const name = this.run.columns[c];
      if (name === undefined) continue;
      this.traces.set(c, traceOf(series, name));
      this.fetched.set(c, epoch);
    }
    for (const news of this.tail) this.join(news, columns);
  }

  /** New rows from the stream. @param {Series} news */
  grow(news) {
    this.tail.push(news);
    let points = this.tail.reduce((n, s) => n + s.time.length, 0);
    while (points > TAIL_POINTS && this.tail.length > 1) points -= this.tail.shift()?.time.length ?? 0;
    this.advance(news.time.at(-1));
    this.join(news, [...this.traces.keys()]);
    for (const column of this.run.column_info) {
      const values = Object.hasOwn(news.columns, column.name) ? news.columns[column.name]?.mean : undefined;
      column.last = values?.findLast((v) => v !== null) ?? column.last;
    }
    this.flowed();
  }

  /** Appends to the traces of these columns, and keeps these as long as the screen is wide. @param {Series} news @param {number[]} columns */
  join(news, columns) {
    const range = this.range;
    const width = (range.to - range.from) / this.points;
    for (const c of columns) {
      const trace = this.traces.get(c);
      const name = this.run.columns[c];
      if (!trace || name === undefined) continue;
      append(trace, traceOf(news, name), width, this.view.kind === 'range' ? range : { from: -Infinity, to: Infinity });
      if (this.view.kind === 'last') trim(trace, range.from);
      if (trace.time.length > 2 * this.points) this.traces.set(c, coarsen(trace, width));
    }
    this.gaps = mergeGaps(this.gaps, news.gaps ?? []);
    this.marks = mergeMarks(this.marks, news.marks ?? []);
  }
}
