// SPDX-License-Identifier: MIT OR Unlicense
// The binary wire: how a run ends, and what is said of it meanwhile; programs that fork.

import assert from 'node:assert/strict';
import { assertContent, assertWhole, exported, pause, runsOf, runWith, sideBySide } from './traced.mjs';
import { until } from './mnemic.mjs';

const SLOW = ['interval=0.05', 'columns=2'];

const stateOf = async (server, app) => (await runsOf(server, app))[0]?.state;

/** Without a goodbye: silent for 15 s, or known to be dead where the process can be looked for. */
const given = (server, app) => until(`${app} is given up`, async () => {
  const state = await stateOf(server, app);
  assert.notEqual(state, 'ended');
  return ['lost', 'crashed'].includes(state) && state;
});

sideBySide({
  'live, then ended by dolon_stop(), its last row included': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, [...SLOW, 'goodbye=60']);
    await runWith(server, program.app, 20);
    assert.equal(await stateOf(server, program.app), 'live');
    await assertWhole(server, program.app, await program.sampled(), { columns: 2 });
  },

  'ended by returning from main() without dolon_stop()': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, [...SLOW, 'quits=1', 'count=30', 'goodbye=60']);
    await assertWhole(server, program.app, await program.sampled(), { columns: 2 });
  },

  'killed: crashed, and what had arrived is there': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, SLOW);
    await runWith(server, program.app, 20);
    assert.equal(await program.stop('SIGKILL'), 'SIGKILL');
    await given(server, program.app);
    await until('the server sees that the process is gone', async () => (await stateOf(server, program.app)) === 'crashed');
    const [run] = await runsOf(server, program.app);
    const rows = await exported(server, run.id);
    assertContent(rows, program.app);
    assert.deepEqual([run.lost, run.rows, rows.at(-1).seq], [0, rows.length, rows.length - 1]);
  },

  'stopped for a while: lost, then live again, and nothing is missing': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, [...SLOW, 'goodbye=60']);
    await runWith(server, program.app, 20);
    program.child.kill('SIGSTOP');
    assert.equal(await given(server, program.app), 'lost');
    program.child.kill('SIGCONT');
    await until('it lives', async () => (await stateOf(server, program.app)) === 'live');
    await assertWhole(server, program.app, await program.sampled(), { columns: 2 });
  },

  'the program ends while the server is away: it waits for it as long as it was told to': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, [...SLOW, 'goodbye=60']);
    await runWith(server, program.app, 20);
    await server.stop('SIGKILL');
    const sampled = program.sampled();
    await pause(5000);
    server = await scene.server(server);
    await assertWhole(server, program.app, await sampled, { columns: 2 });
  },

  'the program ends while the server is away, and does not wait: not ended': async (scene) => {
    let server = await scene.server();
    const program = scene.trace(server.udp, SLOW);
    await runWith(server, program.app, 20);
    await server.stop('SIGKILL');
    await program.sampled();
    server = await scene.server(server);
    await given(server, program.app);
    const [run] = await runsOf(server, program.app);
    assert.equal(run.lost, 0, 'nobody told how many there were');
  },

  'no server at all: the program runs, ends, and says so': async (scene) => {
    const server = await scene.server();
    await server.stop();
    const program = scene.trace(server.udp, [...SLOW, 'count=50', 'goodbye=60']);
    assert.ok((await program.sampled()) > 50);
    assert.match(program.log(), /^-8 [^\n]*\n$/);
  },

  'fork at any moment: children are silent, the parent goes on, a child can begin a run of its own': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, ['300'], { program: 'forks' });
    const sampled = await program.sampled();
    for (const [app, rows] of [[program.app, sampled], ['its-child', null]]) {
      const runs = await runsOf(server, app);
      assert.equal(runs.length, 1, app);
      const [run] = runs;
      assert.deepEqual([run.state, run.lost, run.columns], ['ended', 0, ['row', 'children']], app);
      if (rows === null) assert.ok(run.rows > 50);
      else assert.equal(run.rows, rows);
      const values = (await exported(server, run.id)).map((row) => row.values);
      assert.deepEqual(values, Array.from({ length: run.rows }, (_, i) => [i, 0]), app);
      const { marks } = await server.get(`/api/v1/runs/${run.id}/series`);
      assert.deepEqual(marks, []);
    }
  },
});
