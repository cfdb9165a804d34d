// SPDX-License-Identifier: MIT OR Unlicense
// treerows: what is listed, where it stands, what of it is in view, and where the keyboard leads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, heightOf, rowsOf, step } from '../../web/treerows.js';

const run = (id, more = {}) => ({ id, app: '', state: 'ended', started: 0, last: 0, rows: 0, lost: 0, interval: 1, columns: [], tags: {}, note: '', pinned: false, ...more });
const APPS = [
  { app: 'a', runs: [run('a1', { state: 'live' }), run('a2'), run('a3', { pinned: true }), run('a4')] },
  { app: 'b', runs: [run('b1')] },
];
const shape = (more = {}) => ({ folded: new Set(), whole: new Set(), few: 3, heights: { app: 30, run: 40, more: 20 }, ...more });
const keys = (rows) => rows.map((r) => r.key).join(' ');

test('pinned runs come first; of many a few are listed, and how many more there are', () => {
  const rows = rowsOf(APPS, shape());
  assert.equal(keys(rows), 'app a a3 a1 a2 more a app b b1');
  assert.deepEqual(rows.map((r) => r.top), [0, 30, 70, 110, 150, 170, 200]);
  assert.equal(heightOf(rows), 240);
  assert.deepEqual([rows[0].live, rows[0].total, rows[4].hidden], [1, 4, 1]);
  assert.deepEqual(rows.map((r) => `${r.place}/${r.of}`), ['1/2', '1/4', '2/4', '3/4', '4/4', '2/2', '1/1']);
  assert.equal(keys(rowsOf(APPS, shape({ whole: new Set(['a']) }))), 'app a a3 a1 a2 a4 app b b1');
  assert.equal(keys(rowsOf(APPS, shape({ folded: new Set(['a']) }))), 'app a app b b1');
  assert.equal(heightOf(rowsOf([], shape())), 0);
});

test('only what touches the view is taken, however much there is', () => {
  const many = rowsOf([{ app: 'a', runs: Array.from({ length: 5000 }, (_, i) => run(`r${i}`)) }], shape({ few: Infinity }));
  const from = 30 + 4000 * 40;
  assert.equal(keys(between(many, from, from + 80)), 'r4000 r4001');
  assert.equal(keys(between(many, from - 1, from + 81)), 'r3999 r4000 r4001 r4002');
  assert.equal(keys(between(many, 0, 1)), 'app a');
  assert.deepEqual(between(many, 1e9, 2e9), []);
});

test('the keyboard goes as in every tree', () => {
  const rows = rowsOf(APPS, shape({ folded: new Set(['b']) }));
  const at = (key) => rows.findIndex((r) => r.key === key);
  for (const [from, key, to] of [
    ['app a', 'ArrowUp', 'app a'], ['app a', 'ArrowDown', 'a3'], ['app a', 'ArrowRight', 'a3'], ['a2', 'ArrowLeft', 'app a'], ['a2', 'ArrowRight', 'a2'],
    ['a2', 'Home', 'app a'], ['a2', 'End', 'app b'], ['app b', 'ArrowDown', 'app b'], ['a3', 'PageDown', 'app b'], ['app b', 'ArrowLeft', 'app b'],
  ]) assert.deepEqual(step(rows, at(from), key), { to: at(to) }, `${key} from ${from}`);
  assert.deepEqual(step(rows, at('app b'), 'ArrowRight'), { to: at('app b'), fold: false });
  assert.deepEqual(step(rows, at('app a'), 'ArrowLeft'), { to: 0, fold: true });
  assert.equal(step(rows, 0, 'x'), null);
  assert.equal(step(rows, -1, 'ArrowDown'), null);
});
