// SPDX-License-Identifier: MIT OR Unlicense
// groups and functions: which charts stand together, and what the table of functions says of a range.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowOf, sorted, sparkline } from '../../web/functions.js';
import { functionsOf, groupsOf, histogramsOf } from '../../web/groups.js';
import { marked, plainLook } from '../../web/look.js';

const columnsOf = (...names) => names.map((name) => ({ name, unit: '', kind: name.startsWith('c:') ? 'counter' : 'gauge', last: null }));
const titles = (groups) => groups.map(({ title, columns }) => `${title}: ${columns.join()}`);
const trace = (time, mean) => ({ time, rows: time.map(() => 1), mean, min: mean, max: mean });

test('each column stands in one group: built in, gauges, counters, functions', () => {
  const columns = columnsOf('queue', 'cpu_percent', 'work_hits', 'work_active_instances', 'work_average_time', 'hits', 'other_hits',
    'c:rounds', 'work_p99', 'work_hits_max', 'io_read_bytes');
  assert.deepEqual(titles(groupsOf(columns, plainLook())),
    ['Process and machine: 1,10', 'Gauges: 0,5,6,9', 'Counters: 7', 'work(): 2,3,4,8']);
  assert.deepEqual(groupsOf([], plainLook()), []);
});

test('what is pinned comes first and once, what is hidden nowhere, and names of other runs do no harm', () => {
  const columns = columnsOf('a', 'b', 'c:c', 'f_hits', 'f_average_time');
  let look = marked(plainLook(), 'pin', ['f_hits', 'gone', 'b'], true);
  look = marked(look, 'hide', ['c:c', '__proto__'], true);
  assert.deepEqual(titles(groupsOf(columns, look)), ['Pinned: 3,1', 'Gauges: 0', 'f(): 4']);
  assert.deepEqual(titles(groupsOf(columns, marked(look, 'hide', ['b'], true))), ['Pinned: 3', 'Gauges: 0', 'f(): 4']);
});

test('a function has hits and an average time; its name may hold anything', () => {
  const found = functionsOf(columnsOf('A::f(int)_hits', 'A::f(int)_average_time', 'g_hits', '_hits', '_average_time', '__proto___hits', '__proto___average_time'));
  assert.deepEqual(found.map(({ name, parts }) => [name, [...parts.values()]]), [['A::f(int)', [0, 1]], ['__proto__', [5, 6]]]);
});

const work = { name: 'work', parts: new Map([['hits', 0], ['average_time', 1], ['active_instances', 2], ['p99', 3]]) };
const traces = new Map([
  [0, trace([0, 1000, 2000, 3000], [10, 20, 20, 40])],
  [1, trace([0, 1000, 2000, 3000], [1, 2, 2, 1.5])], // 10 s, 40 s, 40 s, 60 s in all
  [2, trace([0, 1000, 2000, 3000], [0, 1, 2, 3])],
  [3, trace([0, 1000, 2000, 3000], [null, 5, null, 4])],
]);

test('a line of the table is of the range: calls per second, and the mean of just the calls within it', () => {
  const row = rowOf(work, traces, { from: 0, to: 3000 });
  assert.deepEqual([row.calls, row.active, row.mean, row.p99], [10, 3, 50 / 30, 5]);
  assert.deepEqual(row.trend.mean, [3, null, 1]);
  assert.equal(rowOf(work, traces, { from: 1500, to: 3000 }).mean, 1);
  assert.equal(rowOf(work, traces, { from: 0, to: 3000 }, 7).active, 7);
  const reported = trace([0, 1000], [4, 5]);
  const parts = new Map([...work.parts, ['mean', 4]]);
  assert.equal(rowOf({ name: 'work', parts }, new Map([...traces, [4, reported]]), { from: 0, to: 3000 }).trend, reported);
});

test('where there are histograms, mean and p99 are of all calls in the range, and not the worst of an interval', () => {
  const total = { count: 30, mean: 1.6, p50: 1, p90: 3, p99: 4.5, p999: 4.9, min: 0.1, max: 5 };
  const row = rowOf(work, traces, { from: 0, to: 3000 }, null, total);
  assert.deepEqual([row.calls, row.mean, row.p99], [10, 1.6, 4.5]);
  const none = rowOf(work, traces, { from: 0, to: 3000 }, null, { ...total, count: 0, mean: null, p99: null });
  assert.deepEqual([none.mean, none.p99], [null, null]);
  const columns = columnsOf('f_hits', 'f_average_time', 'f_mean', 'other_mean', 'g_hits', 'g_average_time');
  for (const i of [2, 3]) columns[i].kind = 'histogram';
  assert.deepEqual(histogramsOf(columns, functionsOf(columns)), [2]);
});

test('no call, one row or no column at all: no value, and never a wrong one', () => {
  const quiet = rowOf(work, traces, { from: 1000, to: 2000 });
  assert.deepEqual([quiet.calls, quiet.mean], [0, null]);
  const single = rowOf(work, traces, { from: 900, to: 1100 });
  assert.deepEqual([single.calls, single.mean], [null, null]);
  const none = rowOf(work, new Map(), { from: 0, to: 1 });
  assert.deepEqual([none.calls, none.active, none.mean, none.p99, none.trend.mean], [null, null, null, null, []]);
});

test('lines are sorted by any key, those without a value last', () => {
  const rows = [['b', 1], ['a', null], ['c', 5], ['d', 1]].map(([name, calls]) => ({ name, calls, active: null, mean: null, p99: null, trend: trace([], []) }));
  const order = (key, down) => sorted(rows, key, down).map((r) => r.name).join('');
  assert.deepEqual([order('calls', true), order('calls', false), order('name', false), order('mean', true)], ['cbda', 'bdca', 'abcd', 'abcd']);
});

test('a sparkline starts at zero and breaks where nothing is known', () => {
  assert.equal(sparkline(trace([0, 50, 75, 100], [1, null, 2, 0]), { from: 0, to: 100 }, 100, 20), 'M0.0 10.0M75.0 1.0L100.0 19.0');
  assert.equal(sparkline(trace([], []), { from: 0, to: 1 }, 100, 20), '');
});
