// SPDX-License-Identifier: MIT OR Unlicense
// edit: only what of the tags changed is sent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tagsPatch } from '../../web/edit.js';

test('a tag that is new or differs is sent, one that went is null', () => {
  for (const [before, after, patch] of [
    [{}, {}, {}],
    [{ a: '1' }, { a: '1' }, {}],
    [{ a: '1' }, { a: '2' }, { a: '2' }],
    [{ a: '1', b: '2' }, { b: '2', c: '' }, { a: null, c: '' }],
    [{}, { constructor: 'x' }, { constructor: 'x' }],
  ]) assert.deepEqual(tagsPatch(before, after), patch);
});
