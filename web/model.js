// SPDX-License-Identifier: MIT OR Unlicense
// model: the page's state and what may be computed from it, without DOM, network or clock.

/** As the API describes them.
 *  @typedef {'live' | 'ended' | 'crashed' | 'lost'} State
 *  @typedef {{name: string, unit: string, kind: 'gauge' | 'counter' | 'histogram', last: number | null}} Column
 *  @typedef {{id: string, app: string, state: State, started: number, last: number, rows: number, lost: number,
 *    interval: number | null, columns: string[], tags: Record<string, string>, note: string, pinned: boolean}} Run
 *  @typedef {Run & {host: string, pid: number | null, build: string, args: string, column_info: Column[]}} RunDetail
 *  @typedef {{app: string, runs: Run[]}} App
 *  @typedef {{note?: string, tags?: Record<string, string | null>, pinned?: boolean, deleted?: false}} Edit
 *  @typedef {{version: string, store: string, behind: boolean, waiting_bytes: number, rows_dropped: number,
 *    retain_seconds: number | null}} Status
 *  @typedef {(number | null)[]} Values
 *  @typedef {[from: number, to: number, rows: number]} Gap
 *  @typedef {{time: number, text: string, count: number}} Mark
 *  @typedef {{time: number[], rows?: number[], columns: Record<string, {mean: Values, min?: Values, max?: Values}>,
 *    gaps?: Gap[], marks?: Mark[]}} Series */

/** What the charts show: the newest seconds, everything, or a range (ms since the epoch) that stands still.
 *  @typedef {{kind: 'last', seconds: number} | {kind: 'all'} | {kind: 'range', from: number, to: number}} View
 *  @typedef {{from: number, to: number}} Range */

/** One column's points: columnar, rising in time; a point of n rows has their mean and extremes.
 *  @typedef {{time: number[], rows: number[], mean: Values, min: Values, max: Values}} Trace */

/** @param {Series} series @param {string} column @returns {Trace} */
export function traceOf(series, column) {
  const c = Object.hasOwn(series.columns, column) ? series.columns[column] : undefined;
  const mean = c ? c.mean : series.time.map(() => null);
  return {
    time: series.time.slice(),
    rows: series.rows ? series.rows.slice() : series.time.map(() => 1),
    mean: mean.slice(),
    min: (c?.min ?? mean).slice(),
    max: (c?.max ?? mean).slice(),
  };
}

/** @param {number | null} a @param {number | null} b @param {(a: number, b: number) => number} join */
const both = (a, b, join) => (a === null ? b : b === null ? a : join(a, b));

/** Adds a point to the end, or to the last point if both lie in the same `width` of time (ms; 0: never).
 *  @param {Trace} t @param {number} time @param {number} rows @param {number | null} mean @param {number | null} min
 *  @param {number | null} max @param {number} width */
function push(t, time, rows, mean, min, max, width) {
  const i = t.time.length - 1;
  const last = /** @type {number} */ (t.time[i]);
  if (i < 0 || !(width > 0) || Math.floor(last / width) !== Math.floor(time / width)) {
    t.time.push(time);
    t.rows.push(rows);
    t.mean.push(mean);
    t.min.push(min);
    t.max.push(max);
    return;
  }
  const before = /** @type {number} */ (t.rows[i]);
  const share = rows / (before + rows);
  t.time[i] = last + (time - last) * share;
  t.rows[i] = before + rows;
  t.mean[i] = both(t.mean[i] ?? null, mean, (a, b) => a + (b - a) * share);
  t.min[i] = both(t.min[i] ?? null, min, Math.min);
  t.max[i] = both(t.max[i] ?? null, max, Math.max);
}

/** Appends the points that are newer than what is there and inside of `within`.
 *  @param {Trace} t @param {Trace} news @param {number} width @param {Range} within */
export function append(t, news, width, within) {
  const newest = t.time.at(-1) ?? -Infinity;
  news.time.forEach((time, i) => {
    if (time <= newest || time < within.from || time > within.to) return;
    push(t, time, /** @type {number} */ (news.rows[i]), news.mean[i] ?? null, news.min[i] ?? null, news.max[i] ?? null, width);
  });
}

/** The same with at most one point in each `width` of time. @param {Trace} t @param {number} width @returns {Trace} */
export function coarsen(t, width) {
  /** @type {Trace} */
  const out = { time: [], rows: [], mean: [], min: [], max: [] };
  t.time.forEach((time, i) =>
    push(out, time, /** @type {number} */ (t.rows[i]), t.mean[i] ?? null, t.min[i] ?? null, t.max[i] ?? null, width));
  return out;
}

