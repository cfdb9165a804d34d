// SPDX-License-Identifier: MIT OR Unlicense
// The binary wire sealed with a key: as reliable as without, and deaf and dumb to everybody else.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { assertWhole, metric, runsOf, runWith, sideBySide } from './traced.mjs';
import { until } from './mnemic.mjs';

const dir = mkdtempSync(join(tmpdir(), 'mnemic-keys-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function newKey(name) {
  const path = join(dir, name);
  writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600 });
  return path;
}

const [KEY, OTHER] = ['key', 'other'].map(newKey);
const withKey = { args: ['--key-file', KEY] };
const sealed = (key) => ({ program: 'rows_sealed', env: { DOLON_KEY_FILE: key } });

const ROWS = ['interval=0.005', 'columns=4', 'ring=4000000', 'goodbye=60'];

/** A program that the server does not want: nothing of it is stored, nothing answered, and it is counted. */
async function ignored(scene, options, reason) {
  const server = await scene.server(withKey);
  const proxy = await scene.proxy(server, 1);
  const program = scene.trace(proxy.port, ['interval=0.01', 'count=100'], options);
  await until('it notices', async () => /^-11 /m.test(program.log())
    || program.child.exitCode !== null);
  await program.sampled();
  await until('it is counted', async () =>
    (await metric(server, `mnemic_datagrams_ignored_total{reason="${reason}"}`)) > 0);
  assert.deepEqual(await server.get('/api/v1/apps'), []);
  assert.equal(await metric(server, 'mnemic_records_total'), 0);
  const stranger = await scene.stranger(server);
  const before = await metric(server, 'mnemic_datagrams_total');
  for (let i = 0; i < 20; i++) await stranger.send(randomBytes(20 + 10 * i));
  await until('they came', async () => (await metric(server, 'mnemic_datagrams_total')) >= before + 20);
  assert.deepEqual(stranger.heard, []);
}

sideBySide({
  'a lossy network and a SIGKILL': async (scene) => {
    let server = await scene.server(withKey);
    const proxy = await scene.proxy(server, 2, { loss: 0.2, twice: 0.2, jitter: 100 });
    const program = scene.trace(proxy.port, ROWS, sealed(KEY));
    await runWith(server, program.app, 300);
    await server.stop('SIGKILL');
    server = await scene.server(server);
    await runWith(server, program.app, 900);
    await assertWhole(server, program.app, await program.sampled(), { columns: 4 });
    assert.ok(proxy.count.lost > 0 && proxy.count.doubled > 0);
  },

  'what was recorded on the way is of no use: not again, not after a restart, not in the middle': async (scene) => {
    let server = await scene.server(withKey);
    const proxy = await scene.proxy(server, 3);
    proxy.record = [];
    const program = scene.trace(proxy.port, ROWS, sealed(KEY));
    const replay = async () => {
      const stranger = await scene.stranger(server);
      const before = await metric(server, 'mnemic_ingest_replayed_total');
      const recorded = [...proxy.record];
      await until('all are counted', async () => { // but for those that come before the store has answered
        for (const bytes of recorded) await stranger.send(bytes);
        return (await metric(server, 'mnemic_ingest_replayed_total')) >= before + recorded.length;
      });
      assert.deepEqual(stranger.heard, []);
    };
    await runWith(server, program.app, 200);
    await replay();
    const sampled = await program.sampled();
    const { run } = await assertWhole(server, program.app, sampled, { columns: 4 });
    await replay();
    await server.stop(); // not SIGKILL: the last goodbye may have been said twice, and that it was is stored a moment later
    server = await scene.server(server);
    await replay();
    assert.deepEqual(await runsOf(server, program.app), [run]);
    await assertWhole(server, program.app, sampled, { columns: 4 });
  },

  'another key': (scene) => ignored(scene, sealed(OTHER), 'forged'),

  'no seal': (scene) => ignored(scene, {}, 'unsealed'),

  'a server without a key refuses what is sealed, and the client says so': async (scene) => {
    const server = await scene.server();
    const program = scene.trace(server.udp, ['interval=0.01', 'goodbye=60'], sealed(KEY));
    await until('it says so', async () => /^-10 .*no key/m.test(program.log()));
    await program.sampled();
    assert.deepEqual(await server.get('/api/v1/apps'), []);
    assert.ok((await metric(server, 'mnemic_datagrams_refused_total{reason="sealed"}')) > 0);
  },
});
