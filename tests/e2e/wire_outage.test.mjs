// SPDX-License-Identifier: MIT OR Unlicense
// The binary wire while the server is killed, not there yet, unreachable, or its disk is full: what the client still
// holds arrives when it can, and what it could not hold is counted.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { assertWhole, metric, pause, runsOf, runWith, sideBySide } from './traced.mjs';
import { until } from './mnemic.mjs';

/** Bounds the size of any file that a running process writes: 0 is a full disk. Lowering and raising one's own soft limit
 *  takes no privilege. */
const limitFiles = (server, bytes) =>
  execFileSync('prlimit', ['--pid', `${server.child.pid}`, `--fsize=${bytes}:`]);

const FAST = ['interval=0.005', 'columns=8', 'ring=4000000', 'goodbye=60'];

sideBySide({
  'SIGKILL under load, again and again; once for long': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, FAST);
    for (const outage of [0, 100, 30000]) {
      const { rows } = await runWith(server, program.app, 1);
      await runWith(server, program.app, rows + 300);
      assert.equal(await server.stop('SIGKILL'), 'SIGKILL');
      await pause(outage);
      server = await scene.server(server);
    }
    await runWith(server, program.app, 2500);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },

  'SIGKILL under load behind a lossy network': async (scene) => {
    let server = await scene.server();
    const proxy = await scene.proxy(server, 4, { loss: 0.2, twice: 0.1, jitter: 500 });
    const program = scene.trace(proxy.port, FAST);
    for (let i = 0; i < 3; i++) {
      await runWith(server, program.app, 300 * i + 100);
      await server.stop('SIGKILL');
      server = await scene.server(server);
    }
    await runWith(server, program.app, 1000);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
    assert.ok(proxy.count.lost > 0);
  },

  'SIGTERM and a new start': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, FAST);
    for (let i = 0; i < 3; i++) {
      await runWith(server, program.app, 300 * i + 100);
      assert.equal(await server.stop(), 0);
      server = await scene.server(server);
    }
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },

  'the server starts long after the program': async (scene) => {
    const first = await scene.server(); // for its port
    await first.stop();
    const program = scene.trace(first.udp, ['interval=0.02', 'columns=3', 'join=50', 'joins=2', 'goodbye=60']);
    await pause(7000);
    const server = await scene.server(first);
    const { rows } = await runWith(server, program.app, 200);
    await runWith(server, program.app, rows + 50);
    await assertWhole(server, program.app, await program.sampled(), { columns: 5 });
    assert.match(program.log(), /^-8 .*\n0 /);
  },

  'the network is cut without a word': async (scene) => {
    const server = await scene.server();
    const proxy = await scene.proxy(server, 5);
    const program = scene.trace(proxy.port, FAST);
    await runWith(server, program.app, 100);
    proxy.loss = 1;
    await until('the program noticed', async () => /^-11 /m.test(program.log()));
    proxy.loss = 0;
    await runWith(server, program.app, 1000);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
    assert.match(program.log(), /^(-11 [^\n]*\n0 [^\n]*\n)+$/, 'each change is told once');
  },

  'the disk is full for a while': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, FAST);
    await runWith(server, program.app, 200);
    limitFiles(server, 0);
    await until('writing fails', async () => (await metric(server, 'mnemic_writer_failures_total')) >= 2);
    const [before] = await runsOf(server, program.app);
    await pause(2000);
    const [after] = await runsOf(server, program.app);
    assert.equal(after.rows, before.rows, 'nothing can be stored');
    limitFiles(server, 'unlimited');
    await runWith(server, program.app, before.rows + 500);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },

  'the disk is full, and then the server is killed: what was not durable comes again': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, FAST);
    await runWith(server, program.app, 200);
    limitFiles(server, 0);
    await until('writing fails', async () => (await metric(server, 'mnemic_writer_failures_total')) >= 2);
    const taken = await metric(server, 'mnemic_ingest_rows_total');
    await until('rows are taken', async () => (await metric(server, 'mnemic_ingest_rows_total')) > taken + 100);
    await server.stop('SIGKILL');
    server = await scene.server(server);
    await runWith(server, program.app, taken + 300);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },

  'the store is gone: what the program still holds begins it anew, the rest is counted': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, FAST);
    await runWith(server, program.app, 300);
    await server.stop('SIGKILL');
    server = await scene.server({ udp: server.udp });
    await runWith(server, program.app, 600);
    const { run } = await assertWhole(server, program.app, await program.sampled(), { columns: 8, lost: null });
    assert.ok(run.lost >= 200, 'those that were durable in the old one');
  },

  'the ring is full: the oldest rows go, are counted and shown as gaps': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, ['interval=0.005', 'columns=2', 'ring=16384', 'goodbye=60']); // 585 rows
    for (let gaps = 1; gaps <= 2; gaps++) {
      const { rows, lost } = await runWith(server, program.app, 1);
      await runWith(server, program.app, rows + lost + 200);
      await server.stop('SIGKILL');
      await pause(6000);
      server = await scene.server(server);
      await until('rows are missed', async () => (await runsOf(server, program.app))[0].lost > lost);
    }
    const sampled = await program.sampled();
    const { run, rows, series } = await assertWhole(server, program.app, sampled, { columns: 2, lost: null });
    assert.equal(series.gaps.length, 2);
    assert.ok(run.lost > 600, `${run.lost}`);
    assert.ok(run.lost <= program.lost(), 'what the server got, but could not acknowledge, is not lost');
    const jumps = rows.slice(1).map((row, i) => row.seq - rows[i].seq - 1).filter((n) => n > 0);
    assert.deepEqual(jumps, series.gaps.map(([, , n]) => n));
    assert.deepEqual([rows[0].seq, rows.at(-1).seq], [0, sampled - 1]);
  },

  'a ring of seconds over a network that loses most': async (scene) => {
    const server = await scene.server();
    const proxy = await scene.proxy(server, 6, { loss: 0.7, jitter: 300 });
    const program = scene.trace(proxy.port, ['interval=0.002', 'columns=2', 'ring=4096', 'goodbye=60']);
    await runWith(server, program.app, 2000);
    const { run } = await assertWhole(server, program.app, await program.sampled(), { columns: 2, lost: null });
    assert.ok(run.lost > 0 && run.rows > 0);
  },
});
