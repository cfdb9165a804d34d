// SPDX-License-Identifier: MIT OR Unlicense
// relation: correlations and the points behind them, for the heat map and the scatter plot. Pure.

/** As the API describes it: row i has columns 0 … i.
 *  @typedef {{from: number, to: number, points: number, exact: boolean, differenced: boolean, columns: string[],
 *    r: (number | null)[][], n: number[][]}} Correlation
 *  @typedef {{x: number, y: number, time: number}} Point */

/** @param {Correlation} c @param {number} i @param {number} j @returns {{r: number | null, n: number}} */
export function pairOf(c, i, j) {
  const [row, column] = i >= j ? [i, j] : [j, i];
  return { r: c.r[row]?.[column] ?? null, n: c.n[row]?.[column] ?? 0 };
}

/** "0.97", "−0.31", "–": always as wide. @param {number | null} r */
export const coefficient = (r) => (r === null ? '–' : r.toFixed(2).replace('-', '\u2212'));

/** What a correlation of this size is called (Evans 1996). @param {number | null} r */
export function strength(r) {
  if (r === null) return 'not defined';
  const word = ['very weak', 'weak', 'moderate', 'strong', 'very strong'][Math.min(4, Math.floor(Math.abs(r) * 5))];
  return `${word}${Math.abs(r) < 0.2 ? '' : r > 0 ? ', the same way' : ', opposite ways'}`;
}

/** What the server correlates (server/API.md): of a counter its rate; with `changes`, from point to point.
 *  @param {number[]} time @param {(number | null)[]} values @param {boolean} counter @param {boolean} changes */
export function prepared(time, values, counter, changes) {
  const v = counter ? rates(time, values) : values;
  if (!changes) return v;
  return v.map((here, i) => {
    const before = i > 0 ? v[i - 1] ?? null : null;
    return here === null || before === null ? null : here - before;
  });
}

/** @param {number[]} time @param {(number | null)[]} values */
function rates(time, values) {
  let last = -1;
  return values.map((here, i) => {
    if (here === null) return null;
    const before = last;
    last = i;
    const rise = before < 0 ? -1 : here - /** @type {number} */ (values[before]);
    const seconds = before < 0 ? 0 : (/** @type {number} */ (time[i]) - /** @type {number} */ (time[before])) / 1000;
    return rise >= 0 && seconds > 0 ? rise / seconds : null;
  });
}

/** Where both have a value. @param {number[]} time @param {(number | null)[]} x @param {(number | null)[]} y @returns {Point[]} */
export function pointsOf(time, x, y) {
  /** @type {Point[]} */
  const points = [];
  time.forEach((t, i) => {
    const [a, b] = [x[i] ?? null, y[i] ?? null];
    if (a !== null && b !== null) points.push({ x: a, y: b, time: t });
  });
  return points;
}

/** The pairs that move together the most, for whoever does not see colours. @param {Correlation} c @param {number} count
 *  @returns {{x: string, y: string, r: number, n: number}[]} */
export function strongest(c, count) {
  const pairs = c.r.flatMap((row, i) => row.slice(0, i).map((r, j) => ({ x: /** @type {string} */ (c.columns[j]),
    y: /** @type {string} */ (c.columns[i]), r: r ?? 0, n: c.n[i]?.[j] ?? 0 })));
  return pairs.sort((a, b) => Math.abs(b.r) - Math.abs(a.r)).slice(0, count);
}

/** Round numbers between two values, about `count` of them. @param {number} min @param {number} max @param {number} count */
export function ticksBetween(min, max, count) {
  if (!(max > min)) return [min];
  const rough = (max - min) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * (/** @type {number} */ ([1, 2, 5, 10].find((m) => m * unit >= rough)));
  const ticks = [];
  for (let k = Math.ceil(min / step - 1e-9); k * step <= max + step * 1e-9; k++) ticks.push(k * step + 0); // not -0
  return ticks;
}
