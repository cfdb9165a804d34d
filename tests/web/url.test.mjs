// SPDX-License-Identifier: MIT OR Unlicense
// url: what is shown survives the address; nonsense in it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainInsight } from '../../web/insightstate.js';
import { format, parse } from '../../web/url.js';

const run = '1e7c356f-16b3-485c-a4f0-06872919285e';

test('every place comes back from its address', () => {
  for (const view of [
    null, { kind: 'all' }, { kind: 'last', seconds: 600 }, { kind: 'range', from: 1769860800123, to: 1769860801123.5 },
  ]) assert.deepEqual(parse(format({ run, view })), { run, view, look: null, insight: null, find: null });
  assert.deepEqual(parse(format({ run: null, view: null })), { run: null, view: null, look: null, insight: null, find: null });
});

test('so does what is searched for', () => {
  for (const find of ['state:crashed tag:branch=main', 'a&b=c#d', '"'])
    assert.equal(parse(format({ run, view: null, find })).find, find);
});

test('so does what is looked at beside the charts', () => {
  const [a, b] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
  for (const changed of [
    { panel: 'health' }, { panel: 'correlation', changes: true, pair: ['a,b', 'c&d=e'] },
    { panel: 'compare', compare: [a, b], mark: 'cache “flushed”', span: [-5000, 60000] }, { mark: '' }, { compare: [a] }, { compare: [a, b], base: b },
  ]) {
    const insight = { ...plainInsight(), ...changed };
    assert.deepEqual(parse(format({ run, view: { kind: 'all' }, insight })).insight, insight);
  }
  assert.equal(format({ run, view: null, insight: plainInsight() }), format({ run, view: null }));
  const many = Array.from({ length: 9 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);
  assert.deepEqual(parse(`#run=${run}&compare=x,${a},${a.toUpperCase()},,${many}`).insight.compare, [a, many[0], ...many.slice(2, 5)]);
  for (const bad of ['show=x', 'span=2,1', 'span=1', 'span=a,b', 'x=only', 'compare=<img>', 'changes=yes'])
    assert.deepEqual(parse(`#run=${run}&${bad}`).insight, plainInsight(), bad);
});

test('what makes no sense is left out', () => {
  for (const bad of ['', '#', '#run=', '#run=1', '#charts', '#run=<img src=x>', '#from=1&to=2', '#run=%'])
    assert.deepEqual(parse(bad), { run: null, view: null, look: null, insight: null, find: null }, bad);
  for (const bad of ['last=', 'last=-1', 'last=x', 'last=Infinity', 'from=1', 'from=2&to=1', 'from=a&to=b', 'from=1&to=1e300'])
    assert.deepEqual(parse(`#run=${run}&${bad}`), { run, view: null, look: null, insight: null, find: null }, bad);
  assert.equal(parse(`#run=${run.toUpperCase()}`).run, run);
});
