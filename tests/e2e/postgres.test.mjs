// SPDX-License-Identifier: MIT OR Unlicense
// The PostgreSQL store with real processes: PostgreSQL is stopped, killed, stalled, fails over, is there late or twice
// served, and mnemic itself is killed. Every row that was sampled is stored once, or counted as lost where it must be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MISSING, Postgres } from './postgres.mjs';
import { Program, until } from './mnemic.mjs';
import { assertWhole, exported, metric, pause, runsOf, runWith, sideBySide } from './traced.mjs';

const FAST = ['interval=0.005', 'columns=8', 'ring=4000000', 'goodbye=60'];

async function cluster(scene, settings) {
  const it = await Postgres.create(settings);
  scene.later(() => it.remove());
  return it;
}

async function standbyOf(scene, primary, name) {
  const it = await primary.standby(name);
  scene.later(() => it.remove());
  return it;
}

const statusOf = async (server, path) => (await fetch(new URL(path, server.url))).status;

/** The stream of a run: what came so far, by event. */
async function listen(scene, server, id) {
  const heard = { rows: [], storage: [] };
  const cut = new AbortController();
  scene.later(() => cut.abort());
  const { body } = await fetch(new URL(`/api/v1/runs/${id}/live`, server.url), { signal: cut.signal });
  (async () => {
    let text = '';
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      const events = (text + piece).split('\n\n');
      text = events.pop();
      for (const [, name, data] of events.map((event) => /^event: (\w+)\ndata: (.*)$/s.exec(event)).filter(Boolean)) {
        heard[name]?.push(JSON.parse(data));
      }
    }
  })().catch(() => {}); // cut
  return heard;
}

/** Sends rows of [number, 2 × number] ten milliseconds apart until it is told to stop. Without numbers of its own, as the
 *  Python original's client does. */
function jsonRows(scene, server, numbered) {
  const program = new Program(server, ['n', 'twice'], { app_name: numbered ? 'numbered' : 'plain', interval: 0.01 });
  let sent = 0;
  let going = true;
  const done = (async () => {
    await program.live();
    for (; going; sent++) {
      const seq = numbered ? sent : undefined;
      await program.send({ msg_type: 'row', row_data: [sent, 2 * sent], ...(numbered && { seq, time: Date.now() * 1e6 }) });
      await pause(10);
    }
  })();
  scene.later(async () => { going = false; await done; program.close(); });
  return {
    /** Ends it and waits until all is stored, each row once and in order. */
    assertAll: async () => {
      going = false;
      await done;
      const run = await runWith(server, program.more.app_name, sent);
      const rows = await exported(server, run.id);
      assert.deepEqual(rows.map((row) => row.values), Array.from({ length: sent }, (_, n) => [n, 2 * n]));
      assert.deepEqual([run.rows, run.lost], [sent, 0]);
    },
  };
}

const failing = (server) => until('writing fails', async () => (await metric(server, 'mnemic_writer_failures_total')) >= 1);

/** While the database is away: nothing is ready or stored, but what comes is shown, and all is said. */
async function assertBehind(server, heard) {
  await failing(server);
  await until('not ready', async () => (await statusOf(server, '/readyz')) === 503);
  await until('behind', async () => (await server.get('/api/v1/status')).behind);
  await until('the stream says so', async () => heard.storage.at(-1)?.behind);
  const before = heard.rows.length;
  await until('live rows go on', async () => heard.rows.length > before + 10);
  assert.equal(await statusOf(server, '/healthz'), 200);
}

async function assertCaughtUp(server, heard) {
  await until('ready', async () => (await statusOf(server, '/readyz')) === 200);
  await until('caught up', async () => !(await server.get('/api/v1/status')).behind);
  await until('the stream says so', async () => heard.storage.at(-1)?.behind === false);
  assert.equal((await server.get('/api/v1/status')).rows_dropped, 0);
}

