// SPDX-License-Identifier: MIT OR Unlicense
// chart: one column drawn by uPlot: the mean as a line, least to greatest as a band, gaps shaded, marks labelled.

import { axis, increments, timeAxis } from './format.js';
import { reduced, valueRange } from './model.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, cursor: () => void}} Handlers
 *  @typedef {{trace: Trace | undefined, range: Range, gaps: import('./model.js').Gap[], marks: import('./model.js').Mark[]}} Drawing */

export const HEIGHT = 152;
const TOP = 15;      // where the labels of marks stand
const AXIS = 52;     // of values, left; the label of the last tick may reach into the space on the right
const RIGHT = 18;
const MAX = 1, MIN = 2, MEAN = 3;  // series, the last on top
const FONT = '11px system-ui, sans-serif';  // uPlot scales whole pixels only
/** Milliseconds between two ticks; uPlot knows months and years by these lengths. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * 60e3),
  ...[1, 2, 4, 8, 15, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * 86400e3),
];
/** @type {Trace} */
const NONE = { time: [], rows: [], mean: [], min: [], max: [] };

/** How wide the plot itself is in a chart of this width. @param {number} width */
export const plotWidth = (width) => Math.max(50, width - AXIS - RIGHT);

/** The colours of style.css; canvases know nothing of custom properties. */
export const theme = { accent: '', band: '', muted: '', grid: '', gap: '', mark: '' };
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of /** @type {(keyof typeof theme)[]} */ (Object.keys(theme))) {
    theme[name] = style.getPropertyValue(`--chart-${name}`).trim();
  }
}

/** @param {HTMLElement} place @param {string} unit @param {number} width @param {Handlers} on */
export function makeChart(place, unit, width, on) {
  /** @type {Drawing} */
  let now = { trace: undefined, range: { from: 0, to: 1 }, gaps: [], marks: [] };
  const u = new uPlot(options(unit, width, on, () => now), [[], [], [], []], place);
  return {
    /** @param {Drawing} drawing */
    draw(drawing) {
      now = drawing;
      const t = drawing.trace ?? NONE;
      u.batch(() => {
        u.setData([t.time, t.max, t.min, t.mean], false);
        showBand(u, reduced(t));
        // Whole milliseconds: uPlot's ticks are a millisecond off otherwise, and 15:04:59.999 reads as 15:04.
        u.setScale('x', { min: Math.floor(drawing.range.from), max: Math.ceil(drawing.range.to) });
      });
    },
    /** @param {number} w */
    resize: (w) => u.setSize({ width: w, height: HEIGHT }),
    deselect: () => u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false),
    repaint: () => u.redraw(false),
    cursor: () => cursorOf(u),
    destroy: () => u.destroy(),
  };
}

/** Where the cursor is: its time, and the point nearest to it. (uPlot's own cursor.idx may be that of older data.)
 *  @param {uPlot} u */
function cursorOf(u) {
  const left = u.cursor.left ?? -1;
  return left < 0 || !u.data[0]?.length ? null : { index: u.posToIdx(left), time: u.posToVal(left, 'x') };
}

/** @param {uPlot} u @param {boolean} show */
function showBand(u, show) {
  for (const i of [MAX, MIN]) if (u.series[i]?.show !== show) u.setSeries(i, { show }, false);
}