/** Drops what lies before `from`, all but the last such point: the line comes in from the left edge. Now and then only,
 *  since cutting an array's front costs its length. @param {Trace} t @param {number} from */
export function trim(t, from) {
  let cut = 0;
  while (cut + 1 < t.time.length && /** @type {number} */ (t.time[cut + 1]) < from) cut++;
  if (cut < 32 && cut * 8 < t.time.length) return;
  for (const column of /** @type {Values[]} */ ([t.time, t.rows, t.mean, t.min, t.max])) column.splice(0, cut);
}

/** Latest, least and greatest of what lies in the range. @param {Trace} t @param {Range} r */
export function extent(t, r) {
  /** @type {{latest: number | null, min: number | null, max: number | null}} */
  const e = { latest: null, min: null, max: null };
  t.time.forEach((time, i) => {
    if (time < r.from || time > r.to) return;
    e.latest = t.mean[i] ?? e.latest;
    e.min = both(e.min, t.min[i] ?? null, Math.min);
    e.max = both(e.max, t.max[i] ?? null, Math.max);
  });
  return e;
}

/** True if some point stands for several rows: then a band is worth drawing. @param {Trace} t */
export const reduced = (t) => t.rows.some((n) => n > 1);

/** The range of a value axis: some air around the data, and from zero where the data comes near it anyway.
 *  @param {number | null} min @param {number | null} max @returns {[number, number]} */
export function valueRange(min, max) {
  if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  if (min === max) {
    if (min === 0) return [0, 1];
    const air = Math.max(Math.abs(min) * 0.1, Number.isInteger(min) ? 1 : 0);
    return [min - air, max + air];
  }
  const air = (max - min) * 0.08;
  if (min >= 0 && min < (max - min) * 2) return [0, max + air];
  if (max <= 0 && -max < (max - min) * 2) return [min - air, 0];
  return [min - air, max + air];
}

/** @param {View} view @param {number} first the run's first moment, ms @param {number} last its newest @returns {Range} */
export function rangeOf(view, first, last) {
  if (view.kind === 'range') return { from: view.from, to: view.to };
  const to = Math.max(last, first + 1000);
  return { from: view.kind === 'all' ? first : Math.max(first, to - view.seconds * 1000), to };
}

/** What of a run to fetch for a view: open to the newest row while following; null: from the first, to the last.
 *  @param {View} view @param {Range} range that of the view @returns {{from: number | null, to: number | null}} */
export function asked(view, { from, to }) {
  if (view.kind === 'range') return { from, to };
  return { from: view.kind === 'all' ? null : from, to: null };
}

/** @param {View} a @param {View} b */
export const sameView = (a, b) => JSON.stringify(a, Object.keys(a).sort()) === JSON.stringify(b, Object.keys(b).sort());

/** @param {State} state @returns {View} */
export const usualView = (state) => (state === 'live' ? { kind: 'last', seconds: 600 } : { kind: 'all' });

/** What was known and what is new, each once, by time. @param {Gap[]} known @param {Gap[]} news @returns {Gap[]} */
export function mergeGaps(known, news) {
  const until = known.reduce((t, g) => Math.max(t, g[1]), -Infinity);
  return [...known, ...news.filter((g) => g[0] >= until)].sort((a, b) => a[0] - b[0]);
}

/** @param {Mark[]} known @param {Mark[]} news @returns {Mark[]} */
export function mergeMarks(known, news) {
  const seen = new Set(known.map((m) => `${m.time} ${m.text}`));
  return [...known, ...news.filter((m) => !seen.has(`${m.time} ${m.text}`))].sort((a, b) => a.time - b.time);
}

/** What happened where the cursor points: a mark within `reach` ms, or the rows lost there.
 *  @param {Gap[]} gaps @param {Mark[]} marks @param {number} time @param {number} reach @returns {string} */
export function happened(gaps, marks, time, reach) {
  const gap = gaps.find((g) => time > g[0] && time < g[1]);
  const near = marks.filter((m) => Math.abs(m.time - time) <= reach);
  const mark = near.sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0];
  if (mark) return mark.count > 1 ? `${mark.text}, and ${mark.count - 1} more` : mark.text;
  return gap ? `${gap[2]} ${gap[2] === 1 ? 'row' : 'rows'} lost` : '';
}

/** What to show when nothing is asked for: the newest live run, else the newest. @param {App[]} apps @returns {Run | null} */
export function usualRun(apps) {
  const runs = apps.flatMap((a) => a.runs).sort((a, b) => b.started - a.started);
  return runs.find((r) => r.state === 'live') ?? runs[0] ?? null;
}
