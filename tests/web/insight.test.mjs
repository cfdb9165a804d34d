// SPDX-License-Identifier: MIT OR Unlicense
// What is said of drift, correlation and compared runs, from what the server answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareColumns, comparePassports, meanOf, moreThan, p99Of, quantile, runBefore, sharedMarks, traceFor, zeroOf } from '../../web/comparison.js';
import { coefficient, pairOf, pointsOf, prepared, strength, strongest, ticksBetween } from '../../web/relation.js';
import { byConcern, concerns, intervalWords, onChart, outlierWords, perHour, reason, shiftWords, spanWords, tally, verdictWords } from '../../web/verdict.js';

const drift = (more) => ({
  name: 'memory', unit: 'MB', kind: 'gauge', verdict: 'rising', points: 300, independent: 131.5, hours: 40, slope: 3.1, low: 2.94,
  high: 3.26, change: 124, level: 410, noise: 1.2, shifts: [], outliers_found: 0, outliers: [], ...more,
});

test('a verdict in words, with no more digits than are known', () => {
  assert.equal(verdictWords(drift()), '+3.1 MB/h over 40 h');
  assert.equal(verdictWords(drift({ verdict: 'falling', slope: -3.14159, hours: 50 })), '\u22123.1 MB/h over 2.1 d');
  assert.equal(verdictWords(drift({ verdict: 'steady' })), 'steady');
  assert.equal(verdictWords(drift({ verdict: 'unclear', slope: null })), 'unclear');
  for (const [slope, more, words] of [
    [0, {}, '0 MB/h'], [0.03, { unit: '' }, '+0.030/h'], [1234.5, { unit: '' }, '+1\u202f235/h'], [0.0005, { unit: 's' }, '+500 µs/h'],
    [2.5, { unit: '', kind: 'counter' }, '+2.5/s per h'], [-1500, { unit: 'B', kind: 'counter' }, '\u22121.5 KiB/s per h'], [1e-9, { unit: 'x' }, '+1.0e-9 x/h'],
  ]) assert.equal(perHour(slope, drift({ slope, ...more })), words);
  assert.equal(intervalWords(drift()), '+2.94 … +3.26');
  assert.equal(intervalWords(drift({ low: null })), '');
  assert.deepEqual([0.5 / 60, 0.5, 1, 10, 40.06, 47.9, 96].map(spanWords), ['30 s', '30 min', '1 h', '10 h', '40.1 h', '47.9 h', '4 d']);
});

test('why a verdict is as it is', () => {
  assert.match(reason(drift()), /^\+3\.1 MB\/h, 99 % sure within \+2\.94 … \+3\.26\. 300 values, worth 132 independent ones\.$/);
  assert.match(reason(drift({ points: 5, slope: null })), /^5 values are too few/);
  assert.match(reason(drift({ points: 0, slope: null })), /no value/);
  assert.match(reason(drift({ verdict: 'unclear', low: null })), /not sure at all.*look at more\.$/);
});

test('a chart shows the strongest findings, and none of the first minutes', () => {
  const outliers = [7, -30, 8, 12, -6.5].map((score, i) => ({ from: i, to: i + 1, value: 10 + score, usual: 10, score }));
  const shifts = [[1, 2], [5, 1], [2, 8], [8, 7.5]].map(([before, after], time) => ({ time, before, after }));
  const shown = onChart(drift({ outliers, shifts }));
  assert.deepEqual(shown.outliers.map(({ score }) => score), [-30, 12, 8]);
  assert.deepEqual(shown.shifts.map(({ time }) => time), [2, 1, 0]);
  assert.equal(onChart(drift({ outliers, shifts, hours: 0.07 })), undefined);
  assert.equal(outlierWords(drift(), outliers[3]), 'Outlier: 22 MB, usual here is 10 MB');
  assert.equal(shiftWords(drift({ unit: '', kind: 'counter' }), shifts[2]), 'New level: 2 /s before, 8 /s after');
});

