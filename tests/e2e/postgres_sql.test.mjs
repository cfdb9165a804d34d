// SPDX-License-Identifier: MIT OR Unlicense
// PostgreSQL as its users meet it: the SQL of server/POSTGRESQL.md works as it stands there; and extensions that mnemic
// makes use of, by stand-ins that record what they are asked for.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MISSING, Postgres } from './postgres.mjs';
import { Program, ROOT } from './mnemic.mjs';
import { assertWhole, runWith, sideBySide } from './traced.mjs';

/** The SQL blocks of the manual, by the words that they begin with. */
const manual = readFileSync(join(ROOT, 'server/POSTGRESQL.md'), 'utf8');
const blocks = [...manual.matchAll(/^```sql\n(.*?)^```/gms)].map(([, sql]) => sql);
function block(words) {
  const found = blocks.filter((sql) => sql.startsWith(words));
  assert.equal(found.length, 1, words);
  return found[0];
}

async function cluster(scene, settings) {
  const it = await Postgres.create(settings);
  scene.later(() => it.remove());
  return it;
}

const as = (postgres, role) => `postgresql://${role}@127.0.0.1:${postgres.port}/mnemic`;

/** A program whose 100 rows are stored; its run's id. */
async function fill(scene, server, app) {
  const program = new Program(server, ['memory_use', 'cpu_percent'], { app_name: app });
  scene.later(() => program.close());
  await program.history(100, (i) => [i / 8, i % 10 === 3 ? null : 100 - i]);
  await program.announce();
  await runWith(server, app, 100);
  return program.uuid;
}

/** What create_distributed_table() and create_hypertable() are called with; the parameters and their order as in Citus 12
 *  and TimescaleDB 2. An extension is there if pg_extension says so. */
const STAND_INS = {
  citus: `CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
      distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
    RETURNS void LANGUAGE sql AS $$ INSERT INTO public.asked (what) VALUES
      (format('%s by %s, %s, with %s', $1, $2, $3, $4)) $$;`,
  timescaledb: `CREATE FUNCTION create_hypertable(relation regclass, time_column_name name,
      partitioning_column name DEFAULT NULL, number_partitions integer DEFAULT NULL, associated_schema_name name DEFAULT NULL,
      associated_table_prefix name DEFAULT NULL, chunk_time_interval anyelement DEFAULT NULL::bigint,
      create_default_indexes boolean DEFAULT true, if_not_exists boolean DEFAULT false,
      partitioning_func regproc DEFAULT NULL, migrate_data boolean DEFAULT false)
    RETURNS TABLE (hypertable_id int, schema_name name, table_name name, created boolean) LANGUAGE sql AS $$
      INSERT INTO public.asked (what) VALUES (format('%s by %s, %s, %s', $1, $2, $7, $8)) RETURNING 1, ''::name, ''::name, true $$;`,
};

async function withExtension(scene, name) {
  const postgres = await cluster(scene);
  if (name) {
    await postgres.script(`CREATE TABLE asked (number serial, what text); ${STAND_INS[name]}
      INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
      VALUES (99999, '${name}', 10, 'public'::regnamespace, false, '1.0');`);
  }
  const servers = await Promise.all([1, 2].map(() => scene.server({ store: postgres.url })));
  const program = scene.trace(servers[0].udp, ['interval=0.005', 'columns=3', 'count=500', 'goodbye=60']);
  await assertWhole(servers[1], program.app, await program.sampled(), { columns: 3 });
  return postgres;
}

/** Tables, keys, views and functions, as text. */
const dump = (postgres) => postgres.sql(`
  SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT table_name || '.' || column_name || ' ' || data_type AS line FROM information_schema.columns
      WHERE table_schema = 'mnemic' UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'mnemic' UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'mnemic'::regnamespace UNION ALL
    SELECT definition FROM pg_views WHERE schemaname = 'mnemic') AS lines`);

