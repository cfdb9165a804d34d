// SPDX-License-Identifier: MIT OR Unlicense
// The binary wire between real processes over a network that loses, doubles, delays and reorders: nothing of it shows.

import assert from 'node:assert/strict';
import { assertContent, assertWhole, exported, runsOf, runWith, sideBySide } from './traced.mjs';

/** A run of `words` from its start to its goodbye over such a network. */
async function over(scene, conditions, words, expected) {
  const server = await scene.server();
  const proxy = await scene.proxy(server, 1, conditions);
  const program = scene.trace(proxy.port, [...words, 'goodbye=60']);
  const whole = await assertWhole(server, program.app, await program.sampled(), expected);
  if (conditions.loss) assert.ok(proxy.count.lost > 0);
  if (conditions.twice) assert.ok(proxy.count.doubled > 0);
  return whole;
}

sideBySide({
  '1 % loss': (scene) => over(scene, { loss: 0.01, twice: 0.01, jitter: 10 },
    ['count=8000', 'interval=0.001', 'columns=4', 'ring=1000000'], { columns: 4 }),

  '20 % loss': (scene) => over(scene, { loss: 0.2, twice: 0.1, jitter: 200 },
    ['count=1000', 'interval=0.01', 'columns=4'], { columns: 4 }),

  '50 % loss, reordered by up to three seconds': (scene) => over(scene, { loss: 0.5, twice: 0.2, jitter: 3000 },
    ['count=1000', 'interval=0.01', 'columns=4'], { columns: 4 }),

  'datagrams of a size of one\'s own': (scene) => over(scene, { loss: 0.1, twice: 0.1, jitter: 20 },
    ['count=1000', 'interval=0.005', 'columns=8', 'datagram=9000', 'ring=500000'], { columns: 8 }),

  'rows of 300 columns come in slices': (scene) => over(scene, { loss: 0.2, twice: 0.1, jitter: 100 },
    ['count=150', 'interval=0.02', 'columns=300', 'ring=1000000'], { columns: 300 }),

  'columns join, marks come once, each at its time': async (scene) => {
    const { run, rows, series } = await over(scene, { loss: 0.2, twice: 0.2, jitter: 100 },
      ['count=700', 'interval=0.01', 'columns=2', 'join=100', 'joins=5', 'marks=150'], { columns: 7 });
    assert.deepEqual(run.columns, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']);
    for (let c = 2; c < 7; c++) {
      const first = rows.findIndex((row) => row.values[c] !== null);
      assert.ok(first >= (c - 1) * 100, `column ${c} begins at row ${first}`);
      assert.equal(rows[first - 1].values[c - 1] === null, false, 'the one before it began earlier');
    }
    assert.deepEqual(series.marks.map((m) => [m.text, m.count]),
      Array.from({ length: Math.floor(700 / 150) }, (_, i) => [`mark ${i}`, 1]));
  },

  'the client\'s address changes': async (scene) => {
    const server = await scene.server();
    const proxy = await scene.proxy(server, 2);
    const program = scene.trace(proxy.port, ['interval=0.005', 'goodbye=60']);
    for (let rows = 100; rows <= 500; rows += 100) {
      await runWith(server, program.app, rows);
      proxy.move();
    }
    await assertWhole(server, program.app, await program.sampled());
  },

  'a millisecond between rows of 64 columns': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, ['count=5000', 'interval=0.001', 'columns=64', 'ring=8000000', 'goodbye=60']);
    await assertWhole(server, program.app, await program.sampled(), { columns: 64 });
  },

  'ten thousand rows a second of 64 columns, with the ring that this gives': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, ['count=20000', 'interval=0.0001', 'columns=64', 'goodbye=60']);
    await assertWhole(server, program.app, await program.sampled(), { columns: 64 });
  },

  'a minute between rows: each arrives at once': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, ['interval=60']);
    const run = await runWith(server, program.app, 1);
    assert.equal(run.state, 'live');
    assert.equal(run.rows, 1);
    assert.equal(await program.sampled(), 2);
    await assertWhole(server, program.app, 2);
  },

  'two programs of one name at once': async (scene) => {
    const server = await scene.server();
    const proxy = await scene.proxy(server, 3, { loss: 0.1, twice: 0.1, jitter: 50 });
    const programs = [1, 2].map((n) => scene.trace(proxy.port,
      [`count=${500 * n}`, 'interval=0.004', 'columns=3', 'goodbye=60'], { app: 'both' }));
    const sampled = await Promise.all(programs.map((p) => p.sampled()));
    const runs = await runsOf(server, 'both');
    assert.deepEqual(runs.map((r) => r.state), ['ended', 'ended']);
    assert.deepEqual(runs.map((r) => [r.rows, r.lost]).sort(([a], [b]) => a - b), sampled.map((n) => [n, 0]));
    for (const run of runs) assertContent(await exported(server, run.id), run.id);
  },
});
