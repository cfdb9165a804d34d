// SPDX-License-Identifier: MIT OR Unlicense
// The real TimescaleDB and Citus, where they are installed: mnemic makes use of them by itself, and in a database that it
// filled before by what server/POSTGRESQL.md says. (What mnemic asks of them is tested everywhere, by stand-ins, in
// postgres_sql.test.mjs; what every store promises, by tests/run.sh, too.)

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MISSING, Postgres } from './postgres.mjs';
import { ROOT } from './mnemic.mjs';
import { assertWhole, sideBySide } from './traced.mjs';

const manual = readFileSync(join(ROOT, 'server/POSTGRESQL.md'), 'utf8');
const byHand = (name) => new RegExp(`^-- ${name}\n(.*?)(?=^--|^\`\`\`)`, 'ms').exec(manual)[1];

async function installed() {
  const postgres = await Postgres.create();
  const names = await postgres.sql("SELECT name FROM pg_available_extensions WHERE name IN ('citus', 'timescaledb')");
  await postgres.remove();
  return names.split('\n');
}

async function cluster(scene, settings) {
  const it = await Postgres.create(settings);
  scene.later(() => it.remove());
  return it;
}

/** A database that could have the extension; and `extend`, which gives it. */
const MAKE = {
  TimescaleDB: async (scene) => {
    const postgres = await cluster(scene, { shared_preload_libraries: 'timescaledb', 'timescaledb.telemetry_level': 'off' });
    return { postgres, extend: () => postgres.sql('CREATE EXTENSION timescaledb') };
  },
  Citus: async (scene) => {
    const settings = { shared_preload_libraries: 'citus', 'citus.node_conninfo': 'sslmode=prefer', 'citus.shard_count': 4,
      'citus.enable_statistics_collection': 'off', max_prepared_transactions: 40, max_connections: 100, wal_level: 'logical' };
    const all = await Promise.all([1, 2, 3].map(() => cluster(scene, settings)));
    const [postgres, ...workers] = all;
    const extend = async () => {
      await Promise.all(all.map((one) => one.sql('CREATE EXTENSION citus')));
      await postgres.sql(`SELECT citus_set_coordinator_host('127.0.0.1', ${postgres.port})`);
      for (const worker of workers) await postgres.sql(`SELECT citus_add_node('127.0.0.1', ${worker.port})`);
    };
    return { postgres, extend };
  },
};

/** How the rows lie: a query, and its answer. */
const LIES = {
  TimescaleDB: [`SELECT hypertable_name, count(*) FROM timescaledb_information.dimensions WHERE hypertable_schema = 'mnemic'
    AND column_name = 'first_time' AND integer_interval = 604800000000000 GROUP BY 1`, 'chunk|1'],
  Citus: [`SELECT table_name, distribution_column, count(DISTINCT nodeport) FROM citus_tables JOIN citus_shards USING (table_name)
    WHERE table_name::text LIKE 'mnemic.%' AND citus_shards.citus_table_type = 'distributed' GROUP BY 1, 2 ORDER BY table_name::text COLLATE "C"`,
  'mnemic.chunk|run|2\nmnemic.event|run|2\nmnemic.run|run|2'],
};

/** Rows that two servers store, in turn; then all who may read them do. */
async function storesAndShows(scene, postgres) {
  const servers = await Promise.all([1, 2].map(() => scene.server({ store: postgres.url })));
  const program = scene.trace(servers[0].udp, ['interval=0.005', 'columns=3', 'count=2500', 'goodbye=60']);
  const sampled = await program.sampled();
  await assertWhole(servers[1], program.app, sampled, { columns: 3 });
  const run = `(SELECT run FROM mnemic.run WHERE app = '${program.app}' ORDER BY started DESC LIMIT 1)`;
  assert.equal(await postgres.sql(`SELECT count(*), count(row_data[1]) FROM mnemic.tracing_row WHERE uuid = ${run}::text`),
    `${sampled}|${sampled}`);
  assert.equal(await postgres.sql(`SELECT count(*) FROM mnemic.value WHERE run = ${run}`), `${3 * sampled}`);
  assert.equal(await postgres.sql(`SELECT count(*) FROM mnemic.values_between(${run}, now() - interval '1 day', now())`),
    `${3 * sampled}`);
  assert.equal(await postgres.sql(`SELECT array_length(column_names, 1) FROM tracing_run WHERE app_name = '${program.app}'`), '3');
  return { servers, app: program.app, sampled };
}

const scenes = (name) => ({
  [`${name}: used where it is there before mnemic`]: async (scene) => {
    const { postgres, extend } = await MAKE[name](scene);
    await extend();
    await storesAndShows(scene, postgres);
    assert.equal(await postgres.sql(LIES[name][0]), LIES[name][1]);
  },

  [`${name}: for what is stored already, by hand`]: async (scene) => {
    const { postgres, extend } = await MAKE[name](scene);
    const { servers, app, sampled } = await storesAndShows(scene, postgres);
    for (const server of servers) await server.stop();
    await extend();
    await postgres.script(byHand(name));
    assert.equal(await postgres.sql(LIES[name][0]), LIES[name][1]);
    const { servers: later } = await storesAndShows(scene, postgres);
    await assertWhole(later[0], app, sampled, { columns: 3 });
  },
});

const there = MISSING ? [] : await installed();
const use = Object.keys(MAKE).filter((name) => there.includes(name.toLowerCase()));
for (const name of Object.keys(MAKE)) if (!use.includes(name)) test(name, { skip: MISSING || `${name} is not installed` }, () => {});
if (use.length > 0) sideBySide(Object.assign({}, ...use.map(scenes)));