const tests = {
  'the manual: roles, queries, views': async (scene) => {
    const postgres = await cluster(scene);
    await postgres.script(block('CREATE ROLE mnemic'));
    const server = await scene.server({ store: as(postgres, 'mnemic') });
    const id = await fill(scene, server, 'hello-world');
    await postgres.script(`\\connect mnemic mnemic\n${block('GRANT USAGE')}`.replace(/ALTER ROLE.*;/, ''));
    await postgres.script(block('GRANT USAGE').match(/ALTER ROLE.*;/)[0]);
    const read = (sql) => postgres.script(`\\connect mnemic mnemic_reader\n${sql}`);

    const values = (await read(block('SELECT v.time'))).split('\n').map((line) => line.split('|'));
    assert.equal(values.length, 190, 'a value that is none has no row');
    assert.deepEqual(values.filter(([, name]) => name === 'memory_use').map(([, , v]) => Number(v)),
      Array.from({ length: 100 }, (_, i) => i / 8));
    assert.match(await read(block('SELECT run AS __value')), new RegExp(`^${id}\\|hello-world 20`));
    const outline = (await read(block('SELECT to_timestamp'))).split('\n').map((line) => line.split('|').slice(1).map(Number));
    const count = outline.reduce((sum, [rows]) => sum + rows, 0);
    assert.deepEqual([count, Math.min(...outline.map((o) => o[2])), Math.max(...outline.map((o) => o[3]))], [100, 0, 99 / 8]);
    assert.equal(await read(`SELECT row_data[2] FROM mnemic.tracing_row WHERE uuid = '${id}' ORDER BY date_time LIMIT 1`), '100');
    assert.equal(await read(`SELECT count(value) FROM mnemic.value WHERE run = '${id}'`), '190');
    assert.equal(await read('SELECT app_name, column_names FROM mnemic.tracing_run'), 'hello-world|{memory_use,cpu_percent}');
    await assert.rejects(read(`UPDATE mnemic.run SET note = 'x'`), /permission denied/);
  },

  'TimescaleDB: a hypertable, once': async (scene) => {
    const [plain, timescale] = await Promise.all([withExtension(scene), withExtension(scene, 'timescaledb')]);
    assert.equal(await timescale.sql('SELECT what FROM asked'), 'mnemic.chunk by first_time, 604800000000000, f');
    assert.equal(await dump(timescale), await dump(plain), 'nothing else differs');
  },

  'Citus: distributed tables, once': async (scene) => {
    const [plain, citus] = await Promise.all([withExtension(scene), withExtension(scene, 'citus')]);
    assert.deepEqual((await citus.sql('SELECT what FROM asked ORDER BY number')).split('\n'), [
      'mnemic.run by run, hash, with default', 'mnemic.chunk by run, hash, with mnemic.run',
      'mnemic.event by run, hash, with mnemic.run']);
    assert.equal(await dump(citus), await dump(plain), 'nothing else differs');
  },

  'the manual: the extensions\' functions by hand': async (scene) => {
    const postgres = await withExtension(scene);
    await postgres.script(`CREATE TABLE asked (number serial, what text); ${STAND_INS.citus} ${STAND_INS.timescaledb}`);
    await postgres.script(block('-- TimescaleDB'));
    assert.equal(await postgres.sql('SELECT count(*) FROM asked'), '4');
  },

  'the connection string is nowhere to be seen': async (scene) => {
    const postgres = await cluster(scene);
    const server = await scene.server({ store: `postgresql://postgres:secret-word@127.0.0.1:${postgres.port}/postgres` });
    await fill(scene, server, 'app');
    await postgres.stop();
    for (const path of ['/', '/metrics', '/readyz', '/api/v1/apps', '/api/v1/status']) {
      const text = await (await fetch(new URL(path, server.url))).text();
      assert.doesNotMatch(text, /secret-word/, path);
    }
    assert.doesNotMatch(server.log(), /secret-word/);
  },
};

if (MISSING) test('SQL', { skip: MISSING }, () => {});
else sideBySide(tests);
