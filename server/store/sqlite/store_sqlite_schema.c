/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite_schema: the tables of the SQLite store, and how an older file gets them.

   A file says whose it is by `PRAGMA application_id`, and how far its tables are by `PRAGMA user_version`: that many of
   `steps` are done. A new version appends steps; what is released is never changed. */
#include "store/sqlite/store_sqlite.h"

#include <inttypes.h>

#define APPLICATION_ID 0x6d6e656d /* "mnem" */

/* The comments within stay in the file: `sqlite3 FILE .schema` shows them. */
static const char *const steps[] = {
    "CREATE TABLE run (                       -- one start of a program; times are ns since the Unix epoch\n"
    "    id       INTEGER PRIMARY KEY,        -- short name of the run within this file\n"
    "    uuid     BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),\n"
    "    app      TEXT NOT NULL,\n"
    "    host     TEXT NOT NULL,\n"
    "    build    TEXT NOT NULL,\n"
    "    args     TEXT NOT NULL,\n"
    "    place    TEXT NOT NULL DEFAULT '',   -- where pid counts: boot and pid namespace\n"
    "    pid      INTEGER NOT NULL,           -- 0: not told\n"
    "    born     INTEGER NOT NULL DEFAULT 0, -- when that process was started, in clock ticks since boot; 0: not "
    "told\n"
    "    started  INTEGER NOT NULL,\n"
    "    last     INTEGER NOT NULL,           -- time of the newest row\n"
    "    seen     INTEGER NOT NULL,           -- last heard of, by the server's clock\n"
    "    interval INTEGER NOT NULL,           -- ns between two rows as planned; 0: not told\n"
    "    state    INTEGER NOT NULL,           -- 0 live (or silent: compare `seen`), 1 ended, 2 crashed\n"
    "    rows     INTEGER NOT NULL DEFAULT 0, -- stored\n"
    "    lost     INTEGER NOT NULL DEFAULT 0, -- known to be lost on the way\n"
    "    next_seq INTEGER NOT NULL DEFAULT 0,\n"
    "    next_mark INTEGER NOT NULL DEFAULT 0, -- of numbered marks\n"
    "    clock_offset INTEGER NOT NULL DEFAULT 0, -- ns: the client's wall clock minus that of its rows, lately\n"
    "    counter  INTEGER NOT NULL DEFAULT 0, -- the highest of its sealed datagrams: none up to it is taken again\n"
    "    note     TEXT NOT NULL DEFAULT '',\n"
    "    pinned   INTEGER NOT NULL DEFAULT 0,\n"
    "    facts    INTEGER NOT NULL,           -- hash of what seldom changes: app … interval, columns, tags\n"
    "    small    INTEGER NOT NULL DEFAULT 0, -- chunks that want to be merged\n"
    "    loose    INTEGER NOT NULL DEFAULT 0, -- chunks that no summary of level 1 stands for\n"
    "    max_gap  INTEGER NOT NULL DEFAULT 0  -- the longest until - time in `event`\n"
    ") STRICT",
    "CREATE TABLE run_column (\n"
    "    run      INTEGER NOT NULL,\n"
    "    position INTEGER NOT NULL,           -- from 0; columns are only ever appended\n"
    "    name     TEXT NOT NULL,\n"
    "    unit     TEXT NOT NULL,\n"
    "    kind     INTEGER NOT NULL,           -- 0 gauge, 1 counter, 2 histogram\n"
    "    PRIMARY KEY (run, position)\n"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE run_tag (\n"
    "    run      INTEGER NOT NULL,\n"
    "    position INTEGER NOT NULL,\n"
    "    name     TEXT NOT NULL,\n"
    "    value    TEXT NOT NULL,\n"
    "    PRIMARY KEY (run, position)\n"
    ") STRICT, WITHOUT ROWID",
    /* Apart from chunk_data, so that reading summaries touches no rows; clustered by run and time. */
    "CREATE TABLE chunk (                     -- up to 1024 rows (level 0), or a summary of chunks (level > 0)\n"
    "    run        INTEGER NOT NULL,\n"
    "    level      INTEGER NOT NULL,\n"
    "    first_time INTEGER NOT NULL,\n"
    "    first_seq  INTEGER NOT NULL,\n"
    "    last_time  INTEGER NOT NULL,\n"
    "    last_seq   INTEGER NOT NULL,\n"
    "    rows       INTEGER NOT NULL,\n"
    "    until_time INTEGER,                  -- level > 0: it stands for all entries of lower levels whose\n"
    "    until_seq  INTEGER,                  -- (first_time, first_seq) lies from its own to this, both included\n"
    "    data       INTEGER,                  -- level 0: chunk_data.id\n"
    "    summary    BLOB NOT NULL,            -- count, min, max, sum, first, last of each column: not for SQL\n"
    "    PRIMARY KEY (run, level, first_time, first_seq)\n"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE chunk_data (\n"
    "    id    INTEGER PRIMARY KEY,\n"
    "    bytes BLOB NOT NULL                  -- columns apart, compressed: not for SQL\n"
    ") STRICT",
    "CREATE TABLE extent (                    -- so that a search by time starts early enough\n"
    "    run      INTEGER NOT NULL,\n"
    "    level    INTEGER NOT NULL,\n"
    "    max_span INTEGER NOT NULL,           -- no entry of the level has more between first_time and last_time\n"
    "    PRIMARY KEY (run, level)\n"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE event (\n"
    "    run   INTEGER NOT NULL,\n"
    "    time  INTEGER NOT NULL,\n"
    "    kind  INTEGER NOT NULL,              -- 0 mark, 1 gap\n"
    "    seq   INTEGER NOT NULL,              -- a mark's number, a gap's first lost row\n"
    "    until INTEGER NOT NULL,\n"
    "    count INTEGER NOT NULL,              -- rows lost\n"
    "    text  TEXT NOT NULL,                 -- a mark's label\n"
    "    PRIMARY KEY (run, time, kind, seq)\n"
    ") STRICT, WITHOUT ROWID",
    "CREATE VIEW tracing_run AS -- the original's; its tracing_row is not to be had, since rows lie compressed:\n"
    "SELECT                     -- GET /api/v1/runs/UUID.csv and .ndjson of the server give them\n"
    "    lower(substr(hex(uuid), 1, 8) || '-' || substr(hex(uuid), 9, 4) || '-' || substr(hex(uuid), 13, 4)\n"
    "        || '-' || substr(hex(uuid), 17, 4) || '-' || substr(hex(uuid), 21)) AS uuid,\n"
    "    app AS app_name,\n"
    "    (SELECT json_group_array(name) FROM (SELECT name FROM run_column WHERE run = run.id ORDER BY position))\n"
    "        AS column_names,       -- a JSON array\n"
    "    strftime('%Y-%m-%d %H:%M:%f', started / 1e9, 'unixepoch') AS creation_time -- UTC\n"
    "FROM run",
    "ALTER TABLE run ADD COLUMN user_tags TEXT NOT NULL DEFAULT ''", /* a JSON object: tags set and taken away by users */
    "ALTER TABLE run ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0", /* when; it goes for good a while later */
    "ALTER TABLE run ADD COLUMN removed INTEGER NOT NULL DEFAULT 0", /* rows that were stored and are too old to stay */
    "ALTER TABLE chunk ADD COLUMN histogram_sums BLOB", /* of its rows, added up: see base/histogram.h; NULL: none has any */
};

/* A number that a statement gives; false: SQLite's error in `why`. */
static bool ask(sqlite3 *db, const char *file, const char *sql, int64_t *out, buf *why)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) *out = sqlite3_column_int64(statement, 0);
    if (rc == SQLITE_NOTADB)
        buf_printf(why, "%s is not a SQLite database; name another file for the store", file);
    else if (rc != SQLITE_ROW)
        buf_printf(why, "cannot read %s: %s", file, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW;
}

static bool tell(sqlite3 *db, const char *file, const char *sql, buf *why)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) return true;
    buf_printf(why, "cannot write %s: %s", file, sqlite3_errmsg(db));
    return false;
}

