// SPDX-License-Identifier: MIT OR Unlicense
// overlaychart: one column of several runs in one chart, by the time since where they are laid on each other.

import { roomOfLabels } from './chart.js';
import { theme } from './colours.js';
import { traceFor } from './comparison.js';
import { axis, duration, increments } from './format.js';
import { valueRange } from './model.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./comparison.js').Side} Side */

const HEIGHT = 152, RIGHT = 18, TOP = 8;
const FONT = '11px system-ui, sans-serif';
const CHARACTER = 6.4; // pixels, about
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((m) => m * 60e3),
  ...[1, 2, 5, 10, 20, 50, 100].map((d) => d * 86400e3)];

/** The colour of a run in a comparison. @param {number} i */
export const seriesColour = (i) => getComputedStyle(document.documentElement).getPropertyValue(`--series-${i + 1}`).trim();

/** @param {HTMLElement} place @param {{name: string, unit: string, kind: 'gauge' | 'counter' | 'histogram'}} column @param {Side[]} sides
 *  @param {[number, number]} range ms @param {number} width @param {{zoom: (range: [number, number]) => void,
 *  point: (values: (number | null)[] | null, at: number) => void}} on `point`: of each run, under the cursor; null: it left */
export function makeOverlay(place, column, sides, range, width, on) {
  const unit = column.kind === 'counter' ? `${column.unit}/s` : column.unit;
  const tables = sides.map(({ series, zero }) => {
    const t = traceFor(series, column.name, column.kind === 'counter');
    return /** @type {uPlot.AlignedData} */ ([t.time.map((ms) => ms - zero), t.mean]);
  });
  const line = { stroke: () => theme.muted, font: FONT, ticks: { show: false }, grid: { stroke: () => theme.grid, width: 1 } };
  /** @type {uPlot.Options} */
  const options = {
    width, height: HEIGHT, padding: [TOP, RIGHT, 0, 0], legend: { show: false },
    scales: { x: { time: false, range: () => range }, y: { range: (_, min, max) => valueRange(min, max) } },
    series: [{}, ...sides.map((_, i) => ({ stroke: () => seriesColour(i), width: i === 0 ? 2 : 1.25, spanGaps: true, points: { show: false } }))],
    axes: [{ ...line, size: 25, gap: 7, space: 68, incrs: STEPS, values: timeLabels },
      { ...line, size: roomOfLabels(), gap: 6, space: 26, values: (_, ticks) => axis(ticks, unit),
        incrs: (_, __, min, max) => increments(unit, Math.max(Math.abs(min), Math.abs(max))) }],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 }, sync: { key: 'compared', setSeries: false, scales: ['x', null],
      filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } } },
    hooks: { setCursor: [(u) => {
      const left = u.cursor.left ?? -1;
      const at = u.posToVal(left, 'x');
      on.point(left < 0 ? null : tables.map((table) => nearest(table, at)), at);
    }], setSelect: [(u) => {
      const { left, width: wide } = u.select;
      if (wide > 0) on.zoom([Math.round(u.posToVal(left, 'x')), Math.round(u.posToVal(left + wide, 'x'))]);
    }] },
  };
  return new uPlot(options, uPlot.join(tables), place);
}

/** A label that would be cut off at the right edge is left out. @param {uPlot} u @param {number[]} ticks */
const timeLabels = (u, ticks) => ticks.map((ms) => {
  const label = elapsed(ms);
  const room = u.bbox.width / devicePixelRatio + RIGHT - u.valToPos(ms, 'x');
  return label.length * CHARACTER / 2 > room ? '' : label;
});

/** The value of the row that is nearest; none where the run has not begun, or is over. @param {uPlot.AlignedData} table @param {number} at */
function nearest([time, values], at) {
  if (time.length === 0 || at < /** @type {number} */ (time[0]) || at > /** @type {number} */ (time[time.length - 1])) return null;
  let [low, high] = [0, time.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (time[middle]) <= at) low = middle;
    else high = middle;
  }
  const closer = at - /** @type {number} */ (time[low]) < /** @type {number} */ (time[high]) - at ? low : high;
  return values?.[closer] ?? null;
}

/** "0", "+1 h 30 min", "−5 s". @param {number} ms */
export function elapsed(ms) {
  if (ms === 0) return '0';
  return `${ms < 0 ? '\u2212' : ''}${duration(Math.abs(ms)).replace(/ (min )?00 s$/, (_, min) => (min ? ' min' : '')).replace(/^(.* h) 0?0 min$/, '$1').replace(/^(.* d) 0 h$/, '$1')}`;
}
