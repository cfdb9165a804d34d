// SPDX-License-Identifier: MIT OR Unlicense
// chart: one column drawn by uPlot: the mean as a line, least to greatest as a band, gaps shaded, marks labelled.

import { TIME_STEPS, logLabels, logRange, logTicks } from './axes.js';
import { drawBand, limits } from './band.js';
import { theme } from './colours.js';
import { axis, increments, timeAxis } from './format.js';
import { reduced, valueRange } from './model.js';
import { circleOutliers, drawShifts, wordsAt } from './findings.js';
import { FONT, drawMarks, gapsInView, nameGaps, shadeGaps } from './overlay.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{zoom: (range: Range) => void, reset: () => void, cursor: () => void}} Handlers
 *  @typedef {{unit: string, width: number, height: number, log: boolean}} Shape in CSS pixels
 *  @typedef {{trace: Trace | undefined, range: Range, gaps: import('./model.js').Gap[], marks: import('./model.js').Mark[],
 *    found?: import('./verdict.js').Drift | undefined}} Drawing */

const TOP = 15;      // where the labels of marks stand
const AXIS = 52;     // of values, left, at least; the label of the last tick may reach into the space on the right
const USUAL = 5;     // so many characters fit into that in any font
const GAP = 6;       // between its labels and the plot
const RIGHT = 18;
const TICK = 20;     // the least distance of two ticks of values
const LINE = 1;      // all that is thicker takes three times as long to draw without a graphics card
/** @type {Trace} */
export const NONE = { time: [], rows: [], mean: [], min: [], max: [] };

/** How wide the plot itself is in a chart of this width, with labels of the usual length. @param {number} width */
export const plotWidth = (width) => Math.max(50, width - AXIS - RIGHT);

/** @param {HTMLElement} place @param {Shape} shape @param {Handlers} on */
export function makeChart(place, shape, on) {
  /** @type {Drawing} */
  let now = { trace: undefined, range: { from: 0, to: 1 }, gaps: [], marks: [] };
  const u = new uPlot(options(shape, on, () => now), [[], []], place);
  return {
    /** @param {Drawing} drawing */
    draw(drawing) {
      now = drawing;
      const t = drawing.trace ?? NONE;
      u.batch(() => {
        u.setData([t.time, t.mean], false);
        // Whole milliseconds: uPlot's ticks are a millisecond off otherwise, and 15:04:59.999 reads as 15:04.
        u.setScale('x', { min: Math.floor(drawing.range.from), max: Math.ceil(drawing.range.to) });
      });
    },
    /** @param {number} width @param {number} height */
    resize: (width, height) => u.setSize({ width, height }),
    deselect: () => u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false),
    repaint: () => u.redraw(false),
    /** As wide as its axes leave room for. */
    align: () => u.redraw(true, true),
    cursor: () => cursorOf(u),
    /** What was found where the pointer is, in words. */
    pointedAt: () => wordsAt(u, now.found),
    destroy: () => u.destroy(),
  };
}

/** Where the cursor is: its time, and the point nearest to it. (uPlot's own cursor.idx may be that of older data.)
 *  @param {uPlot} u */
function cursorOf(u) {
  const left = u.cursor.left ?? -1;
  return left < 0 || !u.data[0]?.length ? null : { index: u.posToIdx(left), time: u.posToVal(left, 'x') };
}

