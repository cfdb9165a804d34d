// SPDX-License-Identifier: MIT OR Unlicense
// Every example, run as its first lines say: that it ends well, and that the server holds what it is there to show.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { HELLO, ROOT, start, startMnemic, until } from './mnemic.mjs';
import { exported, runsOf, sideBySide } from './traced.mjs';

const EXAMPLES = dirname(HELLO);

/** Runs an example to its end. Returns its run and a function that gives a column's values. */
async function run(scene, name, { args = ['2'], app = name } = {}) {
  const server = await scene.server();
  const env = { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: `${server.udp}` };
  const child = start(join(EXAMPLES, name), args, { env });
  scene.later(() => child.stop('SIGKILL'));
  assert.equal(await child.ended, 0, child.log());
  const ended = await until(`the end of ${app}`, async () => (await runsOf(server, app)).find((r) => r.state === 'ended'));
  const rows = await exported(server, ended.id);
  const values = (column) => {
    const at = ended.columns.indexOf(column);
    assert.notEqual(at, -1, `${column} is no column of ${app}: ${ended.columns}`);
    return rows.map((row) => row.values[at]);
  };
  assert.ok(rows.length >= 3 && ended.lost === 0, `${rows.length} rows, ${ended.lost} lost`);
  return { server, ended, values, last: (column) => values(column).at(-1) };
}

const some = (values) => values.filter((v) => v !== null);

sideBySide({
  'hello': async (scene) => {
    const { last } = await run(scene, 'hello', { app: 'hello-world' });
    assert.ok(last('requests') > 0 && last('serve_hits') === last('requests') && last('queue_depth') > 0);
  },
  'probes: no value, a column that joins, a unit': async (scene) => {
    const { server, ended, values } = await run(scene, 'probes', { args: ['6'] });
    assert.ok(some(values('level')).length === values('level').length);
    assert.ok(values('pump_pressure').includes(null) && some(values('pump_pressure')).length > 0);
    assert.ok(values('drawn_per_second')[0] === null && some(values('drawn_per_second')).some((v) => v > 0));
    const { column_info: info } = await server.get(`/api/v1/runs/${ended.id}`);
    assert.equal(info.find((c) => c.name === 'level').unit, 'l');
  },
  'functions: each is counted and timed': async (scene) => {
    const { last, values } = await run(scene, 'functions');
    for (const name of ['request', 'parse', 'look_up', 'cache', 'format']) assert.equal(last(`${name}_hits`), 400, name);
    assert.equal(last('disk_hits'), 8);
    const least = (column) => Math.min(...some(values(column)));
    assert.ok(least('disk_p50') > least('cache_p50'));
    assert.ok(last('request_average_time') >= last('parse_average_time') + last('look_up_average_time'));
  },
  'threads: what all workers served, by count and by scope': async (scene) => {
    const { last, values } = await run(scene, 'threads');
    assert.ok(last('served') > 40 && last('served') === last('serve_hits'));
    assert.ok(values('serve_active_instances').every((n) => n >= 0 && n <= 4));
    assert.ok(last('serve_active_instances') === 0 && last('queue_length') === 0);
  },
  'classes: exceptions leave scopes, too': async (scene) => {
    if (!existsSync(join(EXAMPLES, 'classes'))) return;
    const { last } = await run(scene, 'classes');
    assert.ok(last('Accounts::move_hits') === 400 && last('Accounts::move_active_instances') === 0);
    assert.equal(last('moved') / 7 + last('refused'), 400);
    assert.equal(last('accounts'), 102);
  },
  'plugin: a library and its host, each an application': async (scene) => {
    const { server, last } = await run(scene, 'plugin_host', { app: 'plugin-host' });
    assert.equal(last('round_hits'), 200);
    const [plugin] = await runsOf(server, 'plugin');
    assert.equal(plugin.state, 'ended');
    const rows = await exported(server, plugin.id);
    assert.equal(rows.at(-1).values[plugin.columns.indexOf('plugin_calls')], 200);
  },
  'soak: the verdict on a leak is the exit status': async () => {
    const soak = (...words) => new Promise((resolve) => {
      execFile('sh', [join(ROOT, 'examples/soak.sh'), dirname(EXAMPLES), join(EXAMPLES, 'soak'), '6', ...words],
        (error, out, log) => resolve({ status: error ? error.code : 0, out: out + log }));
    });
    const [steady, leak] = await Promise.all([soak('keep'), soak('leak')]);
    assert.equal(steady.status, 0, steady.out);
    assert.equal(leak.status, 1, leak.out);
    assert.match(leak.out, /held_by_sessions +rising !/);
  },
});

test('postgres: its rows and sessions, and none while it is gone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pg-'));
  const database = (...words) => spawnSync('bash', [join(ROOT, 'tests/postgres.sh'), ...words], { encoding: 'utf8' });
  const begun = database('start', folder);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (begun.status === 77) return t.skip('no PostgreSQL server is installed');
  assert.equal(begun.status, 0, begun.stderr);
  const url = begun.stdout.trim();
  const sql = (text) => spawnSync('psql', ['-qAt', url, '-c', text], { encoding: 'utf8' });
  assert.equal(sql('create table t as select generate_series(1, 5000) as i; delete from t where i <= 1000; analyze t').status, 0);
  const scene = {
    later: (end) => t.after(end),
    server: async () => {
      const server = await startMnemic();
      t.after(() => server.remove());
      return server;
    },
  };
  const { values } = await run(scene, 'postgres', { args: ['5', url] }).finally(() => database('stop', folder, 'immediate'));
  const known = (column) => some(values(column)).at(-1);
  assert.equal(known('live_msgs'), 4000);
  assert.equal(known('dead_msgs'), 1000);
  assert.ok(known('count_db_connections') >= 1 && known('idle') >= 0);
  const gone = await run(scene, 'postgres', { args: ['3', url] });
  assert.deepEqual(some(gone.values('live_msgs')), []);
});

test('each example is listed in the README', () => {
  const files = readdirSync(join(ROOT, 'examples')).filter((f) => /\.(c|cpp)$/.test(f));
  const listed = readFileSync(join(ROOT, 'examples/README.md'), 'utf8');
  for (const file of files) assert.ok(listed.includes(`(${file})`), file);
});