typedef enum { FILE_NEW, FILE_OURS, FILE_REFUSED } file_kind;

static file_kind look(sqlite3 *db, const char *file, int64_t *version, buf *why)
{
    int64_t application, objects;
    if (!ask(db, file, "PRAGMA application_id", &application, why) ||
        !ask(db, file, "PRAGMA user_version", version, why) ||
        !ask(db, file, "SELECT count(*) FROM sqlite_schema", &objects, why))
        return FILE_REFUSED;
    if (application == 0 && *version == 0 && objects == 0) return FILE_NEW;
    if (application != APPLICATION_ID) {
        buf_printf(why, "%s is a database of another program; name another file for the store", file);
        return FILE_REFUSED;
    }
    if (*version > (int64_t)ARRAY_LEN(steps)) {
        buf_printf(why, "%s was written by a newer mnemic (schema %" PRId64 ", this one knows %zu); use that one",
                   file, *version, ARRAY_LEN(steps));
        return FILE_REFUSED;
    }
    return FILE_OURS;
}

/* All steps that are missing, in one transaction: a crash leaves the file as it was. */
static bool upgrade(sqlite3 *db, const char *file, int64_t version, buf *why)
{
    if (!tell(db, file, "BEGIN IMMEDIATE", why)) return false;
    bool good = true;
    for (size_t i = (size_t)version; good && i < ARRAY_LEN(steps); i++) good = tell(db, file, steps[i], why);
    char mark[80];
    sqlite3_snprintf(sizeof mark, mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                     APPLICATION_ID, (int)ARRAY_LEN(steps));
    good = good && tell(db, file, mark, why);
    if (!sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return good;
}

bool schema_usable(sqlite3 *db, const char *file, store_mode mode, buf *why)
{
    int64_t version = 0;
    if (look(db, file, &version, why) == FILE_REFUSED) return false;
    if (mode == STORE_WRITE || version == (int64_t)ARRAY_LEN(steps)) return true;
    buf_printf(why, "%s has not been made ready by this version's server yet; start it first", file);
    return false;
}

bool schema_make(sqlite3 *db, const char *file, buf *why)
{
    int64_t version = 0;
    file_kind kind = look(db, file, &version, why);
    if (kind == FILE_REFUSED) return false;
    /* Pages that merging or deleting frees are used again; `incremental` keeps the way open to give them back to the
       file system. It can only be chosen while the file is empty. */
    if (kind == FILE_NEW && !tell(db, file, "PRAGMA auto_vacuum = INCREMENTAL", why)) return false;
    return version == (int64_t)ARRAY_LEN(steps) || upgrade(db, file, version, why);
}
