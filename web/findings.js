// SPDX-License-Identifier: MIT OR Unlicense
// findings: what was found of a column, on its chart: levels to either side of a shift, rings around what was far off.

import { theme } from './colours.js';
import { outlierWords, shiftWords } from './verdict.js';

/** @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {import('./uPlot.esm.js').default} uPlot */

const REACH = 24, OFF = 5; // CSS pixels: how long a level is drawn to either side of a shift, and how far from the line
const RING = 5;             // CSS pixels

/** @param {uPlot} u @param {Drift | undefined} found */
export function drawShifts(u, found) {
  if (!found || found.shifts.length === 0) return;
  const { ctx, bbox: { left, width } } = u;
  const px = devicePixelRatio;
  begin(u, 0);
  ctx.beginPath();
  for (const { time, before, after } of found.shifts) {
    const x = u.valToPos(time, 'x', true);
    if (x < left || x > left + width) continue;
    const down = after < before ? px : -px; // canvases count downwards
    const [from, to] = [u.valToPos(before, 'y', true) - OFF * down, u.valToPos(after, 'y', true) + OFF * down];
    ctx.moveTo(x - REACH * px, from);
    ctx.lineTo(x, from);
    ctx.moveTo(x, to);
    ctx.lineTo(x + REACH * px, to);
  }
  ctx.stroke();
  ctx.restore();
}

/** @param {uPlot} u @param {Drift | undefined} found */
export function circleOutliers(u, found) {
  if (!found || found.outliers.length === 0) return;
  const { ctx, bbox: { left, width } } = u;
  begin(u, RING + 1); // a ring at the edge is a whole one
  for (const { from, to, value } of found.outliers) {
    const x = u.valToPos((from + to) / 2, 'x', true);
    if (x < left || x > left + width) continue;
    ctx.beginPath();
    ctx.arc(x, u.valToPos(value, 'y', true), RING * devicePixelRatio, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.restore();
}

/** What the ring or the bars are that the pointer is at, if it is over this chart; '' for none. @param {uPlot} u
 *  @param {Drift | undefined} found */
export function wordsAt(u, found) {
  const left = u.cursor.left ?? -1;
  if (!found || left < 0 || !u.over.matches(':hover')) return '';
  /** @param {number} time */
  const off = (time) => Math.abs(u.valToPos(time, 'x') - left);
  const near = [
    ...found.outliers.map((o) => ({ off: off((o.from + o.to) / 2), reach: 2 * RING, words: outlierWords(found, o) })),
    ...found.shifts.map((s) => ({ off: off(s.time), reach: REACH, words: shiftWords(found, s) })),
  ].filter((it) => it.off <= it.reach);
  return near.sort((a, b) => a.off - b.off)[0]?.words ?? '';
}

/** Nothing is drawn beside the plot, and `air` around it. @param {uPlot} u @param {number} air CSS pixels */
function begin({ ctx, bbox: { left, top, width, height } }, air) {
  const more = air * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left - more, top - more, width + 2 * more, height + 2 * more);
  ctx.clip();
  ctx.strokeStyle = theme.lost;
  ctx.lineWidth = 2 * devicePixelRatio;
}