/** @param {string} unit @param {number} width @param {Handlers} on @param {() => Drawing} now @returns {uPlot.Options} */
function options(unit, width, on, now) {
  /** @type {uPlot.Series.GapsRefiner} */
  const gaps = (chart, _, __, ___, found) => found.concat(lineBreaks(chart, now().gaps)).sort((a, b) => a[0] - b[0]);
  const edge = { stroke: 'transparent', points: { show: false }, show: false, gaps };
  const line = { stroke: () => theme.muted, font: FONT, ticks: { show: false } };
  const grid = { stroke: () => theme.grid, width: 1 };
  return {
    width,
    height: HEIGHT,
    ms: 1,
    padding: [TOP, RIGHT, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, min, max) => valueRange(min, max) },
    },
    series: [{}, edge, edge, {
      stroke: () => theme.accent, width: 1.25, points: { size: 4 }, gaps,
    }],
    bands: [{ series: [MAX, MIN], fill: () => theme.band }],
    axes: [
      { ...line, grid, size: 25, gap: 7, space: 68, values: timeLabels, incrs: TIME_STEPS },
      { ...line, grid, size: AXIS, gap: 6, space: 26, values: (_, ticks) => axis(ticks, unit),
        incrs: (_, __, min, max) => increments(unit, Math.max(Math.abs(min), Math.abs(max))) },
    ],
    cursor: cursor(on),
    hooks: {
      drawAxes: [(chart) => shadeGaps(chart, now().gaps)],
      draw: [(chart) => drawMarks(chart, now().marks)],
      setCursor: [() => on.cursor()],
      setSelect: [(chart) => {
        const { left, width: wide } = chart.select;
        if (wide > 0) on.zoom({ from: chart.posToVal(left, 'x'), to: chart.posToVal(left + wide, 'x') });
      }],
    },
  };
}

/** A label that would be cut off at the right edge is left out. @param {uPlot} u @param {number[]} ticks */
function timeLabels(u, ticks) {
  const { min = 0, max = 1 } = u.scales.x ?? {};
  const pixel = ((max ?? 1) - (min ?? 0)) / plotWidth(u.width);
  return timeAxis(ticks).map((label, i) => {
    const room = ((max ?? 1) - /** @type {number} */ (ticks[i])) / pixel + RIGHT;
    return label.length * 3.2 > room ? '' : label;
  });
}

/** Charts share the cursor's time, but only the one under the pointer takes a drag for a zoom.
 *  @param {Handlers} on @returns {uPlot.Cursor} */
function cursor(on) {
  return {
    y: false,
    points: { size: (_, series) => (series === MEAN ? 7 : 0), width: 0, fill: () => theme.accent },
    drag: { x: true, y: false, setScale: false, dist: 4 },
    sync: { key: 'time', setSeries: false, scales: ['x', null], filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
    bind: {
      dblclick: () => () => {
        on.reset();
        return null;
      },
    },
  };
}

/** A line must not run across rows that are missing. @param {uPlot} u @param {import('./model.js').Gap[]} gaps
 *  @returns {[number, number][]} in canvas pixels */
function lineBreaks(u, gaps) {
  const { min, max } = /** @type {{min: number, max: number}} */ (u.scales.x);
  return gaps.filter(([from, to]) => to > min && from < max)
    .map(([from, to]) => [u.valToPos(from, 'x', true), u.valToPos(to, 'x', true)]);
}

/** @param {uPlot} u @param {import('./model.js').Gap[]} gaps */
function shadeGaps(u, gaps) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = theme.gap;
  for (const [from, to] of lineBreaks(u, gaps)) {
    const x = Math.max(left, from);
    u.ctx.fillRect(x, top, Math.max(1, Math.min(left + width, to) - x), height);
  }
  u.ctx.restore();
}

/** Lines, with labels above the plot; one is left out where it would cover the one before it.
 *  @param {uPlot} u @param {import('./model.js').Mark[]} marks */
function drawMarks(u, marks) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const ratio = devicePixelRatio;
  const seen = marks.map((m) => ({ ...m, x: Math.round(u.valToPos(m.time, 'x', true)) }))
    .filter((m) => m.x >= left && m.x <= left + width);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = theme.mark;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.font = FONT.replace('11', String(11 * ratio));
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  let free = left;
  for (const { x, text, count } of seen) {
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    const label = clip(count > 1 ? `${text} +${count - 1}` : text);
    const wide = ctx.measureText(label).width;
    const at = Math.min(x, left + width - wide);
    if (at < free) continue;
    ctx.fillText(label, at, top - 4 * ratio);
    free = at + wide + 8 * ratio;
  }
  ctx.restore();
}

/** @param {string} label */
const clip = (label) => (label.length > 28 ? `${label.slice(0, 27)}…` : label);
