// SPDX-License-Identifier: MIT OR Unlicense
// A database of the Python original: its runs are shown, and moved into chunks; and its readers get their rows from ours.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { MISSING, Postgres } from './postgres.mjs';
import { Program, ROOT, start, until } from './mnemic.mjs';
import { exported, runsOf, runWith, sideBySide } from './traced.mjs';

const MNEMIC = process.env.MNEMIC ?? join(ROOT, 'build/mnemic');

/** The tables as the original makes them: names, types, keys and defaults. */
const TABLES = `
  CREATE TABLE tracing_run (id serial PRIMARY KEY, uuid VARCHAR UNIQUE NOT NULL, app_name VARCHAR(128) NOT NULL,
    column_names text[], creation_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP, UNIQUE (uuid, app_name));
  CREATE TABLE tracing_row (id serial PRIMARY KEY, uuid VARCHAR, row_data real[],
    date_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP);`;

/** A database of the original, in a zone that is far from UTC. */
async function originalDatabase(scene, settings) {
  const it = await Postgres.create(settings);
  scene.later(() => it.remove());
  await it.sql("ALTER DATABASE postgres SET timezone = 'America/New_York'");
  await it.script(TABLES);
  return it;
}

/** As the original's server does for a create_trace_run, and for a row: what it does not name is given by defaults. */
const announce = (uuid, app, columns) => `INSERT INTO tracing_run (uuid, app_name, column_names) VALUES ('${uuid}', '${app}',
  ARRAY[${columns.map((name) => `'${name}'`)}]::text[]);\n`;
const insert = (uuid, values) => `INSERT INTO tracing_row (uuid, row_data) VALUES ('${uuid}', '{${values}}');\n`;

/** `count` rows for each of the runs in turn, 100 ms apart from an hour ago: two values and, now and then, none. */
const history = (uuids, count) => `
  INSERT INTO tracing_row (uuid, row_data, date_time)
  SELECT run, ARRAY[sin(i), CASE WHEN i % 7 = 3 THEN NULL WHEN i % 7 = 4 THEN 'NaN' ELSE i / 10.0 END]::real[],
    date_trunc('second', now())::timestamp - interval '1 hour' + i * interval '100 milliseconds' + interval '7 microseconds'
  FROM generate_series(1, ${count}) AS i, unnest(ARRAY[${uuids.map((u) => `'${u}'`)}]) AS run ORDER BY i;`;

async function importOriginal(postgres, args = []) {
  const child = start(MNEMIC, ['import', '--store', postgres.url, '--original', ...args]);
  let out = '';
  child.child.stdout.on('data', (text) => { out += text; });
  await new Promise((resolve) => child.child.on('close', resolve)); // all that it said has been read
  return { code: child.child.exitCode, out, log: child.log() };
}

const csv = async (server, id) => (await fetch(new URL(`/api/v1/runs/${id}.csv`, server.url))).text();

/** The run's rows by SQL, as the CSV has them: time in UTC, id, values as float64. */
const expected = (postgres, uuid) => postgres.sql(`
  SELECT to_char(date_time AT TIME ZONE 'America/New_York' AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"'), id,
    coalesce(nullif(row_data[1]::float8::text, 'NaN'), ''), coalesce(nullif(row_data[2]::float8::text, 'NaN'), '')
  FROM tracing_row WHERE uuid = '${uuid}' ORDER BY date_time, id`, ['-F', ',']);

