// SPDX-License-Identifier: MIT OR Unlicense
// sides: fetches what a comparison needs of each run.

import { getDrift, getRun, getSeries } from './api.js';
import { zeroOf } from './comparison.js';

/** @typedef {import('./comparison.js').Side} Side
 *  @typedef {import('./model.js').Mark} Mark
 *  @typedef {import('./insightstate.js').Insight} Insight */

const VALUES = 60_000; // points times columns of a run's answer, about: a few hundred points of a hundred columns
const [LEAST, MOST] = [200, 1500];

/** The runs' marks, from an answer without columns. @param {string} id @param {AbortSignal} signal */
async function outline(id, signal) {
  const [run, series] = await Promise.all([getRun(id), getSeries(id, { from: null, to: null, points: MOST, columns: [] }, signal)]);
  return { run, marks: series.marks ?? [], begin: Math.min(run.started, series.time[0] ?? run.started) };
}

/** @param {string[]} ids @param {Pick<Insight, 'mark' | 'span'>} how @param {AbortSignal} signal
 *  @returns {Promise<{sides: Side[], marks: Mark[][]}>} */
export async function loadSides(ids, { mark, span }, signal) {
  const outlines = await Promise.all(ids.map((id) => outline(id, signal)));
  const sides = await Promise.all(outlines.map(async ({ run, marks, begin }) => {
    const zero = zeroOf(marks, mark, begin);
    const [from, to] = span ? span.map((ms) => zero + ms) : [null, null];
    const columns = run.columns.map((_, i) => i);
    const points = Math.max(LEAST, Math.min(MOST, Math.floor(VALUES / Math.max(1, columns.length))));
    const [series, drifts] = await Promise.all([getSeries(run.id, { from: from ?? null, to: to ?? null, points, columns }, signal),
      getDrift(run.id, from === null || from === undefined ? null : { from, to: /** @type {number} */ (to) }, signal)]);
    return { run, series, drifts: drifts.columns, zero, marked: marks.some((m) => m.text === mark) };
  }));
  return { sides, marks: outlines.map((o) => o.marks) };
}
