// SPDX-License-Identifier: MIT OR Unlicense
// search: words, keys, dates, ages, minus and quotes. Local time is made UTC before the first Date.
process.env.TZ = 'UTC';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS, compile, filterApps, period } from '../../web/search.js';

const NOW = Date.UTC(2026, 10, 23, 18, 30);
const day = (d, h = 12) => Date.UTC(2026, 10, d, h);
const run = (id, more = {}) => ({ id, app: 'server', state: 'ended', started: day(20), last: day(20), rows: 1, lost: 0,
  interval: 1, columns: [], tags: {}, note: '', pinned: false, ...more });
const RUNS = [
  run('a', { state: 'live', started: day(23, 17), tags: { branch: 'main' } }),
  run('b', { state: 'crashed', tags: { branch: 'main', host: 'Box' }, note: 'the Leak again' }),
  run('c', { app: 'game', tags: { branch: 'main2' }, pinned: true, started: day(1, 0) }),
  run('d', { app: 'game', note: 'cache off, leak 12:03', started: Date.UTC(2026, 9, 31, 23, 59, 59) }),
];
const found = (query) => RUNS.filter(compile(query, NOW).test ?? (() => true)).map((r) => r.id).join('');

test('a query finds what it says', () => {
  for (const [query, expected] of [
    ['', 'abcd'], ['   ', 'abcd'], ['leak', 'bd'], ['LEAK server', 'b'], ['nothing', ''], ['2026-11-2', 'ab'], ['branch=main', 'abc'],
    ['state:crashed', 'b'], ['state:crash', 'b'], ['tag:branch=main', 'ab'], ['tag:branch', 'abc'], ['tag:host=box', 'b'], ['tag:bran', ''],
    ['note:leak', 'bd'], ['app:game', 'cd'], ['is:pinned', 'c'], ['-is:pinned app:game', 'd'], ['-leak', 'ac'],
    ['since:2026-11-20', 'ab'], ['until:2026-11-01', 'cd'], ['until:2026-10', 'd'], ['since:7d', 'ab'], ['since:today', 'a'], ['until:7d', 'cd'],
    ['since:2026-11-23T17:01', ''], ['since:2026-11-23t17:00', 'a'], ['since:2026', 'abcd'],
    ['"cache off"', 'd'], ['note:"leak again"', 'b'], ['"cache', 'd'], ['12:03', 'd'], ['foo:bar', ''],
    ['leak tag:branch=main state:crashed since:2026-11-01', 'b'],
  ]) assert.equal(found(query), expected, query);
});

test('what cannot be understood is told, and the rest still counts', () => {
  assert.match(compile('since:soon', NOW).trouble, /^since: needs a date/);
  assert.match(compile('until:', NOW).trouble, /^$/, 'half typed: no complaint yet');
  assert.match(compile('is:big', NOW).trouble, /is:pinned/);
  assert.equal(compile('leak state:live', NOW).trouble, '');
  assert.equal(found('since:soon leak'), 'bd');
});

test('the help shows what works', () => {
  for (const [example] of KEYS) assert.equal(compile(example, NOW).trouble, '', example);
});

test('a period is as long as its date is short', () => {
  assert.deepEqual(period('2026-11-01', NOW), { from: day(1, 0), to: day(2, 0) - 1 });
  assert.deepEqual(period('2026-12', NOW), { from: Date.UTC(2026, 11), to: Date.UTC(2027, 0) - 1 });
  assert.deepEqual(period('yesterday', NOW), { from: day(22, 0), to: day(23, 0) - 1 });
  assert.equal(period('2h', NOW)?.from, NOW - 7200e3);
  for (const bad of ['', 'x', '7', '7y', '26-11-01', '2026-11-1']) assert.equal(period(bad, NOW), null, bad);
});

test('applications without a run that passes are left out', () => {
  const apps = [{ app: 'server', runs: RUNS.slice(0, 2) }, { app: 'game', runs: RUNS.slice(2) }];
  assert.equal(filterApps(apps, null), apps);
  assert.deepEqual(filterApps(apps, (r) => r.id === 'b'), [{ app: 'server', runs: [RUNS[1]] }]);
});
