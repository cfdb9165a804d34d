// SPDX-License-Identifier: MIT OR Unlicense
// url: what is shown survives the address; nonsense in it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, parse } from '../../web/url.js';

const run = '1e7c356f-16b3-485c-a4f0-06872919285e';

test('every place comes back from its address', () => {
  for (const view of [
    null, { kind: 'all' }, { kind: 'last', seconds: 600 }, { kind: 'range', from: 1769860800123, to: 1769860801123.5 },
  ]) assert.deepEqual(parse(format({ run, view })), { run, view, look: null });
  assert.deepEqual(parse(format({ run: null, view: null })), { run: null, view: null, look: null });
});

test('what makes no sense is left out', () => {
  for (const bad of ['', '#', '#run=', '#run=1', '#charts', '#run=<img src=x>', '#from=1&to=2', '#run=%'])
    assert.deepEqual(parse(bad), { run: null, view: null, look: null }, bad);
  for (const bad of ['last=', 'last=-1', 'last=x', 'last=Infinity', 'from=1', 'from=2&to=1', 'from=a&to=b', 'from=1&to=1e300'])
    assert.deepEqual(parse(`#run=${run}&${bad}`), { run, view: null, look: null }, bad);
  assert.equal(parse(`#run=${run.toUpperCase()}`).run, run);
});
