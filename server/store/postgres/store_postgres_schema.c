/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_schema: the tables and views of the PostgreSQL store, and how an older database gets them.

   mnemic.schema_version has a row for each of `steps` that is done. A new version appends steps; what is released is never
   changed. Each step is one statement and one transaction. An advisory lock lets one server at a time do them.

   So that the same tables serve Citus (distributed by `run`) and TimescaleDB (cut by `first_time`), every unique key
   holds the run and, beside the run's own, a time; there are no triggers, sequences and foreign keys. What an extension
   wants is done when the tables are made; server/POSTGRESQL.md says how to do it later by hand.

   Times are ns since the Unix epoch. Of row i (from 1) of a chunk
     time = time_base + (i - 1) * time_step + time_small[i] or time_rest[i]    whichever is not NULL; 0 if both are
     seq  = first_seq + (i - 1) + seq_rest[i]                                  NULL: all are 0
   Values lie in three matrices [column][row]. Row p of a matrix is the run's column *_columns[p] (from 1; double_columns is
   NULL if it has all); these ascend.
     doubles[p][i]                                     'NaN': no value
     (int_bases[p] + ints[p][i]) / int_scales[p]       -2147483648: no value
     (small_bases[p] + smalls[p][i]) / small_scales[p] -32768: no value
   The summary has count, min, max, sum, first and last of each column. `histograms` are those of the rows (chunk_bytes.c),
   `histogram_sums` all of them added up (base/histogram.h); NULL: there are none. */
#include "store/postgres/store_postgres.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOCK_KEY "5786934592034237805" /* "mnemic", as a number */

#define MOMENT(ns)  "timestamptz 'epoch' + (" ns ") / 1000 * interval '1 microsecond'"
#define LOCAL(ns)   "(" MOMENT(ns) ")::timestamp" /* in the reader's zone, as the original's now() */
#define TIME_OF_ROW "c.time_base + (u.i - 1) * c.time_step + u.rest"

/* clang-format off: tables of text */

/* The rows of chunk c: number i, values, and what is to be added to the time. All arrays are unnested once, side by side,
   however many rows there are: reading their elements one by one would decompress them for each. Of what lies at place o, row i
   of the p-th column of each matrix, the join with `matrix` makes three cells: column k, value v. (Citus refuses UNION here.) */
#define CELL(of_double, of_int, of_small) "CASE matrix WHEN 1 THEN " of_double " WHEN 2 THEN " of_int " ELSE " of_small " END"
#define CELL_COLUMN                                                                                                  \
    CELL("CASE WHEN d IS NOT NULL THEN coalesce(c.double_columns[p], p) END", "c.int_columns[p]", "c.small_columns[p]")
#define CELL_VALUE                                                                                                   \
    CELL("nullif(d, 'NaN')", "(c.int_bases[p] + nullif(n, -2147483648)) / c.int_scales[p]",                          \
         "(c.small_bases[p] + nullif(s, -32768)) / c.small_scales[p]")
#define ROWS                                                                                                         \
    "LATERAL (SELECT i, array_agg(v ORDER BY k) FILTER (WHERE k IS NOT NULL) AS row_data, coalesce(max(t), 0) AS rest" \
    " FROM (SELECT i, coalesce(t2, t8) AS t, " CELL_COLUMN " AS k, " CELL_VALUE " AS v FROM (SELECT d, n, s, t2, t8,"  \
    " (o - 1) % c.rows + 1 AS i, ((o - 1) / c.rows + 1)::integer AS p FROM unnest(c.doubles, c.ints, c.smalls,"       \
    " c.time_small, c.time_rest) WITH ORDINALITY AS m (d, n, s, t2, t8, o)) AS m, generate_series(1, 3) AS matrix)"   \
    " AS cells WHERE k IS NOT NULL OR t IS NOT NULL GROUP BY i) AS u"
#define VALUE_COLUMNS                                                                                                \
    MOMENT(TIME_OF_ROW) " AS time, r.column_names[n.k] AS name, r.column_units[n.k] AS unit, n.value"
#define VALUE_TABLES                                                                                                 \
    "mnemic.run r, mnemic.chunk c, " ROWS ", LATERAL unnest(u.row_data) WITH ORDINALITY AS n (value, k)"             \
    " WHERE c.run = r.run AND c.level = 0 AND r.deleted = 0 AND n.value IS NOT NULL"