/** Name-based, by MD5, of a text that is no UUID (RFC 9562, 5.3), in the namespace of URLs. */
function namedUuid(text) {
  const bytes = createHash('md5').update(Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')).update(text).digest();
  bytes[6] = (bytes[6] & 0x0f) | 0x30;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The statements of the original's page and of its users' scripts, with what they answer. */
const READERS = (app, uuid) => `
  PREPARE names AS select app_name from tracing_run group by app_name order by max(creation_time) desc;
  EXECUTE names;
  PREPARE latest AS select uuid from tracing_run where app_name=$1 order by creation_time desc limit 1;
  EXECUTE latest('${app}');
  PREPARE runs AS select creation_time as creation_time, uuid from tracing_run where app_name = $1
    order by creation_time desc;
  EXECUTE runs('${app}');
  PREPARE number AS select cardinality(column_names) as col_count, uuid from tracing_run where uuid=$1;
  EXECUTE number('${uuid}');
  PREPARE columns AS select unnest as col_name, ordinality - 1 as index
    from unnest((select column_names from tracing_run where uuid=$1)) with ordinality;
  EXECUTE columns('${uuid}');
  PREPARE name AS select app_name, creation_time from tracing_run where uuid=$1;
  EXECUTE name('${uuid}');
  PREPARE info AS select count(*) as counter, min(a.date_time) as from_time, max(a.date_time) as to_time
    from tracing_row a where a.uuid=$1;
  EXECUTE info('${uuid}');
  PREPARE trace AS select to_char(date_time, 'YYYY-MM-DD HH24:MI:SS') as timestamp, row_data[1]::real as a,
    row_data[2]::real as b from tracing_row where uuid=$1 order by 1;
  EXECUTE trace('${uuid}');`;

const sortedLines = (text) => text.replaceAll('NaN', '').split('\n').sort();

const tests = {
  'runs are shown from the tables, moved, and shown just so from chunks': async (scene) => {
    const postgres = await originalDatabase(scene);
    const [first, second, empty] = [randomUUID(), randomUUID(), randomUUID()];
    await postgres.script([
      announce(first, 'old-app', ['wave', 'ramp']), announce(second, 'old-app', ['wave', 'ramp']),
      announce(empty, 'empty', ['none']), announce('no uuid, but unique', 'odd', ['x', 'y', 'x']),
      history([first, second], 3000), insert('no uuid, but unique', [0.41, 'NULL', -2]),
      insert('no uuid, but unique', [1]), insert('no uuid, but unique', [1, 2, 3, 4]), insert('never announced', [1]),
      "UPDATE tracing_run SET creation_time = creation_time - interval '2 hours' WHERE app_name = 'old-app'",
    ].join(''));
    const now = Date.now();
    const server = await scene.server({ store: postgres.url });

    const runs = await runsOf(server, 'old-app');
    assert.deepEqual(runs.map((r) => [r.rows, r.lost, r.columns, r.state]), [1, 2].map(() => [3000, 0, ['wave', 'ramp'], 'lost']));
    for (const run of runs) {
      assert.ok(Math.abs(run.started - (now - 7_200_000)) < 60_000, `began ${run.started - now} ms from now`);
      assert.ok(Math.abs(run.last - (now - 3_300_000)) < 60_000, `its last row ${run.last - now} ms from now`);
    }
    const odd = namedUuid('no uuid, but unique');
    const [{ id, rows, columns }] = await runsOf(server, 'odd');
    assert.deepEqual([id, rows, columns], [odd, 3, ['x', 'y', 'x (2)']]);
    const f = Math.fround;
    assert.deepEqual((await exported(server, odd)).map((r) => r.values), [[f(0.41), null, -2], [1, null, null], [1, 2, 3]]);
    assert.deepEqual((await runsOf(server, 'empty')).map((r) => r.rows), [0]);

    const before = {};
    for (const uuid of [first, second]) {
      before[uuid] = await csv(server, uuid);
      assert.deepEqual(before[uuid].trim().split('\r\n').slice(1).map((l) => l.replace(/e([+-])0?(\d)/, 'e$1$2')),
        (await expected(postgres, uuid)).split('\n').map((l) => l.replace(/e([+-])0?(\d)/, 'e$1$2')));
    }
    const overview = await server.get(`/api/v1/runs/${first}/series?points=50`);
    assert.equal(overview.rows.reduce((a, b) => a + b), 3000);
    const close = await server.get(`/api/v1/runs/${first}/series?from=${overview.time[10]}&to=${overview.time[20]}`);
    assert.ok(close.time.length >= 550 && close.time.length <= 650, `${close.time.length} rows of a fifth`);
    const read = sortedLines(await postgres.script(READERS('old-app', first)));

    const done = await importOriginal(postgres);
    assert.equal(done.code, 0, done.log);
    assert.match(done.out, /^6003 rows moved; 6003 are in chunks/);
    assert.match(done.out, /^1 rows left alone: their runs were never announced$/m);
    assert.equal(await postgres.sql('SELECT count(*) FROM tracing_row'), '6004', 'nothing was dropped');
    assert.equal(await postgres.sql('SELECT sum(rows) FROM mnemic.chunk WHERE level = 0'), '6003');
    for (const uuid of [first, second]) assert.equal(await csv(server, uuid), before[uuid]);
    assert.deepEqual((await exported(server, odd)).map((r) => r.values), [[f(0.41), null, -2], [1, null, null], [1, 2, 3]]);
    assert.deepEqual(await server.get(`/api/v1/runs/${first}/series?points=50`), overview);

    await postgres.script(insert(second, [7, 8]) + announce(randomUUID(), 'late', ['a']));
    const again = await importOriginal(postgres, ['--drop-original']);
    assert.equal(again.code, 1, 'a row without a run is still in the tables');
    assert.match(again.log, /kept: they hold 1 rows/);
    assert.deepEqual((await exported(server, second)).at(-1).values, [7, 8]);
    await postgres.sql("DELETE FROM tracing_row WHERE uuid = 'never announced'");
    const last = await importOriginal(postgres, ['--drop-original']);
    assert.equal(last.code, 0, last.log);
    assert.match(last.out, /dropped/);

    assert.equal(await csv(server, first), before[first]);
    assert.equal((await csv(server, second)).trim().split('\r\n').length, 3002);
    assert.deepEqual((await server.get('/api/v1/apps')).map((a) => [a.app, a.runs.length]).sort(),
      [['empty', 1], ['late', 1], ['odd', 1], ['old-app', 2]]);
    const left = read.filter((line) => line !== 'late').filter(Boolean);
    const views = sortedLines(await postgres.script(READERS('old-app', first))).filter((line) => line && line !== 'late');
    assert.deepEqual(views, left, 'the original\'s readers get the same from the views');
  },

  'an import that is killed goes on; rows that come meanwhile are moved by the next': async (scene) => {
    const postgres = await originalDatabase(scene);
    const uuids = Array.from({ length: 5 }, () => randomUUID());
    await postgres.script(uuids.map((u) => announce(u, 'long', ['wave', 'ramp'])).join('') + history(uuids, 60_000));
    let kills = 0;
    for (let rows = 0; kills < 4; kills++) {
      const child = start(MNEMIC, ['import', '--store', postgres.url, '--original']);
      await until('more rows in chunks', async () => {
        if (child.child.exitCode !== null) return true;
        const there = await postgres.sql("SELECT CASE WHEN to_regclass('mnemic.run') IS NULL THEN 0 ELSE 1 END");
        const now = there === '1' ? Number(await postgres.sql('SELECT coalesce(sum(rows), 0) FROM mnemic.run')) : 0;
        const more = now > rows;
        rows = now;
        return more;
      });
      await child.stop('SIGKILL');
    }
    const late = insert(uuids[2], [1, 2]);
    await postgres.script(late);
    const done = await importOriginal(postgres);
    assert.equal(done.code, 0, done.log);
    assert.equal(await postgres.sql('SELECT string_agg(rows::text, $$ $$ ORDER BY rows) FROM mnemic.run'),
      '60000 60000 60000 60000 60001');
    assert.equal(await postgres.sql('SELECT count(*) FILTER (WHERE moved) FROM mnemic.original'), '5');
    const server = await scene.server({ store: postgres.url });
    for (const uuid of [uuids[0], uuids[2]]) {
      const values = (await exported(server, uuid)).map((row) => row.seq);
      const ids = (await postgres.sql(`SELECT id FROM tracing_row WHERE uuid = '${uuid}' ORDER BY date_time, id`)).split('\n');
      assert.deepEqual(values, ids.map(Number));
    }
    await postgres.script(late);
    assert.match((await importOriginal(postgres)).out, /^1 rows moved; 1 are in chunks/);
    assert.match((await importOriginal(postgres)).out, /^0 rows moved; 0 are in chunks/);
  },

  'what differs is told, and the tables count': async (scene) => {
    const postgres = await originalDatabase(scene);
    const uuid = randomUUID();
    await postgres.script(announce(uuid, 'old-app', ['wave', 'ramp']) + history([uuid], 2000));
    assert.equal((await importOriginal(postgres)).code, 0);
    await postgres.script(history([uuid], 10) + `
      CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER lossy BEFORE INSERT ON mnemic.chunk FOR EACH ROW EXECUTE FUNCTION lose();`);
    const broken = await importOriginal(postgres);
    assert.equal(broken.code, 1);
    assert.match(broken.log, new RegExp(`the run ${uuid} has, in chunks, another number of rows`));
    const server = await scene.server({ store: postgres.url });
    assert.equal((await exported(server, uuid)).length, 2010);
  },

  'a run whose program sends to mnemic now is left alone': async (scene) => {
    const postgres = await originalDatabase(scene);
    const server = await scene.server({ store: postgres.url });
    const program = new Program(server, ['wave', 'ramp'], { app_name: 'moved' });
    scene.later(() => program.close());
    await program.live();
    for (let i = 0; i < 10; i++) await program.row([i, i]);
    await runWith(server, 'moved', 10);
    await postgres.script(announce(program.uuid, 'moved', ['wave', 'ramp']) + history([program.uuid], 20));
    assert.equal((await runsOf(server, 'moved'))[0].rows, 10);
    assert.match((await importOriginal(postgres)).out, /^1 runs left alone/m);
    assert.equal((await exported(server, program.uuid)).length, 10);
  },

  'no tables, no import': async (scene) => {
    const postgres = await Postgres.create();
    scene.later(() => postgres.remove());
    const { code, log } = await importOriginal(postgres);
    assert.equal(code, 1);
    assert.match(log, /^mnemic: [^\n]*no tables public\.tracing_run and public\.tracing_row/);
  },

  'tables of the same names that are another\'s are left alone': async (scene) => {
    const postgres = await Postgres.create();
    scene.later(() => postgres.remove());
    await postgres.script('CREATE TABLE tracing_run (uuid text, since date); CREATE TABLE tracing_row (uuid text, n integer);');
    const server = await scene.server({ store: postgres.url });
    const program = new Program(server, ['wave'], { app_name: 'beside' });
    scene.later(() => program.close());
    await program.live();
    await program.row([1], 1700000000_000);
    await runWith(server, 'beside', 1);
    assert.equal((await importOriginal(postgres)).code, 1);
    assert.equal(await postgres.sql('SELECT count(*) FROM tracing_row'), '0');
  },

  'the original\'s readers get their rows from ours': async (scene) => {
    const postgres = await Postgres.create();
    scene.later(() => postgres.remove());
    const server = await scene.server({ store: postgres.url });
    const program = new Program(server, ['wave', 'ramp'], { app_name: 'new-app' });
    scene.later(() => program.close());
    await program.live();
    const first = 1700000000_000;
    for (let i = 0; i < 30; i++) await program.row([i / 4, i % 5 === 2 ? null : -i], first + i * 1000);
    await runWith(server, 'new-app', 30);
    const lines = (await postgres.script(READERS('new-app', program.uuid))).split('\n');
    assert.deepEqual(lines.slice(0, 2), ['new-app', program.uuid]);
    assert.ok(lines.includes(`2|${program.uuid}`));
    assert.deepEqual(lines.filter((line) => /^(wave|ramp)\|/.test(line)), ['wave|0', 'ramp|1']);
    assert.ok(lines.includes('30|2023-11-14 22:13:20|2023-11-14 22:13:49'));
    assert.deepEqual(lines.slice(-30), Array.from({ length: 30 }, (_, i) =>
      `2023-11-14 22:13:${20 + i}|${i / 4}|${i % 5 === 2 ? '' : -i}`));
    const types = await postgres.sql(`SELECT string_agg(table_name || '.' || column_name || ' ' || udt_name, ', '
      ORDER BY table_name, ordinal_position) FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name IN ('tracing_run', 'tracing_row')`);
    assert.equal(types, 'tracing_row.uuid text, tracing_row.row_data _float8, tracing_row.date_time timestamp, ' +
      'tracing_run.uuid text, tracing_run.app_name text, tracing_run.column_names _text, tracing_run.creation_time timestamp');
  },
};

if (MISSING) test('databases of the original', { skip: MISSING }, () => {});
else sideBySide(tests);
