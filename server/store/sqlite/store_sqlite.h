/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite: what the files of the SQLite store share: the connection, its statements, and how they fail.
     store_sqlite.c         opens, closes, runs statements
     store_sqlite_schema.c  makes and upgrades the tables; their description
     store_sqlite_write.c   store_write(), store_edit()
     store_sqlite_sweep.c   store_sweep()
     store_sqlite_read.c    runs, chunks, events
     store_sqlite_cover.c   entries of a level, and the cover of a range */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/store_kind.h"

#include <sqlite3.h>

/* Every statement but those of the schema. Prepared once, when the store is opened. */
#define STORE_SQL(X)                                                                                                 \
    X(BEGIN_READ, "BEGIN")                                                                                           \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                                \
    X(COMMIT, "COMMIT")                                                                                              \
    X(ROLLBACK, "ROLLBACK")                                                                                          \
    X(PIN, "SELECT 1 FROM run LIMIT 1")                                                                              \
                                                                                                                     \
    X(RUN_KEY, "SELECT id FROM run WHERE uuid = ?1")                                                                 \
    X(RUN_FIND, "SELECT id, facts, next_seq, next_mark, last, state FROM run WHERE uuid = ?1")                       \
    X(RUN_INSERT, "INSERT INTO run (uuid, facts, app, host, build, args, pid, started, interval, place, born, last," \
                  " seen, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?8, ?8, 0)")                  \
    X(RUN_FACTS, "UPDATE run SET facts = ?2, app = ?3, host = ?4, build = ?5, args = ?6, pid = ?7, started = ?8,"    \
                 " interval = ?9, place = ?10, born = ?11 WHERE uuid = ?1")                                          \
    X(RUN_GROW, "UPDATE run SET last = iif(next_seq > 0, max(last, ?2), ?2), state = ?4,"                            \
                " clock_offset = iif(seen > ?3, clock_offset, ?12), seen = max(seen, ?3),"                           \
                " next_seq = max(next_seq, ?5), rows = rows + ?6, lost = min(lost + ?7, 9223372036854775807),"       \
                " small = small + ?8, loose = loose + ?9, max_gap = max(max_gap, ?10),"                              \
                " next_mark = max(next_mark, ?11), counter = max(counter, ?13) WHERE id = ?1")                       \
    X(RUN_EDIT, "UPDATE run SET note = ifnull(?2, note), user_tags = ifnull(?3, user_tags),"                         \
                " pinned = ifnull(?4, pinned), deleted = ifnull(?5, deleted) WHERE uuid = ?1")                       \
    X(COLUMN_PUT, "INSERT INTO run_column (run, position, name, unit, kind) VALUES (?1, ?2, ?3, ?4, ?5)"             \
                  " ON CONFLICT DO UPDATE SET name = ?3, unit = ?4, kind = ?5")                                      \
    X(TAGS_DROP, "DELETE FROM run_tag WHERE run = ?1")                                                               \
    X(TAG_PUT, "INSERT INTO run_tag (run, position, name, value) VALUES (?1, ?2, ?3, ?4)")                           \
    X(EVENT_PUT, "INSERT OR IGNORE INTO event (run, time, kind, seq, until, count, text)"                            \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                             \
                                                                                                                     \
    X(CHUNK_FIND, "SELECT last_time, last_seq, rows, data FROM chunk"                                                \
                  " WHERE run = ?1 AND level = ?2 AND first_time = ?3 AND first_seq = ?4")                           \
    X(CHUNK_PUT, "INSERT INTO chunk (run, level, first_time, first_seq, last_time, last_seq, rows, until_time,"      \
                 " until_seq, data, summary, histogram_sums) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)") \
    X(SUMS_GET, "SELECT last_time, last_seq, rows, histogram_sums FROM chunk"                                        \
                " WHERE run = ?1 AND level = ?2 AND first_time = ?3 AND first_seq = ?4")                             \
    X(CHUNK_DROP, "DELETE FROM chunk WHERE run = ?1 AND level = ?2 AND first_time = ?3 AND first_seq = ?4")          \
    X(DATA_PUT, "INSERT INTO chunk_data (bytes) VALUES (?1)")                                                        \
    X(DATA_GET, "SELECT bytes FROM chunk_data WHERE id = ?1")                                                        \
    X(DATA_DROP, "DELETE FROM chunk_data WHERE id = ?1")                                                             \
    X(EXTENT_PUT, "INSERT INTO extent (run, level, max_span) VALUES (?1, ?2, ?3)"                                    \
                  " ON CONFLICT DO UPDATE SET max_span = ?3 WHERE max_span < ?3")                                    \
    X(SUMMED,                                                                                                        \
      "SELECT rows, last_time, last_seq, ifnull(until_time, first_time), ifnull(until_seq, first_seq) FROM chunk"    \
      " WHERE run = ?1 AND level = ?2 AND (first_time, first_seq) >= (?3, ?4) ORDER BY first_time, first_seq")       \
    X(ABOVE, "SELECT first_time, first_seq, until_time, until_seq FROM chunk"                                        \
             " WHERE run = ?1 AND level = ?2 AND (first_time, first_seq) <= (?3, ?4)"                                \
             " ORDER BY first_time DESC, first_seq DESC LIMIT 1")                                                    \
    X(COUNT_ROWS, "SELECT count(*) FROM chunk WHERE run = ?1 AND level = 0"                                          \
                  " AND (first_time, first_seq) >= (?2, ?3) AND (first_time, first_seq) <= (?4, ?5)")                \
                                                                                                                     \
    X(LAST_RUN, "SELECT max(id) FROM run")                                                                           \
    X(RUNS_TO_SWEEP,                                                                                                 \
      "SELECT id, deleted > 0 AND deleted < ?3, seen < ?4 FROM run WHERE id > ?1 AND id <= ?2"                       \
      " AND (deleted > 0 AND deleted < ?3 OR pinned = 0 AND ?4 > -9223372036854775807 - 1) ORDER BY id")             \
    X(OLD_CHUNKS, "SELECT first_time, first_seq, last_time, last_seq, rows FROM chunk"                               \
                  " WHERE run = ?1 AND level = 0 AND first_time <= ?2 AND last_time <= ?2"                           \
                  " ORDER BY first_time, first_seq LIMIT ?3")                                                        \
    X(OLD_EVENTS, "SELECT time, kind, seq FROM event WHERE run = ?1 AND time <= ?2 AND until <= ?2"                  \
                  " ORDER BY time, kind, seq LIMIT ?3")                                                              \
    X(EVENT_DROP, "DELETE FROM event WHERE run = ?1 AND time = ?2 AND kind = ?3 AND seq = ?4")                       \
    X(HAS_MORE, "SELECT EXISTS (SELECT 1 FROM chunk WHERE run = ?1 AND level = 0)"                                   \
                " OR EXISTS (SELECT 1 FROM event WHERE run = ?1)")                                                   \
    X(RUN_SHRINK, "UPDATE run SET rows = rows + ?2, removed = removed - ?2, small = small + ?3, loose = loose + ?4"  \
                  " WHERE id = ?1")                                                                                  \
    X(COLUMNS_DROP, "DELETE FROM run_column WHERE run = ?1")                                                         \
    X(EXTENTS_DROP, "DELETE FROM extent WHERE run = ?1")                                                             \
    X(RUN_DROP, "DELETE FROM run WHERE id = ?1")                                                                     \
    X(PAGES, "SELECT f.freelist_count, p.page_count FROM pragma_freelist_count AS f, pragma_page_count AS p")        \
                                                                                                                     \
    X(RUN_GET, "SELECT " STORE_RUN_FIELDS " FROM run WHERE uuid = ?1")                                               \
    X(RUNS, "SELECT " STORE_RUN_FIELDS " FROM run ORDER BY started DESC, id DESC")                                   \
    X(COLUMNS, "SELECT name, unit, kind FROM run_column WHERE run = ?1 ORDER BY position")                           \
    X(TAGS, "SELECT name, value FROM run_tag WHERE run = ?1 ORDER BY position")                                      \
    X(EVENTS, "SELECT kind, time, until, seq, count, text FROM event WHERE run = ?1 AND time <= ?3 AND until >= ?2"  \
              " AND time >= ?2 - (SELECT iif(max_gap < 9223372036854775807, max_gap, 2e19) FROM run WHERE id = ?1)"  \
              " ORDER BY time, kind, seq")                                                                           \
    X(UNMERGED, "SELECT uuid FROM run WHERE small >= 16 OR loose >= 64")                                             \
    X(EXTENTS, "SELECT level, max_span FROM extent WHERE run = ?1")

#define STORE_RUN_FIELDS                                                                                             \
    "id, uuid, app, host, build, args, pid, started, last, seen, interval, rows, lost, next_seq, state, note, "      \
    "pinned,"                                                                                                        \
    " next_mark, clock_offset, place, born, counter, user_tags, deleted, removed"

/* One statement for each level, since a cover reads several levels at once. */
#define STORE_SQL_ENTRIES                                                                                            \
    "SELECT first_time, first_seq, last_time, last_seq, rows, until_time, until_seq, summary FROM chunk"             \
    " WHERE run = ?1 AND level = ?2 AND (first_time, first_seq) >= (?3, ?4) AND (first_time, first_seq) <= (?5, ?6)" \
    " AND last_time >= ?7 ORDER BY first_time, first_seq"

typedef enum {
#define X(id, text) SQL_##id,
    STORE_SQL(X)
#undef X
        SQL_COUNT
} sql_id;

typedef struct {
    store base;
    sqlite3 *db;
    char *file;
    int lock;    /* of FILE-lock; -1: a reader              */
    int reading; /* how deep in sql_read_begin()            */
    sqlite3_stmt *sql[SQL_COUNT];
    sqlite3_stmt *entries[STORE_LEVELS];
    buf bytes;          /* of the chunk being encoded              */
    summary *summaries; /* [MAX_COLUMNS], of the entry being read  */
    int64_t swept;      /* runs up to this have been looked at in this round of store_sweep() */
    bool shrunk;        /* it gave pages back that the file still has        */
} sqlite_store;

/* ---- running statements ----
   Values are bound by sqlite3_bind_*: such a call fails only if memory is out or a text exceeds 1 GB; then the value
   stays NULL, which no column of ours takes, so the step that follows fails. */

/* Runs a statement that gives no rows, and resets it. */
store_status sql_run(sqlite_store *s, sqlite3_stmt *statement);
/* After the last sqlite3_step() gave `rc`: resets the statement. SQLITE_ROW and SQLITE_DONE are STORE_OK. */
store_status sql_end(sqlite_store *s, sqlite3_stmt *statement, int rc);
/* Keeps SQLite's message for store_error(). */
store_status sql_failed(sqlite_store *s, int rc);
store_status sql_refuse(sqlite_store *s, store_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is read between the two is of one state. May be nested. */
store_status sql_read_begin(sqlite_store *s);
void sql_read_end(sqlite_store *s);

/* A transaction that writes. Its end commits it if `status` is STORE_OK; else, or if that fails, nothing has happened. */
store_status sql_write_begin(sqlite_store *s);
store_status sql_write_end(sqlite_store *s, store_status status);

/* STORE_MISSING: there is none. */
store_status sql_run_key(sqlite_store *s, const uuid *id, int64_t *key);

static inline span sql_bytes(sqlite3_stmt *statement, int column)
{
    const char *p = sqlite3_column_blob(statement, column); /* first: it may change the size */
    return (span){p, (size_t)sqlite3_column_bytes(statement, column)};
}

/* ---- what store_sqlite.c offers as a store, beside opening and closing ---- */

store_status sqlite_write(store *base, const store_change *changes, size_t count);
store_status sqlite_edit(store *base, const uuid *id, const run_edit *edit);
store_status sqlite_sweep(store *base, int64_t deleted, int64_t rows, store_swept *out);
store_status sqlite_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx);
store_status sqlite_run(store *base, const uuid *id, run_info **out);
store_status sqlite_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                          void *ctx);
store_status sqlite_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to,
                            store_entry_fn each, void *ctx);
store_status sqlite_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                          chunk **out);
store_status sqlite_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                         store_sums_fn each, void *ctx);
store_status sqlite_events(store *base, const uuid *id, int64_t from, int64_t to,
                           bool (*each)(void *ctx, const run_event *e), void *ctx);
store_status sqlite_unmerged(store *base, bool (*each)(void *ctx, const uuid *id), void *ctx);

/* Chunks that go for good, within a transaction. */
store_status sql_remove_rows(sqlite_store *s, int64_t run, const chunk_key *keys, size_t count);

/* ---- the schema ---- */

/* Is the file one of ours, of a version we know (with STORE_READ: of this version), or empty? Changes nothing.
   false: one sentence in `why`. */
bool schema_usable(sqlite3 *db, const char *file, store_mode mode, buf *why);
/* Makes or upgrades the tables. false: one sentence in `why`, and the file is as it was. */
bool schema_make(sqlite3 *db, const char *file, buf *why);

#endif