test('what drifts comes first, the surest before the others', () => {
  const all = [drift({ name: 'a', verdict: 'steady' }), drift({ name: 'b', change: 2 }), drift({ name: 'c', verdict: 'unclear' }),
    drift({ name: 'd', verdict: 'falling', change: -50 }), drift({ name: 'e', verdict: 'steady', shifts: [{ time: 1, before: 8, after: 12 }] })];
  assert.deepEqual(byConcern(all).map((d) => d.name), ['d', 'b', 'e', 'a', 'c']);
  assert.equal(tally(all), 'Of 5 columns 2 drift, 1 went to another level, 1 is unclear, over 40 h.');
  assert.equal(tally([drift({ verdict: 'steady' })]), 'Of 1 column none drifts, over 40 h.');
});

test('pairs, strengths and the strongest of a correlation', () => {
  const c = { columns: ['a', 'b', 'c'], r: [[1], [-0.9, 1], [null, 0.35, 1]], n: [[9], [8, 9], [0, 7, 9]] };
  assert.deepEqual(pairOf(c, 0, 1), { r: -0.9, n: 8 });
  assert.deepEqual(pairOf(c, 1, 0), pairOf(c, 0, 1));
  assert.deepEqual(pairOf(c, 0, 2), { r: null, n: 0 });
  assert.deepEqual([-0.9, 0, 1, null].map(coefficient), ['\u22120.90', '0.00', '1.00', '–']);
  assert.deepEqual([-0.9, 0.1, 1, null, 0.5].map(strength), ['very strong, opposite ways', 'very weak', 'very strong, the same way', 'not defined', 'moderate, the same way']);
  assert.deepEqual(strongest(c, 2), [{ x: 'a', y: 'b', r: -0.9, n: 8 }, { x: 'b', y: 'c', r: 0.35, n: 7 }]);
});

test('the points of a pair are those that the server correlates', () => {
  const time = [0, 1000, 2000, 3000, 4000];
  assert.deepEqual(prepared(time, [1, 4, null, 2, 2], false, false), [1, 4, null, 2, 2]);
  assert.deepEqual(prepared(time, [1, 4, null, 2, 2], false, true), [null, 3, null, null, 0]);
  assert.deepEqual(prepared(time, [10, 20, null, 40, 5], true, false), [null, 10, null, 10, null]);
  assert.deepEqual(pointsOf(time, [1, null, 3, 4, 5], [1, 2, null, 4, 5]).map((p) => p.time), [0, 3000, 4000]);
  assert.deepEqual(ticksBetween(-0.3, 10.2, 5), [0, 5, 10]);
  assert.deepEqual(ticksBetween(3, 3, 5), [3]);
});

test('mean and percentile weigh a point by its rows; a percentile of reduced points is known within bounds', () => {
  assert.equal(meanOf([1, null, 4], [1, 5, 3]), 3.25);
  assert.equal(meanOf([null], [1]), null);
  const values = Array.from({ length: 100 }, (_, i) => i + 1);
  const one = values.map(() => 1);
  assert.equal(quantile(values, one, 0.99), 99);
  assert.equal(quantile([5, 1, null], [1, 99, 7], 0.99), 1);
  assert.equal(quantile([5, 1], [2, 98], 0.99), 5);
  assert.deepEqual(p99Of(values, values, one), [99, 99]);
  const rows = [10, 10];
  assert.deepEqual(p99Of([1, 2], [8, 9], rows), [2, 9]);
  assert.equal(p99Of([null], [null], [1]), null);
});

const run = (more) => ({
  id: 'x', app: 'a', state: 'ended', started: 0, last: 9000, rows: 3, lost: 0, interval: 1, columns: ['m', 'c'], tags: { branch: 'main' }, note: '',
  pinned: false, host: 'box', pid: 1, build: 'b1', args: './x', column_info: [{ name: 'm', unit: 'MB', kind: 'gauge' }, { name: 'c', unit: '', kind: 'counter' }], ...more,
});
const series = (m, c) => ({ time: m.map((_, i) => i * 1000), columns: { m: { mean: m }, ...(c && { c: { mean: c } }) } });

