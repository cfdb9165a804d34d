// SPDX-License-Identifier: MIT OR Unlicense
// heatchart: the calls of a function drawn by uPlot: time to the right, how long they took upwards, on a logarithmic axis; the more
// of a part's calls took so long, the more ink. Over it the median and the 99th percentile.

import { cursor, logAxisOf, timeAxisOf } from './chart.js';
import { theme } from './colours.js';
import { eachBin, edgesIn, inkOf, mostOf, partsIn } from './heat.js';
import { drawMarks, nameGaps, shadeGaps } from './overlay.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./heat.js').Heat} Heat
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {{heat: Heat | null, range: Range, gaps: import('./model.js').Gap[], marks: import('./model.js').Mark[]}} Drawing */

const TOP = 15, RIGHT = 18; // as the other charts: their times stand below one another

/** @param {HTMLElement} place @param {{width: number, height: number, unit: string}} shape CSS pixels
 *  @param {import('./chart.js').Handlers} on */
export function makeHeatChart(place, { width, height, unit }, on) {
  /** @type {Drawing} */
  let now = { heat: null, range: { from: 0, to: 1 }, gaps: [], marks: [] };
  const line = { width: 1, stroke: () => theme.ink, points: { show: false } };
  const u = new uPlot({
    width, height, ms: 1, padding: [TOP, RIGHT, 0, 0], legend: { show: false },
    scales: { x: { time: true, auto: false }, y: { distr: 3, range: () => edgesIn(now.heat, now.range) } },
    series: [{}, line, { ...line, dash: [4, 3] }],
    axes: [timeAxisOf(), logAxisOf(unit)],
    cursor: { ...cursor(on), points: { show: false } },
    hooks: {
      drawAxes: [(chart) => {
        shadeGaps(chart, now.gaps);
        if (now.heat) drawCells(chart, now.heat, now.range);
      }],
      draw: [(chart) => drawMarks(chart, now.marks), (chart) => nameGaps(chart, now.gaps)],
      setCursor: [() => on.cursor()],
      setSelect: [(chart) => {
        const { left, width: wide } = chart.select;
        if (wide > 0) on.zoom({ from: chart.posToVal(left, 'x'), to: chart.posToVal(left + wide, 'x') });
      }],
    },
  }, [[], [], []], place);
  return {
    /** @param {Drawing} drawing */
    draw(drawing) {
      now = drawing;
      const { heat, range } = drawing;
      u.batch(() => {
        u.setData(heat ? [heat.time.map((t) => t + heat.width / 2), heat.p50, heat.p99] : [[], [], []], false);
        u.setScale('x', { min: Math.floor(range.from), max: Math.ceil(range.to) });
      });
    },
    /** @param {number} wide @param {number} high */
    resize: (wide, high) => u.setSize({ width: wide, height: high }),
    deselect: () => u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false),
    repaint: () => u.redraw(false),
    align: () => u.redraw(true, true),
    destroy: () => u.destroy(),
    canvas: u.ctx.canvas,
    /** The time under the shared cursor; the value only where the pointer is over this chart. */
    cursor() {
      const { left = -1, top = -1 } = u.cursor;
      return left < 0 ? null : { time: u.posToVal(left, 'x'), value: u.over.matches(':hover') && top >= 0 ? u.posToVal(top, 'y') : null };
    },
  };
}

/** @param {uPlot} u @param {Heat} heat @param {Range} range */
function drawCells(u, heat, range) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const rows = heat.edges.map((edge) => Math.round(u.valToPos(edge, 'y', true)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = theme.accent;
  const parts = partsIn(heat, range);
  const most = mostOf(heat, parts);
  for (const i of parts) {
    const begin = /** @type {number} */ (heat.time[i]);
    const [x, end] = [begin, begin + heat.width].map((t) => Math.round(u.valToPos(t, 'x', true)));
    eachBin(heat.cells[i] ?? [], (bin, count) => {
      const [below = 0, above = 0] = [rows[bin], rows[bin + 1]];
      ctx.globalAlpha = inkOf(count, heat.count[i] ?? 0, most);
      ctx.fillRect(x ?? 0, above, Math.max(1, (end ?? 0) - (x ?? 0)), Math.max(1, below - above));
    });
  }
  ctx.restore();
}
