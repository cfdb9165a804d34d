// SPDX-License-Identifier: MIT OR Unlicense
// look: what the reader made of the charts changes as told, and survives the address.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEIGHT, heightOf, marked, plainLook, readLook, resized, writeLook } from '../../web/look.js';
import { format, parse } from '../../web/url.js';

const run = '1e7c356f-16b3-485c-a4f0-06872919285e';
const names = ['a b', 'ä,&=#%', '__proto__', '<img>', '12 x'];

const dressed = () => {
  let look = marked(plainLook(), 'pin', ['b', 'a'], true);
  look = marked(look, 'hide', names, true);
  look = marked(marked(look, 'log', ['a'], true), 'rate', ['b'], true);
  for (const [i, name] of names.entries()) look = resized(look, name, 200 + i);
  return look;
};

test('a look comes back from its address, whatever the names are', () => {
  for (const look of [dressed(), resized(plainLook(), null, 300)])
    assert.deepEqual(parse(format({ run, view: { kind: 'all' }, look })), { run, view: { kind: 'all' }, look, insight: null, find: null });
});

test('the plain look adds nothing to an address, and an address that says nothing asks for none', () => {
  assert.equal(format({ run, view: null, look: plainLook() }), format({ run, view: null }));
  assert.equal(readLook(new URLSearchParams('run=x&last=60')), null);
});

test('marks are set and taken away; the last one pinned comes last', () => {
  const look = marked(marked(plainLook(), 'pin', ['a', 'b'], true), 'pin', ['a'], true);
  assert.deepEqual(look.pin, ['b', 'a']);
  assert.deepEqual(marked(look, 'pin', ['b', 'c'], false).pin, ['a']);
  assert.deepEqual(plainLook().pin, []);
});

test('a height is that of all charts, or of one, and stays within bounds', () => {
  const one = resized(plainLook(), 'a', 250);
  assert.deepEqual([heightOf(one, 'a'), heightOf(one, 'b'), heightOf(one, 'toString')], [250, HEIGHT.usual, HEIGHT.usual]);
  const all = resized(one, null, 9999);
  assert.deepEqual([heightOf(all, 'a'), heightOf(all, 'b')], [HEIGHT.most, HEIGHT.most]);
  assert.deepEqual(Object.keys(resized(one, 'a', HEIGHT.usual).heights), []);
});

test('what makes no sense in an address is left out', () => {
  const look = readLook(new URLSearchParams('height=x&tall=a&tall=1e9 a&tall=50000 b&pin=a&pin=a'));
  assert.deepEqual([look?.height, look?.pin, { ...look?.heights }], [HEIGHT.usual, ['a'], { b: HEIGHT.most }]);
  const q = new URLSearchParams();
  writeLook(plainLook(), q);
  assert.equal(String(q), '');
});
