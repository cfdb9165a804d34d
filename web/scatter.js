// SPDX-License-Identifier: MIT OR Unlicense
// scatter: the points of two columns against each other, the later the lighter.

import { el, setAttribute, setText } from './dom.js';
import { axis, clock, date, number } from './format.js';
import { coefficient, ticksBetween } from './relation.js';

/** @typedef {import('./relation.js').Point} Point
 *  @typedef {{x: string, y: string, units: [string, string], points: Point[], r: number | null, n: number, changes: boolean}} Cloud */

const HEIGHT = 360, LEFT = 60, BOTTOM = 40, TOP = 12, RIGHT = 14; // CSS pixels
const WIDEST = 560;
const DOT = 2.4;
/** Cividis (Nuñez, Anderton & Renslow 2018), which all kinds of colour vision read as one rising scale. */
const TIMES = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];

/** @param {number} share 0 … 1 */
export function timeColour(share) {
  const at = Math.max(0, Math.min(1, share)) * (TIMES.length - 1);
  const i = Math.min(Math.floor(at), TIMES.length - 2);
  const [a = [], b = []] = [TIMES[i], TIMES[i + 1]];
  return `rgb(${a.map((from, k) => Math.round(from + (/** @type {number} */ (b[k]) - from) * (at - i))).join(' ')})`;
}

export function makeScatter() {
  const title = el('h3');
  const canvas = el('canvas', { role: 'img' });
  const [first, last] = [el('span'), el('span')];
  const legend = el('div', { class: 'scale clocks', 'aria-hidden': 'true' }, first, el('span', { class: 'ramp' }), last);
  const node = el('section', { class: 'scatter', hidden: '', 'aria-label': 'Scatter plot' }, title, canvas, legend);
  /** @type {Cloud | null} */
  let now = null;

  /** @param {Cloud | null} cloud */
  function render(cloud) {
    now = cloud;
    node.hidden = cloud === null;
    if (!cloud) return;
    const { points, changes } = cloud;
    const what = changes ? 'Changes of ' : '';
    const [from, to] = [points[0]?.time ?? 0, points.at(-1)?.time ?? 0];
    setText(title, `${what}${cloud.y} against ${cloud.x}, r = ${coefficient(cloud.r)}, n = ${number(cloud.n)}`);
    setAttribute(canvas, 'aria-label', `${title.textContent}. ${points.length} points from ${date(from)} ${clock(from)} to ${date(to)} ${clock(to)}.`);
    setText(first, clock(from));
    setText(last, clock(to));
    draw(canvas, cloud);
  }
  new ResizeObserver(() => now && draw(canvas, now)).observe(node);
  return { node, render, repaint: () => now && draw(canvas, now) };
}

/** @param {Point[]} points @param {'x' | 'y'} which @returns {[number, number]} with some air */
function extentOf(points, which) {
  const values = points.map((p) => p[which]);
  const min = values.reduce((a, b) => Math.min(a, b), Infinity);
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(min)) return [0, 1];
  const air = (max - min) * 0.04 || Math.abs(max) * 0.1 || 1;
  return [min - air, max + air];
}

/** @param {HTMLCanvasElement} canvas @param {Cloud} cloud */
function draw(canvas, { x, y, units, points }) {
  const width = Math.min(WIDEST, canvas.parentElement?.clientWidth ?? WIDEST);
  const ctx = canvas.getContext('2d');
  if (!ctx || width <= LEFT + RIGHT) return;
  canvas.width = width * devicePixelRatio;
  canvas.height = HEIGHT * devicePixelRatio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  ctx.scale(devicePixelRatio, devicePixelRatio);
  const [xs, ys] = [extentOf(points, 'x'), extentOf(points, 'y')];
  const box = { left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
  /** @param {number} v */
  const atX = (v) => box.left + (v - xs[0]) / (xs[1] - xs[0]) * box.width;
  /** @param {number} v */
  const atY = (v) => box.top + (ys[1] - v) / (ys[1] - ys[0]) * box.height;
  drawAxes(ctx, box, { name: x, unit: units[0], ticks: ticksBetween(...xs, Math.max(2, box.width / 90)), at: atX },
    { name: y, unit: units[1], ticks: ticksBetween(...ys, box.height / 50), at: atY });
  const [from, to] = [points[0]?.time ?? 0, points.at(-1)?.time ?? 1];
  for (const p of points) {
    ctx.fillStyle = timeColour((p.time - from) / Math.max(1, to - from));
    ctx.beginPath();
    ctx.arc(atX(p.x), atY(p.y), DOT, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** @typedef {{name: string, unit: string, ticks: number[], at: (v: number) => number}} Axis
 *  @param {CanvasRenderingContext2D} ctx @param {{left: number, top: number, width: number, height: number}} box
 *  @param {Axis} x @param {Axis} y */
function drawAxes(ctx, box, x, y) {
  const style = getComputedStyle(document.documentElement);
  ctx.font = '11px system-ui, sans-serif';
  ctx.strokeStyle = style.getPropertyValue('--chart-grid').trim();
  ctx.fillStyle = style.getPropertyValue('--chart-muted').trim();
  ctx.lineWidth = 1;
  ctx.textAlign = 'center';
  const foot = box.top + box.height;
  axis(x.ticks, x.unit).forEach((label, i) => {
    const at = Math.round(x.at(/** @type {number} */ (x.ticks[i]))) + 0.5;
    line(ctx, at, box.top, at, foot);
    ctx.fillText(label, at, foot + 15);
  });
  ctx.textAlign = 'right';
  axis(y.ticks, y.unit).forEach((label, i) => {
    const at = Math.round(y.at(/** @type {number} */ (y.ticks[i]))) + 0.5;
    line(ctx, box.left, at, box.left + box.width, at);
    ctx.fillText(label, box.left - 6, at + 4);
  });
  ctx.textAlign = 'center';
  ctx.fillText(named(x), box.left + box.width / 2, foot + 33, box.width);
  ctx.translate(11, box.top + box.height / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(named(y), 0, 0, box.height);
  ctx.rotate(Math.PI / 2);
  ctx.translate(-11, -(box.top + box.height / 2));
}

/** @param {Axis} a */
const named = ({ name, unit }) => (unit ? `${name}, ${unit}` : name);

/** @param {CanvasRenderingContext2D} ctx @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
