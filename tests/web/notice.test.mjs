// SPDX-License-Identifier: MIT OR Unlicense
// notice: which of several troubles is told, and when none is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticeOf } from '../../web/notice.js';

const told = (more) => noticeOf({ since: null, now: 10_000, shown: true, gone: false, back: false, behind: false, trouble: '', ...more });

test('what matters most is told, and nothing when all is well', () => {
  assert.deepEqual(told({}), { text: '', action: null });
  assert.equal(told({ since: 9_900 }).text, '', 'a hiccup');
  assert.match(told({ since: 5_000, behind: true }).text, /^Connection lost/);
  assert.equal(told({ since: 5_000 }).action, 'retry');
  assert.match(told({ since: 5_000, shown: false }).text, /does not answer/);
  assert.match(told({ behind: true }).text, /storage is behind/);
  assert.match(told({ gone: true, behind: true }).text, /was deleted/);
  assert.deepEqual([told({ gone: true }).action, told({ gone: true, back: true }).action], [null, 'back']);
  assert.equal(told({ trouble: 'No.', behind: true }).text, 'No.');
});

test('the text does not change while the trouble lasts', () => {
  assert.equal(told({ since: 0, now: 10_000 }).text, told({ since: 0, now: 99_000 }).text);
});
