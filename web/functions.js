// SPDX-License-Identifier: MIT OR Unlicense
// functions: what the profiled functions did in the range shown, from their columns. Pure.

import { extent } from './model.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./groups.js').Profiled} Profiled */
/** `calls` per second, `active` at the end, `mean` seconds a call, `p99` seconds, of all calls, or where there are no histograms the
 *  greatest of any interval; `trend`: seconds a call over time. Null: no call, or not reported.
 *  @typedef {{name: string, calls: number | null, active: number | null, mean: number | null, p99: number | null,
 *    trend: Trace}} Row
 *  @typedef {'name' | 'calls' | 'active' | 'mean' | 'p99'} Key */

/** What can be said of the calls between two moments: their number, and the seconds they took in all.
 *  @typedef {{time: number, hits: number, spent: number}} Sum */

/** The run's sums at each point that has them: hits, and hits times their average. @param {Trace} hits @param {Trace} average */
function sumsOf(hits, average) {
  /** @type {Sum[]} */
  const sums = [];
  hits.time.forEach((time, i) => {
    const n = hits.mean[i] ?? null;
    if (n !== null) sums.push({ time, hits: n, spent: n * (average.mean[i] ?? 0) });
  });
  return sums;
}

/** Seconds a call between two sums. @param {Sum} a @param {Sum} b */
const meanBetween = (a, b) => (b.hits > a.hits ? Math.max(0, (b.spent - a.spent) / (b.hits - a.hits)) : null);

/** @param {Profiled} it @param {Map<number, Trace>} traces by column; of the range @param {Range} range
 *  @param {number | null} [now] how many calls are under way, where a point may stand for many rows
 *  @param {import('./heat.js').Total} [total] of all calls in the range, where there are histograms @returns {Row} */
export function rowOf({ name, parts }, traces, range, now = null, total = undefined) {
  /** @param {string} part */
  const trace = (part) => traces.get(parts.get(part) ?? -1);
  const [hits, average, active, p99, mean] = ['hits', 'average_time', 'active_instances', 'p99', 'mean'].map(trace);
  const sums = hits && average ? sumsOf(hits, average).filter(({ time }) => time >= range.from && time <= range.to) : [];
  const [first, last] = [sums[0], sums.at(-1)];
  const known = first !== undefined && last !== undefined && last.time > first.time;
  return {
    name,
    calls: known ? (last.hits - first.hits) / (last.time - first.time) * 1000 : null,
    active: now ?? (active ? extent(active, range).latest : null),
    mean: total ? total.mean : known ? meanBetween(first, last) : null,
    p99: total ? total.p99 : p99 ? extent(p99, range).max : null,
    trend: mean ?? trendOf(sums),
  };
}

/** Where the program does not report what a call took in each interval. @param {Sum[]} sums @returns {Trace} */
function trendOf(sums) {
  const mean = sums.slice(1).map((sum, i) => meanBetween(/** @type {Sum} */ (sums[i]), sum));
  return { time: sums.slice(1).map(({ time }) => time), rows: mean.map(() => 1), mean, min: mean, max: mean };
}

/** The busiest, slowest … first, or by name; what has no value comes last. @param {Row[]} rows @param {Key} key @param {boolean} down */
export function sorted(rows, key, down) {
  return rows.slice().sort((a, b) => {
    const [x, y] = [a[key], b[key]];
    if (x === null || y === null) return x !== y ? (x === null ? 1 : -1) : a.name.localeCompare(b.name);
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return (down ? -order : order) || a.name.localeCompare(b.name);
  });
}

/** A line through the trend's values, as the path of an SVG `width` by `height`; it breaks where nothing is known.
 *  @param {Trace} trend @param {Range} range @param {number} width @param {number} height */
export function sparkline({ time, mean }, range, width, height) {
  const top = mean.reduce((a, v) => Math.max(a ?? 0, v ?? 0), 0) || 1;
  let pen = 'M';
  return time.map((t, i) => {
    const v = mean[i] ?? null;
    if (v === null) {
      pen = 'M';
      return '';
    }
    const x = (t - range.from) / (range.to - range.from) * width;
    const point = `${pen}${x.toFixed(1)} ${(height - 1 - v / top * (height - 2)).toFixed(1)}`;
    pen = 'L';
    return point;
  }).join('');
}
