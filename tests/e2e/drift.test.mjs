// SPDX-License-Identifier: MIT OR Unlicense
// mnemic drift, as a CI job calls it: the table, and the status with which it ends.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MNEMIC, start, startMnemic } from './mnemic.mjs';
import { soak } from './soak.mjs';

let server, run;

before(async () => {
  server = await startMnemic();
  run = await soak(server);
});
after(() => server?.remove());

async function drift(...words) {
  const child = start(MNEMIC, ['drift', ...words, '--store', `sqlite:${join(server.dir, 'store.db')}`]);
  let out = '';
  const closed = new Promise((resolve) => child.child.on('close', resolve));
  child.child.stdout.on('data', (text) => { out += text; });
  await closed;
  return { status: await child.ended, out, log: child.log() };
}

test('a run that leaks: its column is named, the others stand, and the status is 1', async () => {
  const { status, out, log } = await drift('soak');
  assert.equal(log, '');
  assert.equal(status, 1);
  const [head, titles, ...lines] = out.trimEnd().split('\n');
  assert.equal(head, `soak ${run.id}, ended`);
  assert.match(titles, /^column +verdict +slope +99 % sure within +level +over$/);
  assert.match(lines[0], /^memory +rising ! +\+(2\.9|3\.0)\d* MB per h +\+2\.\d+ … \+3\.\d+ +\d+ MB +10\.0 h$/);
  const verdicts = lines.filter((line) => !line.startsWith(' ')).map((line) => line.split(/\s+/).slice(0, 2).join(' '));
  assert.deepEqual(verdicts, ['memory rising', 'cpu steady', 'threads steady', 'requests steady', 'latency steady', 'mirror steady']);
  assert.match(out, /^ {4}shift at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: 8 -> 12$/m);
  assert.match(out, /^ {4}1 outlier, the farthest at .*: 99 where 3\d(\.\d+)? is usual$/m);
  assert.match(out, /^requests .* 1\/s per h/m);
});

test('columns, times and limits decide', async () => {
  for (const [words, expected] of [
    [['--columns', 'cpu,latency'], 0],
    [['--columns', 'cpu,memory', '--from', '2h'], 1],
    [['--fail-above', 'memory=2/h'], 1],
    [['--fail-above', 'memory=5/h,cpu=0'], 0],
    [['--fail-above', 'memory=-1'], 0],
    [['--columns', 'memory', '--last', '20m'], 0],  // too few rows to tell
    [['--columns', 'memory', '--to', '2h'], 1],
  ]) {
    const { status, out, log } = await drift(run.id.slice(0, 13), ...words);
    assert.equal(status, expected, `${words.join(' ')}: ${out}${log}`);
  }
  assert.match((await drift('soak/latest', '--last', '20m')).out, /^memory +unclear +– +2\d\d(\.\d)? MB +20\.0 min$/m);
});

test('what cannot be answered has a sentence and a status of its own', async () => {
  for (const [words, expected, says] of [
    [['soak', '--columns', 'x'], 2, /the run has no column 'x'/],
    [['soak', '--last', '3y'], 2, /--last: '3y'/],
    [['soak', '--from', 'noon'], 2, /--from: 'noon'/],
    [['soak', '--from', '20h'], 2, /--from lies behind/],
    [['soak', '--fail-above', 'memory'], 2, /COLUMN=SLOPE\/h/],
    [['soak', '--fail-above', 'memory=1/d'], 2, /COLUMN=SLOPE\/h/],
    [[], 2, /which run/],
    [['soak', 'soak'], 2, /one run at a time/],
    [['nothing'], 3, /there is no run, and no application, 'nothing'/],
  ]) {
    const { status, out, log } = await drift(...words);
    assert.equal(out, '');
    assert.match(log, says);
    assert.equal(log.split('\n').length, 2, log);
    assert.equal(status, expected, log);
  }
});
