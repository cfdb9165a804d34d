// SPDX-License-Identifier: MIT OR Unlicense
// heat: which calls lie where, how much ink they get, and what is said of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellAt, cellWords, edgesIn, heatOf, inkOf, mostOf, partsIn, totalWords } from '../../web/heat.js';

const T = 1_800_000_000_000;
const histogram = { from: T, to: T + 40_000, width: 10_000, time: [T, T + 10_000, T + 30_000], columns: { work_mean: {
  unit: 's', edges: [0.001, 0.002, 0.004, 0.008, 0.016], cells: [[0, 90, 3, 10], [1, 1], [0, 50, 1, 25, 2, 25]], count: [100, 1, 100],
  mean: [0.002, 0.003, 0.003], p50: [0.0015, 0.003, 0.002], p90: [0.002, 0.003, 0.005], p99: [0.012, 0.003, 0.007], max: [0.015, 0.003, 0.0075],
  total: { count: 201, mean: 0.0025, p50: 0.0016, p90: 0.006, p99: 0.0125, p999: 0.015, min: 0.001, max: 0.0155 } } } };
const heat = heatOf(histogram, 'work_mean');

test('a column that has none is none, whatever it is called', () => {
  for (const name of ['other', '__proto__', 'constructor']) assert.equal(heatOf(histogram, name), null);
  assert.equal(heat.width, 10_000);
});

test('of a range those parts that touch it, and the edges of what is in them', () => {
  assert.deepEqual(partsIn(heat, { from: T + 5000, to: T + 10_001 }), [0, 1]);
  assert.deepEqual(partsIn(heat, { from: T + 20_000, to: T + 30_000 }), []);
  assert.deepEqual(edgesIn(heat, { from: T, to: T + 40_000 }), [0.001, 0.016]);
  assert.deepEqual(edgesIn(heat, { from: T + 10_000, to: T + 20_000 }), [0.002, 0.004]);
  for (const nothing of [edgesIn(null, { from: T, to: T + 1 }), edgesIn(heat, { from: 0, to: 1 })]) assert.ok(nothing[0] > 0 && nothing[1] > nothing[0]);
});

test('a place is a cell: its calls, those of its part, and those at or below it', () => {
  assert.deepEqual(cellAt(heat, T + 9999, 0.0085), { time: T, from: 0.008, to: 0.016, count: 10, of: 100, below: 100 });
  assert.deepEqual(cellAt(heat, T + 35_000, 0.003), { time: T + 30_000, from: 0.002, to: 0.004, count: 25, of: 100, below: 75 });
  assert.equal(cellAt(heat, T, 0.005).count, 0);
  for (const [time, value] of [[T + 25_000, 0.003], [T - 1, 0.003], [T, 0.0001], [T, 0.02]]) assert.equal(cellAt(heat, time, value), null);
  assert.equal(cellWords(cellAt(heat, T, 0.009), 's'), '8 ms … 16 ms: 10 of 100 calls (10 %), 100 % at or below');
});

test('ink grows with the share, a single call is seen, a part of one call does not outshine the others', () => {
  const most = mostOf(heat, [0, 0, 2, 2, 0, 2, 2, 2, 2, 1]);
  assert.equal(most, 0.9);
  assert.equal(inkOf(0, 100, most), 0);
  assert.ok(inkOf(1, 1e6, most) > 0.1);
  assert.ok(inkOf(10, 100, most) < inkOf(50, 100, most));
  assert.equal(inkOf(90, 100, most), 1);
  assert.equal(inkOf(1, 1, most), 1);
  assert.equal(mostOf(heat, []), 1);
});

test('the whole time is told in words', () => {
  assert.equal(totalWords(heat), 'p50 1.600 ms · p99 12.50 ms · p99.9 15 ms · greatest 15.50 ms · 201 calls');
  assert.equal(totalWords({ ...heat, total: { ...heat.total, count: 0 } }), 'no calls in this time');
});
