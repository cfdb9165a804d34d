// SPDX-License-Identifier: MIT OR Unlicense
// comparison: several runs laid on each other, and what differs. Pure.

/** @typedef {import('./model.js').RunDetail} RunDetail
 *  @typedef {import('./model.js').Series} Series
 *  @typedef {import('./verdict.js').Drift} Drift
 *  @typedef {import('./model.js').Values} Values */

/** What is known of one of the runs: `series` and `drifts` of the time that is compared; `zero`: the moment that is laid on
 *  the others', ms. @typedef {{run: RunDetail, series: Series, drifts: Drift[], zero: number,
 *  marked: boolean}} Side `marked`: it has the mark that they are laid by */
/** Of one column of one run. `p99` lies between the two; slope per hour.
 *  @typedef {{mean: number | null, p99: [number, number] | null, slope: number | null, drift: Drift | undefined}} Figures
 *  @typedef {{name: string, unit: string, kind: 'gauge' | 'counter' | 'histogram', figures: (Figures | null)[]}} Row */

/** Labels of marks that more than one of the runs have, so that the runs can be laid on each other by them.
 *  @param {{marks: import('./model.js').Mark[]}[]} all @returns {string[]} */
export function sharedMarks(all) {
  /** @type {Map<string, number>} */
  const count = new Map();
  for (const { marks } of all) for (const text of new Set(marks.map((m) => m.text))) count.set(text, (count.get(text) ?? 0) + 1);
  return [...count].filter(([, n]) => n > 1).map(([text]) => text);
}

/** Where a run is laid on the others: its first such mark, or its beginning. @param {import('./model.js').Mark[]} marks
 *  @param {string | null} mark @param {number} begin */
export const zeroOf = (marks, mark, begin) => (mark === null ? begin : marks.find((m) => m.text === mark)?.time ?? begin);

/** What stands for a column in a comparison: its value, or a counter's rate per second, which begins at 0 in every run.
 *  @param {Series} series @param {string} name @param {boolean} counter
 *  @returns {{time: number[], mean: Values, min: Values, max: Values, rows: number[]}} */
export function traceFor(series, name, counter) {
  const c = Object.hasOwn(series.columns, name) ? series.columns[name] : undefined;
  const mean = c?.mean ?? series.time.map(() => null);
  const rows = series.rows ?? series.time.map(() => 1);
  if (!counter) return { time: series.time, mean, min: c?.min ?? mean, max: c?.max ?? mean, rows };
  const rate = rateOf(series.time, mean);
  return { time: series.time, mean: rate, min: rate, max: rate, rows };
}

/** @param {number[]} time @param {Values} values @returns {Values} */
function rateOf(time, values) {
  return values.map((here, i) => {
    const before = i > 0 ? values[i - 1] ?? null : null;
    const seconds = i > 0 ? (/** @type {number} */ (time[i]) - /** @type {number} */ (time[i - 1])) / 1000 : 0;
    return here === null || before === null || here < before || seconds <= 0 ? null : (here - before) / seconds;
  });
}

/** The mean of all rows. @param {Values} mean @param {number[]} rows */
export function meanOf(mean, rows) {
  let [sum, n] = [0, 0];
  mean.forEach((v, i) => {
    if (v === null) return;
    const weight = rows[i] ?? 1;
    sum += v * weight;
    n += weight;
  });
  return n > 0 ? sum / n : null;
}

/** The value that a share of the rows does not exceed, each value standing for its rows (the nearest-rank definition).
 *  @param {Values} values @param {number[]} rows @param {number} share */
export function quantile(values, rows, share) {
  const pairs = values.flatMap((v, i) => (v === null ? [] : [[v, rows[i] ?? 1]]));
  pairs.sort((a, b) => /** @type {number} */ (a[0]) - /** @type {number} */ (b[0]));
  const all = pairs.reduce((n, p) => n + /** @type {number} */ (p[1]), 0);
  let n = 0;
  for (const [v, weight] of /** @type {[number, number][]} */ (pairs)) {
    n += weight;
    if (n >= share * all - 1e-9) return v;
  }
  return null;
}

/** The 99th percentile of all rows cannot be read off points that stand for many; but a point's rows lie between its least
 *  and its greatest, so it lies between the percentiles of those. Both are the same where every point is a row.
 *  @param {Values} min @param {Values} max @param {number[]} rows @returns {[number, number] | null} */
export function p99Of(min, max, rows) {
  const [low, high] = [quantile(min, rows, 0.99), quantile(max, rows, 0.99)];
  return low === null || high === null ? null : [low, high];
}

/** A row for each column that any of the runs has, the first run's first. @param {Side[]} sides @returns {Row[]} */
export function compareColumns(sides) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  sides.forEach(({ run }) => run.column_info.forEach(({ name, unit, kind }) => {
    if (!rows.has(name)) rows.set(name, { name, unit, kind, figures: sides.map(() => null) });
  }));
  sides.forEach((side, i) => side.run.column_info.forEach(({ name, kind }) => {
    const row = /** @type {Row} */ (rows.get(name));
    const t = traceFor(side.series, name, kind === 'counter');
    const drift = side.drifts.find((d) => d.name === name);
    row.figures[i] = { mean: meanOf(t.mean, t.rows), p99: p99Of(t.min, t.max, t.rows), slope: drift?.slope ?? null, drift };
  }));
  return [...rows.values()];
}

/** How much more, as a share of the baseline; null where that says nothing. @param {number | null | undefined} v
 *  @param {number | null | undefined} base */
export function moreThan(v, base) {
  if (v === null || v === undefined || base === null || base === undefined || base === 0) return null;
  return (v - base) / Math.abs(base);
}

/** @param {number} ms */
const words = (ms) => (ms === 0 ? '' : String(ms));

/** What the runs say of themselves: a line a fact, its values, and whether they differ; first what may be a cause, then what came
 *  of it. @param {RunDetail[]} runs
 *  @returns {{fact: string, values: string[], differs: boolean}[]} */
export function comparePassports(runs) {
  /** @type {[fact: string, of: (r: RunDetail) => string][]} */
  const facts = [['application', (r) => r.app], ['build', (r) => r.build], ['command', (r) => r.args]];
  const tags = [...new Set(runs.flatMap((r) => Object.keys(r.tags)))];
  for (const tag of tags) facts.push([`tag ${tag}`, (r) => (Object.hasOwn(r.tags, tag) ? r.tags[tag] ?? '' : '')]);
  const everywhere = runs.map((r) => r.columns).reduce((all, names) => all.filter((name) => names.includes(name)));
  facts.push(['host', (r) => r.host], ['interval', (r) => (r.interval === null ? '' : `${r.interval} s`)],
    ['columns of its own', (r) => r.columns.filter((name) => !everywhere.includes(name)).join(', ')],
    ['state', (r) => r.state], ['rows', (r) => words(r.rows)], ['lost', (r) => words(r.lost)], ['note', (r) => r.note]);
  return facts.map(([fact, of]) => {
    const values = runs.map(of);
    return { fact, values, differs: new Set(values).size > 1 };
  }).filter(({ values }) => values.some((v) => v !== ''));
}

/** The run of the same application that began last before this one. @param {import('./model.js').Run[]} all @param {string | undefined} id */
export function runBefore(all, id) {
  const run = all.find((r) => r.id === id);
  return all.filter((r) => run && r.app === run.app && r.started < run.started)
    .reduce((/** @type {import('./model.js').Run | undefined} */ last, r) => (last && last.started >= r.started ? last : r), undefined);
}
