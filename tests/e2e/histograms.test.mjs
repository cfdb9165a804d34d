// SPDX-License-Identifier: MIT OR Unlicense
// Histograms from a real program to what the API answers: every call is counted once, percentiles are those of all calls, also
// when the server is killed in mid-run; with either store.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, start, startMnemic, until } from './mnemic.mjs';
import { MISSING, Postgres } from './postgres.mjs';

const FUNCTIONS = join(ROOT, 'build/examples/functions');
const NAMES = ['request', 'format', 'disk', 'cache', 'look_up', 'parse'];
let postgres;

before(async () => {
  if (!MISSING) postgres = await Postgres.create();
});

after(async () => {
  await postgres?.remove();
});

const trace = (server, seconds) => {
  const env = { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: String(server.udp), DOLON_INTERVAL: '0.1' };
  const child = start(FUNCTIONS, [String(seconds)], { env });
  child.child.stdout.resume();
  return child;
};

const newest = async (server) => (await server.get('/api/v1/apps'))[0]?.runs[0];
const ended = (server) => until('the run has ended', async () => {
  const run = await newest(server);
  return run?.state === 'ended' && run;
});

/** Every call of each function is in the histograms, whatever they are cut into. */
async function assertAllCounted(server, run) {
  const { column_info: columns } = await server.get(`/api/v1/runs/${run.id}`);
  const last = Object.fromEntries(columns.map((c) => [c.name, c.last]));
  for (const points of [1, 7, 1000]) {
    const { time, columns: found } = await server.get(`/api/v1/runs/${run.id}/histogram?points=${points}`);
    assert.deepEqual(Object.keys(found).sort(), NAMES.map((name) => `${name}_mean`).sort());
    assert.ok(time.length > 0 && time.length <= points);
    for (const name of NAMES) {
      const heat = found[`${name}_mean`];
      assert.equal(heat.total.count, last[`${name}_hits`], `${name} in ${points} parts`);
      assert.equal(heat.count.reduce((sum, n) => sum + n, 0), heat.total.count);
      for (const [i, cells] of heat.cells.entries())
        assert.equal(cells.reduce((sum, n, k) => sum + (k % 2 ? n : 0), 0), heat.count[i]);
      assert.ok(heat.total.min <= heat.total.p50 && heat.total.p50 <= heat.total.p90 && heat.total.p99 <= heat.total.max);
      const mean = heat.total.mean / last[`${name}_average_time`];
      assert.ok(mean > 0.98 && mean < 1.02, `${name}: its mean is ${mean} of what the program says`);
    }
  }
}

/** One point of all rows: the percentile of all calls, which the histogram of the whole tells, too. */
async function assertNotAveraged(server, run) {
  const index = run.columns.indexOf('look_up_p99');
  const series = await server.get(`/api/v1/runs/${run.id}/series?points=1&columns=${index}`);
  const { columns } = await server.get(`/api/v1/runs/${run.id}/histogram?points=1&columns=${run.columns.indexOf('look_up_mean')}`);
  const { mean: [p99], min: [least], max: [greatest] } = series.columns.look_up_p99;
  const { p99: expected } = columns.look_up_mean.total;
  assert.ok(Math.abs(p99 / Math.min(Math.max(expected, least), greatest) - 1) < 0.001, `${p99}, and not ${expected}`);
}

async function tell(store) {
  let server = await startMnemic({ store });
  const program = trace(server, 20);
  await until('some rows', async () => (await newest(server))?.rows > 10);
  await server.stop('SIGKILL');
  server = await startMnemic(server);
  await program.ended;
  const run = await ended(server);
  assert.equal(run.lost, 0);
  await assertAllCounted(server, run);
  await assertNotAveraged(server, run);
  await server.remove();
}

test('every call is counted once, though the server is killed meanwhile', () => tell(undefined));
test('and with PostgreSQL', { skip: MISSING }, () => tell(postgres.url));