#define TO_NS(timestamp) "(extract(epoch FROM " timestamp ") * 1000000)::bigint * 1000"

typedef struct {
    const char *when; /* a query: the step is left out if it gives no row. NULL: it never is */
    const char *sql;
} step;

#define HAS_EXTENSION(name) "SELECT 1 FROM pg_extension WHERE extname = '" name "'"
#define HAS_LZ4             "SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)"

static const step steps[] = {
    {NULL, "CREATE TABLE mnemic.run (" /* one start of a program                                       */
           " run uuid PRIMARY KEY,"
           " app text NOT NULL,"
           " host text NOT NULL,"
           " build text NOT NULL,"
           " args text NOT NULL,"
           " place text NOT NULL,"  /* where pid counts: boot and pid namespace                     */
           " pid bigint NOT NULL,"  /* 0: not told                                                  */
           " born bigint NOT NULL," /* that process's start in clock ticks since boot; 0: not told  */
           " started bigint NOT NULL,"
           " last bigint NOT NULL,"              /* time of the newest row                                       */
           " seen bigint NOT NULL,"              /* last heard of, by the server's clock                         */
           " interval bigint NOT NULL,"          /* ns between two rows as planned; 0: not told                  */
           " state smallint NOT NULL DEFAULT 0," /* 0 live (or silent: compare `seen`), 1 ended, 2 crashed       */
           " rows bigint NOT NULL DEFAULT 0,"    /* stored                                                       */
           " lost bigint NOT NULL DEFAULT 0,"    /* known to be lost on the way                                  */
           " removed bigint NOT NULL DEFAULT 0," /* rows that were stored and are too old to stay */
           " next_seq bigint NOT NULL DEFAULT 0,"
           " next_mark bigint NOT NULL DEFAULT 0," /* of numbered marks                                            */
           " clock_offset bigint NOT NULL DEFAULT 0," /* ns: the client's wall clock minus that of its rows, lately */
           " counter bigint NOT NULL DEFAULT 0," /* of its sealed datagrams none up to this is taken again       */
           " note text NOT NULL DEFAULT '',"
           " user_tags text NOT NULL DEFAULT ''," /* a JSON object: tags set and taken away by users              */
           " pinned boolean NOT NULL DEFAULT false,"
           " deleted bigint NOT NULL DEFAULT 0," /* when; it goes for good a while later                         */
           " column_names text[] NOT NULL,"
           " column_units text[] NOT NULL,"
           " column_kinds smallint[] NOT NULL," /* 0 gauge, 1 counter, 2 histogram                              */
           " tag_names text[] NOT NULL,"
           " tag_values text[] NOT NULL,"
           " facts bigint NOT NULL,"             /* hash of what seldom changes: app … interval, columns, tags   */
           " small bigint NOT NULL DEFAULT 0,"   /* chunks that want to be merged                                */
           " loose bigint NOT NULL DEFAULT 0,"   /* chunks that no summary of level 1 stands for                 */
           " max_gap bigint NOT NULL DEFAULT 0," /* the longest until - time in `event`                          */
           " max_spans bigint[] NOT NULL DEFAULT '{}'," /* [level + 1]: no entry has more from first to last time   */
           " summed_time bigint NOT NULL DEFAULT -9223372036854775808," /* behind this place no summary stands for  */
           " summed_seq bigint NOT NULL DEFAULT -1" /* anything                                                     */
           ") WITH (fillfactor = 60)"},             /* its counts change with each commit: room for it in the page  */
    {NULL, "CREATE INDEX run_text ON mnemic.run ((run::text))"}, /* for the views                                   */
    {NULL, "CREATE TABLE mnemic.chunk (" /* up to 1024 rows (level 0), or a summary of chunks (level > 0) */
           " run uuid NOT NULL,"
           " level smallint NOT NULL,"
           " first_time bigint NOT NULL,"
           " first_seq bigint NOT NULL,"
           " last_time bigint NOT NULL,"
           " last_seq bigint NOT NULL,"
           " until_time bigint," /* level > 0: it stands for all entries of lower levels whose   */
           " until_seq bigint,"  /* (first_time, first_seq) lies from its own to this, included  */
           " time_base bigint,"
           " time_step bigint,"
           " rows bigint NOT NULL,"
           " columns integer NOT NULL,"
           " summary float8[] NOT NULL,"
           " time_small smallint[],"
           " time_rest bigint[],"
           " seq_rest bigint[],"
           " doubles float8[],"
           " double_columns smallint[],"
           " ints integer[],"
           " int_columns smallint[],"
           " int_bases float8[],"
           " int_scales float8[],"
           " smalls smallint[],"
           " small_columns smallint[],"
           " small_bases float8[],"
           " small_scales float8[],"
           " PRIMARY KEY (run, level, first_time, first_seq))"},
    {NULL, "ALTER TABLE mnemic.chunk ALTER COLUMN summary SET STORAGE MAIN"}, /* beside the key, also if it is long */
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN doubles SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN ints SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN smalls SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN time_small SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN time_rest SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN seq_rest SET COMPRESSION lz4"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN summary SET COMPRESSION lz4"},
    {NULL, "CREATE TABLE mnemic.event ("
           " run uuid NOT NULL,"
           " time bigint NOT NULL,"
           " kind smallint NOT NULL," /* 0 mark, 1 gap                                                */
           " seq bigint NOT NULL,"    /* a mark's number, a gap's first lost row                      */
           " until bigint NOT NULL,"
           " count bigint NOT NULL," /* rows lost                                                    */
           " text text NOT NULL,"    /* a mark's label                                               */
           " PRIMARY KEY (run, time, kind, seq))"},
    {HAS_EXTENSION("citus"), "SELECT create_distributed_table('mnemic.run', 'run')"},
    {HAS_EXTENSION("citus"), "SELECT create_distributed_table('mnemic.chunk', 'run', colocate_with => 'mnemic.run')"},
    {HAS_EXTENSION("citus"), "SELECT create_distributed_table('mnemic.event', 'run', colocate_with => 'mnemic.run')"},
    {HAS_EXTENSION("timescaledb"), /* a week in each part */
     "SELECT create_hypertable('mnemic.chunk', 'first_time', chunk_time_interval => 604800000000000,"
     " create_default_indexes => false)"},
    {NULL, "CREATE VIEW mnemic.tracing_run AS SELECT r.run::text AS uuid, r.app AS app_name, r.column_names, " LOCAL(
               "r.started") " AS creation_time FROM mnemic.run r WHERE r.deleted = 0"},
    {NULL, "CREATE VIEW mnemic.tracing_row AS SELECT r.run::text AS uuid, u.row_data, " LOCAL(TIME_OF_ROW)
           " AS date_time FROM mnemic.run r, mnemic.chunk c, " ROWS
           " WHERE c.run = r.run AND c.level = 0 AND r.deleted = 0"},
    {NULL, "CREATE VIEW mnemic.value AS SELECT r.run, r.app, " VALUE_COLUMNS " FROM " VALUE_TABLES},
    {NULL, "CREATE FUNCTION mnemic.values_between(run uuid, since timestamptz, until timestamptz)"
           " RETURNS TABLE (\"time\" timestamptz, name text, unit text, value float8) LANGUAGE plpgsql STABLE AS $$"
           " #variable_conflict use_column\n" /* Citus takes no parameters in SQL functions */
           "BEGIN RETURN QUERY SELECT * FROM (SELECT " VALUE_COLUMNS " FROM " VALUE_TABLES " AND r.run = $1"
           " AND c.run = $1 AND c.first_time <= " TO_NS("$3") " AND c.last_time >= " TO_NS(
               "$2") " AND c.first_time >="
                     " (SELECT greatest(" TO_NS(
                         "$2") " - max_spans[1]::numeric, -9223372036854775808)::bigint"
                               " FROM mnemic.run WHERE run = $1)) AS v WHERE v.time BETWEEN $2 AND $3; END $$"},
    /* The original's readers find theirs in `public`; if the original's own tables are there, they stay. */
    {"SELECT 1 FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege(oid, 'CREATE')"
     " AND to_regclass('public.tracing_run') IS NULL AND to_regclass('public.tracing_row') IS NULL",
     "CREATE VIEW public.tracing_run AS SELECT * FROM mnemic.tracing_run"},
    {"SELECT 1 FROM pg_views WHERE schemaname = 'public' AND viewname = 'tracing_run'"
     " AND definition LIKE '%tracing_run%' AND to_regclass('public.tracing_row') IS NULL",
     "CREATE VIEW public.tracing_row AS SELECT * FROM mnemic.tracing_row"},
    /* Runs of the original that are, or are being, moved into chunks; see store_postgres_original.h. */
    {NULL, "CREATE TABLE mnemic.original ("
           " run uuid PRIMARY KEY,"
           " next_id bigint NOT NULL," /* rows with lower ids are in chunks                            */
           " moved boolean NOT NULL)"},
    {NULL, "CREATE FUNCTION mnemic.original_uuid(text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$"
           " SELECT CASE WHEN $1 ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $1::uuid ELSE"
           " overlay(overlay(hash PLACING '3' FROM 13) PLACING"
           " substr('89ab', get_byte(decode(hash, 'hex'), 8) / 16 % 4 + 1, 1) FROM 17)::uuid END FROM (SELECT"
           " md5('\\x6ba7b8119dad11d180b400c04fd430c8'::bytea || convert_to($1, 'UTF8')) AS hash) AS named $$"},
    {NULL, "ALTER TABLE mnemic.chunk ADD COLUMN histograms bytea, ADD COLUMN histogram_sums bytea"},
    {HAS_LZ4, "ALTER TABLE mnemic.chunk ALTER COLUMN histogram_sums SET COMPRESSION lz4"},
};

