// SPDX-License-Identifier: MIT OR Unlicense
// axes: the steps of a time axis, where the ticks of a logarithmic one stand, and the lengths of value axes. Pure.

import { axis, increments } from './format.js';

/** @typedef {import('./model.js').Trace} Trace */

/** Milliseconds between two ticks; uPlot knows months and years by these lengths. */
export const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * 60e3),
  ...[1, 2, 4, 8, 15, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * 86400e3),
];

/** Which of the round values are ticks, the finest first. Among 1, 2, 5, 10 … each third is a power of ten, … */
const TENS = [1, 3, 6, 12, 24, 60];
const TWOS = [1, 2, 5, 10, 20, 30]; // … among powers of two each tenth is called KiB, MiB …

/** At most `most` round values between the two, each a tick; evenly spread ones where the axis is too short for that.
 *  @param {number} min @param {number} max both > 0 @param {string} unit @param {number} most @returns {number[]} */
export function logTicks(min, max, unit, most) {
  const round = increments(unit, max);
  for (const stride of round[2] === 4 * /** @type {number} */ (round[0]) ? TWOS : TENS) {
    const ticks = round.filter((value, i) => i % stride === 0 && value >= min && value <= max);
    if (stride === 1 && ticks.length < 2) return evenTicks(min, max, round, most);
    if (ticks.length <= most) return ticks;
  }
  return [min, max];
}

/** @param {number} min @param {number} max @param {number[]} steps @param {number} most */
function evenTicks(min, max, steps, most) {
  const step = steps.find((s) => (max - min) / s <= most) ?? max - min;
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Each tick in the unit that suits it: they may be powers apart. @param {number[]} ticks @param {string} unit */
export const logLabels = (ticks, unit) => ticks.map((tick) => axis([tick], unit)[0] ?? '');

/** Some air around the data. @param {number | null} min @param {number | null} max both > 0, or null @returns {[number, number]} */
export function logRange(min, max) {
  if (min === null || max === null || !(min > 0) || !Number.isFinite(max)) return [1, 10];
  const air = Math.max((max / min) ** 0.06, 1.02);
  return [min / air, max * air];
}

/** What a logarithmic axis can show of a trace. A point with values on both sides of zero keeps those above: its band
 *  then reaches down to the least of all. @param {Trace} trace @returns {Trace} */
export function positive(trace) {
  const least = [...trace.mean, ...trace.min].reduce((a, v) => (v !== null && v > 0 && (a === null || v < a) ? v : a), null);
  /** @param {number | null} v */
  const above = (v) => (v !== null && v > 0 ? v : null);
  const max = trace.max.map(above);
  const min = trace.min.map((v, i) => above(v) ?? (max[i] === null ? null : least));
  return { ...trace, mean: trace.mean.map(above), min, max };
}