test('columns of several runs side by side, by name; a counter by its rate', () => {
  const other = run({ columns: ['m', 'new'], column_info: [{ name: 'm', unit: 'MB', kind: 'gauge' }, { name: 'new', unit: '', kind: 'gauge' }] });
  const rows = compareColumns([
    { run: run(), series: series([1, 2, 3], [5, 15, 25]), drifts: [drift({ name: 'm', slope: 7 })], zero: 0 },
    { run: other, series: { time: [0, 1000], columns: { m: { mean: [4, 4] }, new: { mean: [1, null] } } }, drifts: [], zero: 0 },
  ]);
  assert.deepEqual(rows.map((r) => r.name), ['m', 'c', 'new']);
  assert.equal(rows[0].figures[0].mean, 2);
  assert.equal(rows[0].figures[0].slope, 7);
  assert.equal(rows[0].figures[1].mean, 4);
  assert.equal(rows[0].figures[1].slope, null);
  assert.equal(rows[1].figures[0].mean, 10);
  assert.equal(rows[1].figures[1], null);
  assert.equal(rows[2].figures[0], null);
  assert.deepEqual(traceFor(series([1, 2], [5, 3]), 'c', true).mean, [null, null]);
  assert.deepEqual(traceFor(series([1, 2]), '__proto__', false).mean, [null, null]);
  assert.equal(moreThan(3, 2), 0.5);
  assert.equal(moreThan(-1, -2), 0.5);
  assert.equal(moreThan(1, 0), null);
});

test('runs are laid on each other by a mark that they share', () => {
  const marks = [[{ time: 5, text: 'warm', count: 1 }, { time: 9, text: 'warm', count: 1 }, { time: 3, text: 'own', count: 1 }], [{ time: 50, text: 'warm', count: 1 }]];
  assert.deepEqual(sharedMarks(marks.map((m) => ({ marks: m }))), ['warm']);
  assert.equal(zeroOf(marks[0], 'warm', 1), 5);
  assert.equal(zeroOf(marks[1], 'own', 40), 40);
  assert.equal(zeroOf(marks[0], null, 1), 1);
});

test('facts of runs: what differs is told from what does not; what none has is left out', () => {
  const facts = comparePassports([run(), run({ build: 'b2', tags: { branch: 'fix', '<b>': 'x' }, columns: ['m'] })]);
  const of = (name) => facts.find((f) => f.fact === name);
  assert.deepEqual(of('build'), { fact: 'build', values: ['b1', 'b2'], differs: true });
  assert.deepEqual(of('host'), { fact: 'host', values: ['box', 'box'], differs: false });
  assert.deepEqual(of('tag branch').values, ['main', 'fix']);
  assert.deepEqual(of('tag <b>').values, ['', 'x']);
  assert.deepEqual(of('columns of its own').values, ['c', '']);
  assert.equal(of('note'), undefined);
});

test('the run before is the last that the same application began earlier', () => {
  const all = [['a', 'app', 30], ['b', 'app', 10], ['c', 'other', 25], ['d', 'app', 20], ['e', 'app', 40]].map(([id, app, started]) => ({ id, app, started }));
  assert.equal(runBefore(all, 'a').id, 'd');
  assert.equal(runBefore(all, 'b'), undefined);
  assert.equal(runBefore(all, 'c'), undefined);
  assert.equal(runBefore(all, 'nowhere'), undefined);
});

test('columns that drift or went to another level are counted once each, but not of a program\u2019s first minutes', () => {
  const shift = { time: 1, before: 1, after: 2 };
  assert.equal(concerns([drift(), drift({ shifts: [shift, shift] }), drift({ verdict: 'steady', shifts: [shift] }), drift({ verdict: 'steady' }), drift({ verdict: 'unclear' })]), 3);
  assert.equal(concerns([drift({ hours: 0.05 })]), 0);
});