/* clang-format on */

/* Asks one question. */
static store_status ask(pg_store *s, const char *sql, const PGresult **out)
{
    size_t index = pg_ask_text(s, sql);
    store_status status = pg_flush(s);
    if (status == STORE_OK && out) *out = pg_answer(s, index);
    return status;
}

/* How many steps are done; -1: none, there is not even the list of them. */
static store_status read_version(pg_store *s, int *version)
{
    const PGresult *r;
    *version = -1;
    store_status status = ask(s, "SELECT to_regclass('mnemic.schema_version') IS NOT NULL", &r);
    if (status != STORE_OK || !pg_bool(r, 0, 0)) return status;
    status = ask(s, "SELECT coalesce(max(version), 0) FROM mnemic.schema_version", &r);
    if (status == STORE_OK) *version = pg_int4(r, 0, 0);
    return status;
}

static store_status make_list(pg_store *s)
{
    const PGresult *r;
    store_status status = ask(s, "SELECT to_regnamespace('mnemic') IS NULL", &r);
    if (status == STORE_OK && pg_bool(r, 0, 0)) pg_ask_text(s, "CREATE SCHEMA mnemic");
    pg_ask_text(s, "CREATE TABLE mnemic.schema_version (version integer PRIMARY KEY,"
                   " done timestamptz NOT NULL DEFAULT now())");
    return status == STORE_OK ? pg_flush(s) : status;
}