/** @param {Shape} shape @param {Handlers} on @param {() => Drawing} now @returns {uPlot.Options} */
function options({ unit, width, height, log }, on, now) {
  /** A line must not run across rows that are missing. @type {uPlot.Series.GapsRefiner} */
  const gaps = (chart, _, __, ___, found) =>
    [...found, ...gapsInView(chart, now().gaps).map(([from, to]) => /** @type {[number, number]} */ ([from, to]))].sort((a, b) => a[0] - b[0]);
  /** @returns {[number, number]} */
  const values = () => {
    const { min, max } = limits(now().trace ?? NONE, now().range);
    return log ? logRange(min, max) : valueRange(min, max);
  };
  return {
    width,
    height,
    ms: 1,
    padding: [TOP, RIGHT, 0, 0],
    legend: { show: false },
    scales: { x: { time: true, auto: false }, y: { distr: log ? 3 : 1, range: values } },
    series: [{}, { stroke: () => theme.accent, width: LINE, points: { size: 4 }, gaps }],
    axes: [timeAxisOf(), log ? logAxisOf(unit) : valueAxisOf(unit)],
    cursor: cursor(on),
    hooks: {
      drawAxes: [(chart) => {
        const { trace, gaps: lost } = now();
        shadeGaps(chart, lost);
        if (trace && reduced(trace)) drawBand(chart, trace);
      }],
      draw: [(chart) => drawMarks(chart, now().marks), (chart) => nameGaps(chart, now().gaps),
        (chart) => drawShifts(chart, now().found), (chart) => circleOutliers(chart, now().found)],
      setCursor: [() => on.cursor()],
      setSelect: [(chart) => {
        const { left, width: wide } = chart.select;
        if (wide > 0) on.zoom({ from: chart.posToVal(left, 'x'), to: chart.posToVal(left + wide, 'x') });
      }],
    },
  };
}

/* ---- axes ---- */

const line = { stroke: () => theme.muted, font: FONT, ticks: { show: false }, grid: { stroke: () => theme.grid, width: 1 } };

/** @returns {uPlot.Axis} */
export const timeAxisOf = () => ({ ...line, size: 25, gap: 7, space: 68, values: timeLabels, incrs: TIME_STEPS });

/** @param {string} unit @returns {uPlot.Axis} */
const valueAxisOf = (unit) => ({
  ...line, size: roomOfLabels(), gap: GAP, space: TICK, values: (_, ticks) => axis(ticks, unit),
  incrs: (_, __, min, max) => increments(unit, Math.max(Math.abs(min), Math.abs(max))),
});

/** @param {string} unit @returns {uPlot.Axis} */
export const logAxisOf = (unit) => ({
  ...line, size: roomOfLabels(), gap: GAP, space: TICK, values: (_, ticks) => logLabels(ticks, unit), filter: (_, ticks) => ticks,
  splits: (u, _, min, max) => logTicks(min, max, unit, Math.floor(u.bbox.height / devicePixelRatio / TICK)),
});

/** How wide the axes of values are: as the longest label of any chart needs, so that the same time stands at the same place in charts
 *  below one another. They get no narrower while a run is shown: the plots stand still while rows arrive. */
const room = { width: AXIS };
export const axisWidth = () => room.width;
export const forgetAxes = () => { room.width = AXIS; };

/** @returns {uPlot.Axis.Size} */
export function roomOfLabels() {
  let most = USUAL; // characters that are known to have room
  return (u, labels) => {
    const longest = (labels ?? []).reduce((a, b) => (b && b.length > a.length ? b : a), '');
    if (longest.length <= most) return room.width;
    most = longest.length;
    u.ctx.save();
    u.ctx.font = FONT;
    room.width = Math.max(room.width, Math.ceil(u.ctx.measureText(longest).width) + GAP + 2);
    u.ctx.restore();
    return room.width;
  };
}

/** A label that would be cut off at the right edge is left out. @param {uPlot} u @param {number[]} ticks */
function timeLabels(u, ticks) {
  const { min = 0, max = 1 } = u.scales.x ?? {};
  const pixel = ((max ?? 1) - (min ?? 0)) / Math.max(1, u.bbox.width / devicePixelRatio);
  return timeAxis(ticks).map((label, i) => {
    const room = ((max ?? 1) - /** @type {number} */ (ticks[i])) / pixel + RIGHT;
    return label.length * 3.2 > room ? '' : label;
  });
}

/* ---- the cursor ---- */

/** Charts share the cursor's time, but only the one under the pointer takes a drag for a zoom; one with a modifier is
 *  a pan (gestures.js). @param {Handlers} on @returns {uPlot.Cursor} */
export function cursor(on) {
  return {
    y: false,
    points: { size: 7, width: 0, fill: () => theme.accent },
    drag: { x: true, y: false, setScale: false, dist: 4 },
    sync: { key: 'time', setSeries: false, scales: ['x', null], filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
    bind: {
      mousedown: (_, __, handle) => (event) => {
        if (!event.shiftKey && !event.altKey) handle(event);
        return null;
      },
      dblclick: () => () => {
        on.reset();
        return null;
      },
    },
  };
}
