// SPDX-License-Identifier: MIT OR Unlicense
// band: from the least to the greatest value around a chart's line, so that no zoom hides a peak.

import { theme } from './colours.js';
import { extent } from './model.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./uPlot.esm.js').default} uPlot */

const WIDEST = 1.5; // of the usual distance of points: a point's part of the band does not reach into a gap

/** Each point's time from its least to its greatest value, as upright bars on whole pixels: a polygon would say the same,
 *  but filling it with smoothed edges took half of what a chart costs without a graphics card.
 *  @param {uPlot} u @param {Trace} trace */
export function drawBand(u, { time, min, max }) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const { min: from = 0, max: to = 1 } = /** @type {{min: number, max: number}} */ (u.scales.x);
  /** @param {number} t */
  const xOf = (t) => Math.round(left + (t - from) / (to - from) * width);
  const usual = (/** @type {number} */ (time.at(-1)) - /** @type {number} */ (time[0])) / Math.max(1, time.length - 1);
  ctx.fillStyle = theme.band;
  for (let i = 0; i < time.length; i++) {
    const [low, high, t] = [min[i] ?? null, max[i] ?? null, /** @type {number} */ (time[i])];
    if (low === null || high === null || low === high) continue;
    const before = Math.min(t - (time[i - 1] ?? t - usual), usual * WIDEST) / 2;
    const after = Math.min((time[i + 1] ?? t + usual) - t, usual * WIDEST) / 2;
    const x = Math.max(left, xOf(t - before));
    const right = Math.min(left + width, xOf(t + after));
    if (right <= x) continue;
    const y = Math.max(top, Math.round(u.valToPos(high, 'y', true)));
    ctx.fillRect(x, y, right - x, Math.min(top + height, Math.round(u.valToPos(low, 'y', true))) - y);
  }
}

/** The least and greatest value to be seen; of the points on either side where the range lies between two.
 *  @param {Trace} trace @param {Range} range @returns {{min: number | null, max: number | null}} */
export function limits(trace, range) {
  const inside = extent(trace, range);
  if (inside.min !== null) return inside;
  const after = trace.time.findIndex((t) => t > range.to);
  const near = after > 0 ? { from: trace.time[after - 1] ?? 0, to: trace.time[after] ?? 0 } : range;
  return extent(trace, near);
}