const tests = {
  'stopped, and killed, and started again under load': async (scene) => {
    const postgres = await cluster(scene);
    const server = await scene.server({ store: postgres.url });
    assert.equal((await server.get('/api/v1/status')).store, 'postgresql');
    const program = scene.trace(server.udp, FAST);
    const json = [jsonRows(scene, server, true), jsonRows(scene, server, false)];
    const { id } = await runWith(server, program.app, 1);
    const heard = await listen(scene, server, id);
    for (const end of ['stop', 'kill']) {
      const [{ rows }] = await runsOf(server, program.app);
      await runWith(server, program.app, rows + 300);
      await postgres[end]();
      await assertBehind(server, heard);
      await postgres.start();
      await assertCaughtUp(server, heard);
    }
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
    for (const rows of json) await rows.assertAll();
  },

  'killed again and again, with no time to recover': async (scene) => {
    const postgres = await cluster(scene);
    const server = await scene.server({ store: postgres.socket });
    const program = scene.trace(server.udp, FAST);
    await runWith(server, program.app, 100);
    for (let i = 0; i < 8; i++) {
      await postgres.kill();
      await pause(37 * i);
      await postgres.start();
      await pause(53 * i);
    }
    const { rows } = await until('it answers', async () => (await runsOf(server, program.app))[0]);
    await runWith(server, program.app, rows + 300);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },

  'stalled: what comes in, and who looks on, does not wait': async (scene) => {
    const postgres = await cluster(scene);
    const server = await scene.server({ store: postgres.url });
    const program = scene.trace(server.udp, FAST);
    const json = jsonRows(scene, server, false);
    const { id } = await runWith(server, program.app, 100);
    const heard = await listen(scene, server, id);
    postgres.pause();
    const taken = await metric(server, 'mnemic_ingest_rows_total');
    const shown = heard.rows.length;
    await until('rows are taken', async () => (await metric(server, 'mnemic_ingest_rows_total')) > taken + 1000);
    await until('rows are shown', async () => heard.rows.length > shown + 30);
    for (const path of ['/healthz', '/', '/api/v1/status']) {
      const asked = Date.now();
      assert.equal(await statusOf(server, path), 200, path);
      assert.ok(Date.now() - asked < 14_000, `${path} took ${Date.now() - asked} ms`);
    }
    postgres.resume();
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
    await json.assertAll();
  },

  'mnemic is there before PostgreSQL': async (scene) => {
    const postgres = await cluster(scene);
    await postgres.stop();
    const server = await scene.server({ store: postgres.url });
    const program = scene.trace(server.udp, ['interval=0.01', 'columns=3', 'join=50', 'joins=2', 'goodbye=60']);
    const json = jsonRows(scene, server, true);
    await until('it runs', async () => (await statusOf(server, '/healthz')) === 200);
    assert.equal(await statusOf(server, '/readyz'), 503);
    assert.equal(await statusOf(server, '/api/v1/apps'), 503);
    await pause(3000);
    await postgres.start();
    await until('ready', async () => (await statusOf(server, '/readyz')) === 200);
    await runWith(server, program.app, 300);
    await assertWhole(server, program.app, await program.sampled(), { columns: 5 });
    await json.assertAll();
  },

  'the primary is killed, its synchronous standby promoted': async (scene) => {
    const primary = await cluster(scene);
    const standby = await standbyOf(scene, primary, 'second');
    await primary.synchronise('second');
    const store = `postgresql://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres` +
      '?target_session_attrs=read-write';
    const server = await scene.server({ store });
    const program = scene.trace(server.udp, FAST);
    const json = jsonRows(scene, server, true);
    await runWith(server, program.app, 300);
    await primary.kill();
    await failing(server);
    await standby.promote();
    const { rows } = await until('it answers', async () => (await runsOf(server, program.app))[0]);
    await runWith(server, program.app, rows + 300);
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
    await json.assertAll();
  },

  'the primary is killed, its asynchronous standby had fallen behind: what it lacks is a gap': async (scene) => {
    const primary = await cluster(scene);
    const standby = await standbyOf(scene, primary, 'second');
    const store = `host=127.0.0.1,127.0.0.1 port=${primary.port},${standby.port} user=postgres dbname=postgres ` +
      'target_session_attrs=read-write';
    const server = await scene.server({ store });
    const program = scene.trace(server.udp, FAST);
    const { rows } = await runWith(server, program.app, 300);
    await until('the standby has them', async () => {
      const sql = "SELECT rows FROM mnemic.run"; // of the one run there is
      return Number(await standby.sql(sql)) >= rows;
    });
    await standby.stop();
    const [before] = await runsOf(server, program.app);
    await runWith(server, program.app, before.rows + 300);
    await primary.kill();
    await failing(server);
    await standby.start();
    const had = Number(await standby.sql('SELECT rows FROM mnemic.run'));
    await standby.promote();
    await runWith(server, program.app, had + 300);
    const { run, rows: all, series } = await assertWhole(server, program.app, await program.sampled(),
      { columns: 8, lost: null });
    assert.ok(run.lost >= 250, `${run.lost} rows were acknowledged and are gone`);
    assert.equal(series.gaps.length, 1);
    const jumps = all.slice(1).map((row, i) => row.seq - all[i].seq - 1).filter((n) => n > 0);
    assert.deepEqual(jumps, [run.lost]);
  },

  'two servers start at once, and clients are moved from one to the other in mid-run': async (scene) => {
    const postgres = await cluster(scene);
    const servers = await Promise.all([1, 2].map(() => scene.server({ store: postgres.url })));
    const ports = servers.map((server) => server.udp);
    const now = await scene.proxy(servers[0], 11);
    const each = await scene.proxy(servers[0], 12, { route: (n) => ports[n % 2] });
    const programs = [scene.trace(now.port, FAST), scene.trace(each.port, FAST)];
    for (let i = 1; i <= 6; i++) {
      for (const program of programs) await runWith(servers[i % 2], program.app, 200 * i);
      now.route = () => ports[i % 2];
    }
    for (const program of programs) {
      const sampled = await program.sampled();
      for (const server of servers) await assertWhole(server, program.app, sampled, { columns: 8 });
    }
  },

  'one of two servers is killed, its clients moved to the other': async (scene) => {
    const postgres = await cluster(scene);
    const servers = await Promise.all([1, 2].map(() => scene.server({ store: postgres.url })));
    const proxy = await scene.proxy(servers[0], 13, { loss: 0.05, twice: 0.05, jitter: 100 });
    const program = scene.trace(proxy.port, FAST);
    await runWith(servers[1], program.app, 300);
    await servers[0].stop('SIGKILL');
    proxy.route = () => servers[1].udp;
    await runWith(servers[1], program.app, 900);
    await assertWhole(servers[1], program.app, await program.sampled(), { columns: 8 });
  },

  'mnemic is killed under load': async (scene) => {
    const postgres = await cluster(scene);
    let server = await scene.server({ store: postgres.url });
    const program = scene.trace(server.udp, FAST);
    for (let i = 0; i < 4; i++) {
      const { rows } = await runWith(server, program.app, 1);
      await runWith(server, program.app, rows + 200);
      assert.equal(await server.stop('SIGKILL'), 'SIGKILL');
      server = await scene.server(server);
    }
    await assertWhole(server, program.app, await program.sampled(), { columns: 8 });
  },
};

if (MISSING) test('the PostgreSQL store', { skip: MISSING }, () => {});
else sideBySide(tests);