static store_status do_step(pg_store *s, int number)
{
    const step *st = &steps[number];
    const PGresult *r;
    bool wanted = true;
    store_status status = STORE_OK;
    if (st->when) {
        status = ask(s, st->when, &r);
        wanted = status == STORE_OK && PQntuples(r) > 0;
    }
    if (status != STORE_OK) return status;
    pg_ask_text(s, "BEGIN");
    if (wanted) pg_ask_text(s, st->sql);
    pg_put_int4(&s->params, number + 1);
    pg_ask_text(s, "INSERT INTO mnemic.schema_version (version) VALUES ($1)");
    pg_ask_text(s, "COMMIT");
    return pg_flush(s);
}

static store_status upgrade(pg_store *s)
{
    store_status status = ask(s, "SELECT pg_advisory_lock(" LOCK_KEY ")", NULL);
    int version = 0;
    if (status == STORE_OK) status = read_version(s, &version); /* another server may have done it meanwhile */
    if (status == STORE_OK && version < 0) {
        status = make_list(s);
        version = 0;
    }
    for (int i = version; status == STORE_OK && i < (int)ARRAY_LEN(steps); i++) status = do_step(s, i);
    return status == STORE_OK ? ask(s, "SELECT pg_advisory_unlock(" LOCK_KEY ")", NULL) : status;
}

store_status pg_schema(pg_store *s)
{
    int version, known = (int)ARRAY_LEN(steps);
    store_status status = read_version(s, &version);
    if (status != STORE_OK || version == known) return status;
    if (version > known)
        return pg_refuse(s, STORE_FAILED,
                         "the database was written by a newer mnemic (schema %d, this one knows %d); use that one",
                         version, known);
    if (s->mode == STORE_READ)
        return pg_refuse(s, STORE_RETRY,
                         "the database has not been made ready by this version's server yet; start it first");
    return upgrade(s);
}
