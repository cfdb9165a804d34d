// SPDX-License-Identifier: MIT OR Unlicense
// navigate: where a zoom or a pan leads. Pure.

/** @typedef {import('./model.js').Range} Range
 *  @typedef {import('./model.js').View} View */
/** What there is to see: the run's first and newest moment, ms; `live` if it goes on. @typedef {{first: number, last: number, live: boolean}} Bounds */

const LEAST = 10;      // ms across a chart
const ARRIVED = 0.005; // of the range: this near to the newest row means to follow it

/** The range `factor` times as long, with the moment `at` where it was on the screen. @param {Range} range @param {number} at
 *  @param {number} factor @param {Bounds} bounds @returns {Range} */
export function zoomed({ from, to }, at, factor, bounds) {
  const length = Math.min(Math.max((to - from) * factor, LEAST), Math.max(bounds.last - bounds.first, LEAST));
  const share = (Math.min(Math.max(at, from), to) - from) / (to - from);
  return within(at - length * share, length, bounds);
}

/** Moved by a share of its length. @param {Range} range @param {number} share @param {Bounds} bounds @returns {Range} */
export function panned({ from, to }, share, bounds) {
  return within(from + (to - from) * share, to - from, bounds);
}

/** Nobody gets lost in empty time before or after the run. @param {number} from @param {number} length @param {Bounds} bounds */
function within(from, length, { first, last }) {
  const at = Math.max(first, Math.min(from, last - length));
  return { from: at, to: at + length };
}

/** A range at the end of a run that goes on follows it; one that holds all of an ended run is all.
 *  @param {Range} range @param {Bounds} bounds @returns {View} */
export function viewOf({ from, to }, { first, last, live }) {
  const near = (to - from) * ARRIVED;
  const whole = from <= first + near && to >= last - near;
  if (whole) return { kind: 'all' };
  if (live && to >= last - near) return { kind: 'last', seconds: Math.round(to - from) / 1000 };
  const begin = Math.floor(from);
  return { kind: 'range', from: begin, to: Math.max(Math.ceil(to), begin + 1) };
}
