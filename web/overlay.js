// SPDX-License-Identifier: MIT OR Unlicense
// overlay: what a chart says beside its values: shaded gaps with the rows lost there, and marks as labelled lines.

import { theme } from './colours.js';
import { number } from './format.js';

/** @typedef {import('./model.js').Gap} Gap
 *  @typedef {import('./model.js').Mark} Mark
 *  @typedef {import('./uPlot.esm.js').default} uPlot */
/** Something at `x` that a label tells of; `more`: what else is so near that this label stands for it, too.
 *  @typedef {{x: number, text: string, count: number, more: number}} Labelled */

const SIZE = 11, FAMILY = 'system-ui, sans-serif'; // CSS pixels
export const FONT = `${SIZE}px ${FAMILY}`;          // uPlot scales whole pixels only
const AIR = 8;                                      // CSS pixels between two labels
const LONGEST = 28;                                 // characters of a mark

/** Labels from left to right that cover neither one another nor the edges: one without room is counted by the one before.
 *  @param {Labelled[]} items by x @param {{left: number, right: number, air: number, align: 0 | 0.5}} room `align`: which part of
 *  a label stands at its x @param {(item: Labelled) => number} widthOf @returns {(Labelled & {at: number})[]} `at`: its left edge */
export function placeLabels(items, { left, right, air, align }, widthOf) {
  /** @type {(Labelled & {at: number})[]} */
  const placed = [];
  let free = left;
  for (const item of items) {
    const width = widthOf(item);
    const at = Math.max(left, Math.min(item.x - width * align, right - width));
    const before = placed.at(-1);
    if (before && at < free) {
      before.count += item.count;
      before.more += 1 + item.more;
      free = Math.max(free, before.at + widthOf(before) + air);
    } else {
      placed.push({ ...item, at });
      free = at + width + air;
    }
  }
  return placed;
}

/** The gaps in view, in canvas pixels. @param {uPlot} u @param {Gap[]} gaps @returns {[from: number, to: number, rows: number][]} */
export function gapsInView(u, gaps) {
  const { min, max } = /** @type {{min: number, max: number}} */ (u.scales.x);
  return gaps.filter(([from, to]) => to > min && from < max)
    .map(([from, to, rows]) => [u.valToPos(from, 'x', true), u.valToPos(to, 'x', true), rows]);
}

/** Below the lines of the values. @param {uPlot} u @param {Gap[]} gaps */
export function shadeGaps(u, gaps) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = theme.gap;
  for (const [from, to] of gapsInView(u, gaps)) {
    const x = Math.max(left, from);
    u.ctx.fillRect(x, top, Math.max(1, Math.min(left + width, to) - x), height);
  }
  u.ctx.restore();
}

/** How many rows are missing, in each gap's foot. @param {uPlot} u @param {Gap[]} gaps */
export function nameGaps(u, gaps) {
  const seen = gapsInView(u, gaps);
  if (seen.length === 0) return;
  const { ctx, bbox: { left, top, width, height } } = u;
  const right = left + width;
  /** @param {Labelled} item */
  const text = (item) => `${number(item.count)} lost`;
  begin(u, theme.lost);
  const items = seen.map(([from, to, count]) => ({ x: (Math.max(left, from) + Math.min(right, to)) / 2, text: '', count, more: 0 }));
  const room = { left, right, air: AIR * devicePixelRatio, align: /** @type {0.5} */ (0.5) };
  for (const item of placeLabels(items, room, (it) => ctx.measureText(text(it)).width)) {
    outlined(ctx, text(item), item.at, top + height - 4 * devicePixelRatio);
  }
  ctx.restore();
}

/** Lines, with labels above the plot. @param {uPlot} u @param {Mark[]} marks */
export function drawMarks(u, marks) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const right = left + width;
  const seen = marks.map(({ time, text, count }) => ({ x: Math.round(u.valToPos(time, 'x', true)), text, count, more: count - 1 }))
    .filter(({ x }) => x >= left && x <= right);
  if (seen.length === 0) return;
  begin(u, theme.mark);
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  for (const { x } of seen) {
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
  }
  ctx.stroke();
  /** @param {Labelled} item */
  const text = (item) => clip(item.text) + (item.more > 0 ? ` +${item.more}` : '');
  const room = { left, right, air: AIR * devicePixelRatio, align: /** @type {0} */ (0) };
  for (const item of placeLabels(seen, room, (it) => ctx.measureText(text(it)).width)) {
    ctx.fillText(text(item), item.at, top - 4 * devicePixelRatio);
  }
  ctx.restore();
}

/** @param {uPlot} u @param {string} colour */
function begin({ ctx }, colour) {
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${SIZE * devicePixelRatio}px ${FAMILY}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
}

/** Readable across a line. @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y */
function outlined(ctx, text, x, y) {
  ctx.save();
  ctx.strokeStyle = theme.ground;
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.lineJoin = 'round';
  ctx.strokeText(text, x, y);
  ctx.restore();
  ctx.fillText(text, x, y);
}

/** @param {string} label */
const clip = (label) => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label);
