// SPDX-License-Identifier: MIT OR Unlicense
// heat: how long the calls of a function took, over time: which share of them in which bin. Pure.

import { number, text } from './format.js';

/** As the API describes it.
 *  @typedef {import('./model.js').Values} Values
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{count: number, mean: number | null, p50: number | null, p90: number | null, p99: number | null, p999: number | null,
 *    min: number | null, max: number | null}} Total
 *  @typedef {{unit: string, edges: number[], cells: number[][], count: number[], mean: Values, p50: Values, p90: Values, p99: Values,
 *    max: Values, total: Total}} Distribution
 *  @typedef {{from: number, to: number, width: number, time: number[], columns: Record<string, Distribution>}} Histogram */
/** One column's, with the times of its parts, each `width` ms long. @typedef {Distribution & {time: number[], width: number}} Heat
 *  @typedef {{time: number, from: number, to: number, count: number, of: number, below: number}} Cell `below`: calls at or below it */

const USUAL = 0.8;  // of the parts have no fuller bin than the one that gets all the ink
const LEAST = 0.12; // of the ink: a single call among thousands is seen

/** @param {Histogram} histogram @param {string} column @returns {Heat | null} */
export function heatOf({ time, width, columns }, column) {
  const found = Object.hasOwn(columns, column) ? columns[column] : undefined;
  return found ? { ...found, time, width } : null;
}

/** How much ink a cell gets. Parts hold calls of unequally many intervals: so by its share of its part, beside what counts as `most`;
 *  and by the root of that, since what is rare is what one looks for. @param {number} count @param {number} of @param {number} most */
export const inkOf = (count, of, most) => (count === 0 || of === 0 ? 0 : LEAST + (1 - LEAST) * Math.sqrt(Math.min(1, count / of / most)));

/** The share that gets all the ink: what the fullest bin of most parts has. (A part of few calls may have them all in one.)
 *  @param {Heat} heat @param {number[]} parts */
export function mostOf(heat, parts) {
  const fullest = parts.map((i) => {
    let most = 0;
    eachBin(heat.cells[i] ?? [], (_, count) => { most = Math.max(most, count); });
    return most / Math.max(1, heat.count[i] ?? 0);
  }).sort((a, b) => a - b);
  return fullest[Math.floor(fullest.length * USUAL)] || 1;
}

/** The pairs of a part. @param {number[]} cells @param {(bin: number, count: number) => void} each */
export function eachBin(cells, each) {
  for (let i = 0; i + 1 < cells.length; i += 2) each(/** @type {number} */ (cells[i]), /** @type {number} */ (cells[i + 1]));
}

/** The parts that touch a range. @param {Heat} heat @param {Range} range @returns {number[]} indices */
export const partsIn = ({ time, width }, { from, to }) => [...time.keys()].filter((i) => {
  const begin = /** @type {number} */ (time[i]);
  return begin + width > from && begin < to;
});

/** From the lowest to the highest edge of what has calls in the range. @param {Heat | null} heat @param {Range} range @returns {[number, number]} */
export function edgesIn(heat, range) {
  let [low, high] = [Infinity, -Infinity];
  if (heat) for (const i of partsIn(heat, range)) eachBin(heat.cells[i] ?? [], (bin) => {
    low = Math.min(low, bin);
    high = Math.max(high, bin);
  });
  const [least, most] = [heat?.edges[low] ?? 0, heat?.edges[high + 1] ?? 0];
  return least > 0 && most > least ? [least, most] : [1e-6, 1];
}

/** What lies at a time and a duration; null where there are no calls. @param {Heat} heat @param {number} time @param {number} value @returns {Cell | null} */
export function cellAt(heat, time, value) {
  const part = heat.time.findIndex((begin) => time >= begin && time < begin + heat.width);
  const at = heat.edges.findLastIndex((edge) => value >= edge);
  if (part < 0 || at < 0 || at + 1 >= heat.edges.length) return null;
  const cell = { time: heat.time[part] ?? 0, from: heat.edges[at] ?? 0, to: heat.edges[at + 1] ?? 0, count: 0, of: heat.count[part] ?? 0, below: 0 };
  eachBin(heat.cells[part] ?? [], (bin, count) => {
    if (bin === at) cell.count = count;
    if (bin <= at) cell.below += count;
  });
  return cell;
}

/** @param {number} part @param {number} of */
function percent(part, of) {
  const share = of > 0 ? part / of * 100 : 0;
  return `${share > 0 && share < 0.1 ? '< 0.1' : share >= 99.95 && part < of ? '> 99.9' : share.toFixed(share < 10 || (share > 99 && share < 100) ? 1 : 0)} %`;
}

/** "1 ms … 1.200 ms: 34 of 812 calls (4.2 %), 78 % at or below". @param {Cell} cell @param {string} unit */
export const cellWords = ({ from, to, count, of, below }, unit) =>
  `${edge(from, unit)} … ${edge(to, unit)}: ${number(count)} of ${number(of)} ${of === 1 ? 'call' : 'calls'} (${percent(count, of)}), ${percent(below, of)} at or below`;

/** Edges are round in no unit: three digits tell them apart. @param {number} v @param {string} unit */
const edge = (v, unit) => text(Number(v.toPrecision(3)), unit);

/** "p50 2.100 ms · p99 26 ms · p99.9 31 ms · greatest 40 ms · 12 345 calls". @param {Heat} heat */
export function totalWords({ total, unit }) {
  if (total.count === 0) return 'no calls in this time';
  const of = `${number(total.count)} ${total.count === 1 ? 'call' : 'calls'}`;
  return `p50 ${brief(total.p50, unit)} · p99 ${brief(total.p99, unit)} · p99.9 ${brief(total.p999, unit)} · greatest ${brief(total.max, unit)} · ${of}`;
}

/** No more digits than are known. @param {number | null} v @param {string} unit */
export const brief = (v, unit) => text(v === null ? null : Number(v.toPrecision(3)), unit);
