// SPDX-License-Identifier: MIT OR Unlicense
// rate: how fast a column grows, from its points. Pure.

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Values} Values */

/** Growth per second from each point to the next that has a value. Between two rows it is what they say. Where points
 *  stand for many rows it is the mean rate over a point's time: times its seconds, it adds up to just what was counted,
 *  at every zoom. How much it varied within a point is not known from them, so there is no band; a count that went
 *  down gives a negative rate. @param {Trace} trace @returns {Trace} */
export function rateOf({ time, rows, mean }) {
  /** @type {Values} */
  const rate = new Array(time.length).fill(null);
  let before = -1;
  mean.forEach((value, i) => {
    if (value === null) return;
    if (before >= 0) {
      const seconds = (/** @type {number} */ (time[i]) - /** @type {number} */ (time[before])) / 1000;
      if (seconds > 0) rate[i] = (value - /** @type {number} */ (mean[before])) / seconds;
    }
    before = i;
  });
  return { time, rows, mean: rate, min: rate, max: rate };
}

/** @param {string} unit */
export const perSecond = (unit) => `${unit}/s`;
