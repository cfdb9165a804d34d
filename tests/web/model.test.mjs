// SPDX-License-Identifier: MIT OR Unlicense
// model: traces that grow, coarsen and end; ranges, groups, filters and choices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as m from '../../web/model.js';

const ALWAYS = { from: -Infinity, to: Infinity };
const series = (time, mean, more = {}) => ({ time, columns: { a: { mean, ...more } } });
const trace = (time, mean) => m.traceOf(series(time, mean), 'a');
const run = (id, state, started, more = {}) => ({
  id, app: 'app', state, started, last: started, rows: 0, lost: 0, interval: 1, columns: [], tags: {}, note: '', pinned: false, ...more,
});

test('a trace of single rows has its mean as extremes; a column that is not there has no values', () => {
  assert.deepEqual(trace([1, 2], [5, null]), { time: [1, 2], rows: [1, 1], mean: [5, null], min: [5, null], max: [5, null] });
  assert.deepEqual(m.traceOf(series([1], [5]), 'b').mean, [null]);
  assert.deepEqual(m.traceOf(series([1], [5]), 'toString').mean, [null]);
  const t = m.traceOf({ ...series([1], [5], { min: [4], max: [6] }), rows: [9] }, 'a');
  assert.deepEqual([t.rows, t.min, t.max], [[9], [4], [6]]);
});

test('a trace owns its arrays', () => {
  const s = series([1], [1]);
  m.append(m.traceOf(s, 'a'), trace([2], [2]), 0, ALWAYS);
  assert.deepEqual(s.time, [1]);
});

test('appending takes what is newer, once, and only what lies in the range', () => {
  const t = trace([10, 20], [1, 2]);
  m.append(t, trace([15, 20, 30, 40], [9, 9, 3, 4]), 0, ALWAYS);
  m.append(t, trace([30, 40, 50, 60], [9, 9, 5, 6]), 0, { from: 0, to: 50 });
  assert.deepEqual(t.time, [10, 20, 30, 40, 50]);
  assert.deepEqual(t.mean, [1, 2, 3, 4, 5]);
});

test('points that share a bucket become one, weighted by their rows', () => {
  const t = trace([100], [1]);
  m.append(t, { ...trace([103], [5]), rows: [3], min: [-7], max: [8] }, 10, ALWAYS);
  m.append(t, trace([110], [2]), 10, ALWAYS);
  assert.deepEqual(t, { time: [102.25, 110], rows: [4, 1], mean: [4, 2], min: [-7, 2], max: [8, 2] });
});

test('no value in a bucket gives way to one', () => {
  const t = trace([100], [null]);
  m.append(t, trace([101, 102], [3, null]), 10, ALWAYS);
  assert.deepEqual([t.mean, t.min, t.max, t.rows], [[3], [3], [3], [3]]);
});

test('coarsening keeps rows, extremes and the mean', () => {
  const n = 1000;
  const t = trace(Array.from({ length: n }, (_, i) => i), Array.from({ length: n }, (_, i) => (i * 37) % 101));
  const c = m.coarsen(t, 50);
  assert.equal(c.time.length, 20);
  assert.equal(c.rows.reduce((a, b) => a + b), n);
  assert.equal(Math.max(...c.max), Math.max(...t.max));
  assert.equal(Math.min(...c.min), Math.min(...t.min));
  const mean = c.mean.reduce((a, v, i) => a + v * c.rows[i], 0) / n;
  assert.ok(Math.abs(mean - t.mean.reduce((a, b) => a + b) / n) < 1e-9);
  assert.ok(c.time.every((x, i) => i === 0 || x > c.time[i - 1]));
});

test('trimming keeps the last point before the range, and works in batches', () => {
  const t = trace(Array.from({ length: 100 }, (_, i) => i), Array.from({ length: 100 }, (_, i) => i));
  m.trim(t, 50.5);
  assert.deepEqual([t.time[0], t.time.length, t.mean[0], t.rows.length], [50, 50, 50, 50]);
  m.trim(t, 52.5);
  assert.equal(t.time[0], 50, 'two points are not worth it');
  const empty = trace([], []);
  m.trim(empty, 5);
  assert.deepEqual(empty.time, []);
});

test('the extent is that of the range', () => {
  const t = trace([1, 2, 3, 4], [9, 5, null, 100]);
  assert.deepEqual(m.extent(t, { from: 1.5, to: 3 }), { latest: 5, min: 5, max: 5 });
  assert.deepEqual(m.extent(t, { from: 7, to: 8 }), { latest: null, min: null, max: null });
});

test('a value axis has a height and air, and starts at zero where the data comes near it', () => {
  for (const [min, max] of [[null, null], [0, 0], [5, 5], [-5, -5], [100, 101], [1, 100], [-3, -1], [NaN, 1]]) {
    const [a, b] = m.valueRange(min, max);
    assert.ok(b > a && (min === null || Number.isNaN(min) || (a <= min && b >= max)), `${min} ${max}`);
  }
  assert.equal(m.valueRange(1, 100)[0], 0);
  assert.equal(m.valueRange(-100, -1)[1], 0);
  assert.ok(m.valueRange(100, 101)[0] > 99);
});

test('ranges follow, or stand still', () => {
  assert.deepEqual(m.rangeOf({ kind: 'last', seconds: 10 }, 0, 60e3), { from: 50e3, to: 60e3 });
  assert.deepEqual(m.rangeOf({ kind: 'last', seconds: 100 }, 0, 60e3), { from: 0, to: 60e3 });
  assert.deepEqual(m.rangeOf({ kind: 'all' }, 5, 60e3), { from: 5, to: 60e3 });
  assert.deepEqual(m.rangeOf({ kind: 'all' }, 5, 5), { from: 5, to: 1005 });
  assert.deepEqual(m.rangeOf({ kind: 'range', from: 1, to: 2 }, 5, 60e3), { from: 1, to: 2 });
});

test('gaps and marks are taken once', () => {
  assert.deepEqual(m.mergeGaps([[1, 2, 3]], [[1, 2, 3], [5, 6, 1]]), [[1, 2, 3], [5, 6, 1]]);
  const a = { time: 1, text: 'a', count: 1 };
  const b = { time: 1, text: 'b', count: 1 };
  assert.deepEqual(m.mergeMarks([a], [a, b]), [a, b]);
});

test('the cursor tells of a mark near it, or of lost rows around it', () => {
  const gaps = [[100, 200, 10], [300, 310, 1]];
  const marks = [{ time: 150, text: 'a', count: 1 }, { time: 153, text: 'b', count: 3 }];
  const at = (time) => m.happened(gaps, marks, time, 3);
  assert.deepEqual([at(150), at(152), at(120), at(305), at(250)], ['a', 'b, and 2 more', '10 rows lost', '1 row lost', '']);
});

test('the usual run is the newest that lives, else the newest', () => {
  const of = (...runs) => m.usualRun([{ app: 'a', runs }])?.id;
  assert.equal(of(run('1', 'ended', 9), run('2', 'live', 5), run('3', 'live', 6)), '3');
  assert.equal(of(run('1', 'ended', 9), run('2', 'lost', 5)), '1');
  assert.equal(m.usualRun([]), null);
});
