// SPDX-License-Identifier: MIT OR Unlicense
// navigate, rate, axes, overlay: what charts show of a run, computed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLabels, logRange, logTicks, positive } from '../../web/axes.js';
import { axis, text } from '../../web/format.js';
import { coarsen } from '../../web/model.js';
import { panned, viewOf, zoomed } from '../../web/navigate.js';
import { placeLabels } from '../../web/overlay.js';
import { rateOf } from '../../web/rate.js';

const bounds = { first: 1000, last: 101000, live: true };
const trace = (time, mean, more = {}) => ({ time, rows: time.map(() => 1), mean, min: mean, max: mean, ...more });

test('a zoom keeps the moment it is about where it is, and ends at the run', () => {
  assert.deepEqual(zoomed({ from: 20000, to: 40000 }, 25000, 0.5, bounds), { from: 22500, to: 32500 });
  assert.deepEqual(zoomed({ from: 20000, to: 40000 }, 25000, 100, bounds), { from: 1000, to: 101000 });
  assert.deepEqual(zoomed({ from: 91000, to: 101000 }, 91000, 2, bounds), { from: 81000, to: 101000 });
  assert.deepEqual(zoomed({ from: 20000, to: 20010 }, 20005, 0.001, bounds), { from: 20000, to: 20010 });
});

test('a pan stops at both ends', () => {
  assert.deepEqual(panned({ from: 20000, to: 40000 }, 0.25, bounds), { from: 25000, to: 45000 });
  assert.deepEqual(panned({ from: 20000, to: 40000 }, -3, bounds), { from: 1000, to: 21000 });
  assert.deepEqual(panned({ from: 20000, to: 40000 }, Infinity, bounds), { from: 81000, to: 101000 });
});

test('at the end of a live run a view follows; one of everything is all; else it stands still, in whole ms', () => {
  assert.deepEqual(viewOf({ from: 41000, to: 101000 }, bounds), { kind: 'last', seconds: 60 });
  assert.deepEqual(viewOf({ from: 1000, to: 101000 }, bounds), { kind: 'all' });
  assert.deepEqual(viewOf({ from: 41000, to: 101000 }, { ...bounds, live: false }), { kind: 'range', from: 41000, to: 101000 });
  assert.deepEqual(viewOf({ from: 41000.2, to: 50000.2 }, bounds), { kind: 'range', from: 41000, to: 50001 });
});

test('a rate adds up to what was counted, however coarse the points are', () => {
  const n = 1000;
  const time = Array.from({ length: n }, (_, i) => i * 100 + (i % 3));
  const count = Array.from({ length: n }, (_, i) => i * 7 + (i % 11));
  for (const width of [0, 500, 5000]) {
    const points = width ? coarsen(trace(time, count), width) : trace(time, count);
    const rate = rateOf(points);
    const total = rate.mean.reduce((sum, r, i) => sum + (r ?? 0) * (points.time[i] - (points.time[i - 1] ?? 0)) / 1000, 0);
    assert.ok(Math.abs(total - (points.mean.at(-1) - points.mean[0])) < 1e-6, String(width));
    assert.equal(rate.mean[0], null);
    assert.equal(rate.min, rate.mean, 'no band: how it varied within a point is not known');
  }
});

test('a rate spans rows without a value, and shows a count that goes down as it is', () => {
  assert.deepEqual(rateOf(trace([0, 1000, 2000, 3000, 3000], [10, null, 30, 20, 99])).mean, [null, null, 10, -10, null]);
  assert.deepEqual(rateOf(trace([], [])).mean, []);
});

test('units per second scale as the units do', () => {
  for (const [value, unit, expected] of [[2048, 'B/s', '2 KiB/s'], [0.25, 's/s', '250 ms/s'], [0.5, 'MB/s', '0.5000 MB/s'], [3, '/s', '3 /s'],
    [3, 'count/s', '3 /s'], [3, 'jobs/s', '3 jobs/s'], [1e6, 'kB/s', '1 GB/s']]) assert.equal(text(value, unit), expected);
  assert.deepEqual(axis([0, 1024], 'B/s'), ['0', '1 KiB']);
});

test('ticks of a logarithmic axis are round, few, and told apart', () => {
  for (const [min, max, unit, most, expected] of [
    [1, 100, '', 4, [1, 10, 100]],
    [1, 100, '', 8, [1, 2, 5, 10, 20, 50, 100]],
    [1e-6, 1e6, '', 5, [1e-4, 1, 1e4]],
    [1, 2 ** 30, 'B', 5, [1, 2 ** 10, 2 ** 20, 2 ** 30]],
    [42, 48, '', 4, [42, 44, 46, 48]],
    [40, 60, '', 5, [40, 45, 50, 55, 60]],
  ]) {
    const ticks = logTicks(min, max, unit, most);
    assert.ok(ticks.length <= most, `${ticks}`);
    assert.deepEqual(ticks, expected);
  }
  for (let low = 1e-9; low < 1e9; low *= 3.7) {
    for (const wide of [1.1, 3, 40, 1e5, 1e12]) {
      const ticks = logTicks(low, low * wide, 's', 5);
      assert.ok(ticks.length >= 1 && ticks.length <= 5 && ticks.every((t) => t >= low * 0.999 && t <= low * wide * 1.001), `${low} ${wide}: ${ticks}`);
    }
  }
  assert.deepEqual(logLabels([0.001, 1, 60], 's'), ['1 ms', '1 s', '1 min']);
  assert.deepEqual(logLabels([1, 1000, 1e6], ''), ['1', '1000', '1M']);
});

test('a logarithmic axis has a height; what is not above zero is left out', () => {
  for (const [min, max] of [[null, null], [1, 1], [1e-9, 1e9], [0, 5], [-1, 5]]) {
    const [a, b] = logRange(min, max);
    assert.ok(a > 0 && b > a);
  }
  const t = positive(trace([1, 2, 3, 4], [5, 0, -1, null], { min: [-5, 0, -1, null], max: [9, 3, 0, null] }));
  assert.deepEqual([t.mean, t.min, t.max], [[5, null, null, null], [5, 5, null, null], [9, 3, null, null]]);
});

test('labels never cover one another: one without room is counted by the one before', () => {
  const item = (x, count = 1) => ({ x, text: '', count, more: count - 1 });
  const width = (it) => 40 + (it.more > 0 ? 10 : 0);
  const room = { left: 0, right: 200, air: 5, align: 0 };
  const placed = placeLabels([item(0), item(10), item(20, 3), item(60), item(190)], room, width);
  assert.deepEqual(placed.map(({ at, count, more }) => [at, count, more]), [[0, 5, 4], [60, 1, 0], [160, 1, 0]]);
  for (let i = 1; i < placed.length; i++) assert.ok(placed[i].at >= placed[i - 1].at + width(placed[i - 1]));
  assert.deepEqual(placeLabels([item(5), item(199)], { ...room, align: 0.5 }, width).map(({ at }) => at), [0, 160]);
  assert.deepEqual(placeLabels([], room, width), []);
});
