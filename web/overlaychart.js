// SPDX-License-Identifier: MIT OR Unlicense
// overlaychart: one column of several runs in one chart, by the time since where they are laid on each other.

import { theme } from './colours.js';
import { traceFor } from './comparison.js';
import { axis, duration, increments } from './format.js';
import { valueRange } from './model.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./comparison.js').Side} Side */

const HEIGHT = 152, LEFT = 52, RIGHT = 18, TOP = 8;
const FONT = '11px system-ui, sans-serif';
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((m) => m * 60e3),
  ...[1, 2, 5, 10, 20, 50, 100].map((d) => d * 86400e3)];

/** The colour of a run in a comparison. @param {number} i */
export const seriesColour = (i) => getComputedStyle(document.documentElement).getPropertyValue(`--series-${i + 1}`).trim();

/** @param {HTMLElement} place @param {{name: string, unit: string, kind: 'gauge' | 'counter'}} column @param {Side[]} sides
 *  @param {[number, number]} range ms @param {number} width @param {(range: [number, number]) => void} zoom */
export function makeOverlay(place, column, sides, range, width, zoom) {
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
    axes: [{ ...line, size: 25, gap: 7, space: 68, incrs: STEPS, values: (_, ticks) => ticks.map(elapsed) },
      { ...line, size: LEFT, gap: 6, space: 26, values: (_, ticks) => axis(ticks, unit),
        incrs: (_, __, min, max) => increments(unit, Math.max(Math.abs(min), Math.abs(max))) }],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 }, sync: { key: 'compared', setSeries: false, scales: ['x', null],
      filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } } },
    hooks: { setSelect: [(u) => {
      const { left, width: wide } = u.select;
      if (wide > 0) zoom([Math.round(u.posToVal(left, 'x')), Math.round(u.posToVal(left + wide, 'x'))]);
    }] },
  };
  return new uPlot(options, uPlot.join(tables), place);
}

/** "0", "+1 h 30 min", "−5 s". @param {number} ms */
export function elapsed(ms) {
  if (ms === 0) return '0';
  return `${ms < 0 ? '\u2212' : ''}${duration(Math.abs(ms)).replace(/ (min )?00 s$/, (_, min) => (min ? ' min' : '')).replace(/^(.* h) 0?0 min$/, '$1').replace(/^(.* d) 0 h$/, '$1')}`;
}
