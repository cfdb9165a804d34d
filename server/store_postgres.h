/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres: what the files of the PostgreSQL store share: the connection, its statements, and how they fail.
     store_postgres.c         opens, closes, transactions
     store_postgres_link.c    connects, asks, waits for answers
     store_postgres_values.c  what goes with a statement and what comes back, in PostgreSQL's binary format
     store_postgres_schema.c  makes and upgrades the tables and views; their description
     store_postgres_write.c   store_write()
     store_postgres_held.c    what is known of a run that it has locked
     store_postgres_edit.c    what users edit
     store_postgres_read.c    runs, chunks, events
     store_postgres_cover.c   entries of a level, and the cover of a range

   A statement is asked with pg_ask(); pg_flush() sends all that was asked and waits for the answers, so that many
   statements cost one way over the network and back (libpq's pipeline mode). */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store_kind.h"

#include <libpq-fe.h>

#define PG_RUN_FIELDS                                                                                                \
    "run, app, host, build, args, place, pid, born, started, last, seen, interval, state, rows, lost, next_seq,"     \
    " next_mark, clock_offset, counter, note, user_tags, pinned, deleted,"                                           \
    " column_names, column_units, column_kinds, tag_names, tag_values"

/* Time and number of row i (from 1) of a chunk; see store_postgres_schema.c. */
#define PG_ROW_TIME "coalesce(c.first_time + (i - 1) * c.time_step, 0) + coalesce(c.time_rest[i], 0)"
#define PG_ROW_SEQ  "c.first_seq + (i - 1) + coalesce(c.seq_rest[i], 0)"

/* Every statement but those of the schema. Prepared when a connection was made. Each but RUNS and UNMERGED concerns one
   run, which Citus finds in one place. */
#define PG_SQL(X)                                                                                                        \
    X(BEGIN_READ, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")                                                     \
    X(BEGIN_WRITE, "BEGIN ISOLATION LEVEL READ COMMITTED")                                                               \
    X(COMMIT, "COMMIT")                                                                                                  \
    X(ROLLBACK, "ROLLBACK")                                                                                              \
    X(PIN, "SELECT 1")                                                                                                   \
    X(FETCH, "FETCH FORWARD 512 FROM c")                                                                                 \
    X(CLOSE, "CLOSE c")                                                                                                  \
                                                                                                                         \
    X(LOCK, "SELECT facts, last, seen, state, rows, lost, next_seq, next_mark, clock_offset, counter, small, loose,"     \
            " max_gap, summed_time, summed_seq, max_spans FROM mnemic.run WHERE run = $1 FOR UPDATE")                    \
    X(RUN_INSERT, "INSERT INTO mnemic.run (run, facts, app, host, build, args, place, pid, born, started, interval,"     \
                  " column_names, column_units, column_kinds, tag_names, tag_values, last, seen)"                        \
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $10, $10)"            \
                  " ON CONFLICT DO NOTHING")                                                                             \
    X(RUN_FACTS,                                                                                                         \
      "UPDATE mnemic.run SET facts = $2, app = $3, host = $4, build = $5, args = $6, place = $7, pid = $8, born = "      \
      "$9,"                                                                                                              \
      " started = $10, interval = $11, column_names = $12 || column_names[cardinality($12::text[]) + 1:],"               \
      " column_units = $13 || column_units[cardinality($13::text[]) + 1:],"                                              \
      " column_kinds = $14 || column_kinds[cardinality($14::smallint[]) + 1:],"                                          \
      " tag_names = $15, tag_values = $16 WHERE run = $1")                                                               \
    X(RUN_GROW,                                                                                                          \
      "UPDATE mnemic.run SET last = $2, seen = $3, state = $4, rows = $5, lost = $6, next_seq = $7, next_mark = $8,"     \
      " clock_offset = $9, counter = $10, small = $11, loose = $12, max_gap = $13, summed_time = $14,"                   \
      " summed_seq = $15, max_spans = $16 WHERE run = $1")                                                               \
    X(RUN_EDIT, "UPDATE mnemic.run SET note = coalesce($2, note), user_tags = coalesce($3, user_tags),"                  \
                " pinned = coalesce($4, pinned), deleted = coalesce($5, deleted) WHERE run = $1")                        \
                                                                                                                         \
    X(ROW_FIND, "SELECT EXISTS (SELECT 1 FROM mnemic.chunk c, generate_series(1, c.rows) i"                              \
                " WHERE c.run = $1 AND c.level = 0 AND c.first_time BETWEEN $4 AND $2 AND c.last_time >= $2"             \
                " AND c.first_seq <= $3 AND c.last_seq >= $3"                                                            \
                " AND " PG_ROW_TIME " = $2 AND " PG_ROW_SEQ " = $3)")                                                    \
    X(CHUNK_PUT, "INSERT INTO mnemic.chunk (run, level, first_time, first_seq, last_time, last_seq, rows, columns,"      \
                 " summary, time_step, time_rest, seq_rest, \"values\")"                                                 \
                 " VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING")                \
    X(SUMMARY_PUT,                                                                                                       \
      "WITH below AS (SELECT * FROM (SELECT coalesce(until_time, first_time) AS time, coalesce(until_seq, "              \
      "first_seq)"                                                                                                       \
      " AS seq, (sum(rows) OVER w)::bigint AS total, max(last_time) OVER w AS last_time, max(last_seq) OVER w AS "       \
      "last_seq,"                                                                                                        \
      " row_number() OVER w AS entries FROM mnemic.chunk"                                                                \
      " WHERE run = $1 AND level = $2::smallint - 1 AND (first_time, first_seq) >= ($3, $4)"                             \
      " WINDOW w AS (ORDER BY first_time, first_seq ROWS UNBOUNDED PRECEDING)) s WHERE total >= $7 LIMIT 1),"            \
      " put AS (INSERT INTO mnemic.chunk (run, level, first_time, first_seq, last_time, last_seq, rows, columns,"        \
      " summary, until_time, until_seq) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, time, seq FROM below"                 \
      " WHERE total = $7 AND last_time = $5 AND last_seq = $6 ON CONFLICT DO NOTHING RETURNING 1)"                       \
      " SELECT (SELECT count(*) FROM put), (SELECT count(*) FROM mnemic.chunk WHERE run = $1 AND level = $2"             \
      " AND first_time = $3 AND first_seq = $4), (SELECT time FROM below), (SELECT seq FROM below),"                     \
      " (SELECT entries FROM below)")                                                                                    \
    /* Removes the summaries that stand for what lies at the places given; of those that are there already and are     \
       not to be dropped, none. A level without a summary at or before a place has none above it either. */ \
    X(SUMMARIES_DROP,                                                                                                    \
      "DELETE FROM mnemic.chunk c USING (SELECT DISTINCT l AS level, s.first_time, s.first_seq"                          \
      " FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::boolean[]) AS p (level, time, seq, dropped),"        \
      " LATERAL generate_series(p.level + 1, $6::integer - 1) AS l, LATERAL (SELECT first_time, first_seq, "             \
      "until_time,"                                                                                                      \
      " until_seq FROM mnemic.chunk WHERE run = $1 AND level = l AND (first_time, first_seq) <= (p.time, p.seq)"         \
      " ORDER BY first_time DESC, first_seq DESC LIMIT 1) AS s"                                                          \
      " WHERE (s.until_time, s.until_seq) >= (p.time, p.seq) AND (p.dropped OR NOT EXISTS (SELECT 1 FROM "               \
      "mnemic.chunk"                                                                                                     \
      " WHERE run = $1 AND level = p.level AND first_time = p.time AND first_seq = p.seq))) AS d"                        \
      " WHERE c.run = $1 AND c.level = d.level AND c.first_time = d.first_time AND c.first_seq = d.first_seq"            \
      " RETURNING CASE WHEN c.level > 1 THEN 0 ELSE (SELECT count(*) FROM mnemic.chunk b WHERE b.run = $1"               \
      " AND b.level = 0 AND (b.first_time, b.first_seq) >= (c.first_time, c.first_seq)"                                  \
      " AND (b.first_time, b.first_seq) <= (c.until_time, c.until_seq)) END")                                            \
    X(CHUNKS_DROP,                                                                                                       \
      "DELETE FROM mnemic.chunk c USING unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[],"                \
      " $6::bigint[], $7::bigint[]) AS d (level, first_time, first_seq, last_time, last_seq, rows) WHERE c.run = $1"     \
      " AND c.level = d.level AND c.first_time = d.first_time AND c.first_seq = d.first_seq"                             \
      " AND c.last_time = d.last_time AND c.last_seq = d.last_seq AND c.rows = d.rows")                                  \
    X(EVENTS_PUT,                                                                                                        \
      "INSERT INTO mnemic.event (run, time, kind, seq, until, count, text) SELECT $1, * FROM unnest($2::bigint[],"       \
      " $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) ON CONFLICT DO NOTHING"                    \
      " RETURNING kind, time, until, count")                                                                             \
                                                                                                                         \
    X(RUN_GET, "SELECT " PG_RUN_FIELDS " FROM mnemic.run WHERE run = $1")                                                \
    X(RUNS,                                                                                                              \
      "DECLARE c NO SCROLL CURSOR FOR SELECT " PG_RUN_FIELDS " FROM mnemic.run ORDER BY started DESC, run DESC")         \
    X(UNMERGED, "SELECT run FROM mnemic.run WHERE small >= 16 OR loose >= 64")                                           \
    X(SPANS, "SELECT max_spans, max_gap FROM mnemic.run WHERE run = $1")                                                 \
    /* Of each stretch, in the order given. The inner ORDER BY makes a nested loop of it, in the key's order. */         \
    X(ENTRIES, "DECLARE c NO SCROLL CURSOR FOR SELECT e.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[],"         \
               " $6::bigint[]) AS r (lo_time, lo_seq, hi_time, hi_seq), LATERAL (SELECT first_time, first_seq,"          \
               " last_time, last_seq, rows, until_time, until_seq, columns, summary FROM mnemic.chunk"                   \
               " WHERE run = $1 AND level = $2 AND (first_time, first_seq) >= (r.lo_time, r.lo_seq)"                     \
               " AND (first_time, first_seq) <= (r.hi_time, r.hi_seq) AND last_time >= $7"                               \
               " ORDER BY first_time, first_seq) AS e")                                                                  \
    X(CHUNK_GET, "SELECT columns, time_step, time_rest, seq_rest, CASE WHEN $7::integer IS NULL THEN \"values\""         \
                 " ELSE \"values\"[$7:$8][:] END FROM mnemic.chunk WHERE run = $1 AND level = 0 AND first_time = $2"     \
                 " AND first_seq = $3 AND last_time = $4 AND last_seq = $5 AND rows = $6")                               \
    X(EVENTS, "DECLARE c NO SCROLL CURSOR FOR SELECT kind, time, until, seq, count, text FROM mnemic.event"              \
              " WHERE run = $1 AND time BETWEEN $2 AND $4 AND until >= $3 ORDER BY time, kind, seq")

typedef enum {
#define X(id, text) PG_##id,
    PG_SQL(X)
#undef X
        PG_SQL_COUNT
} pg_sql;

#define PG_PARAMS 16

/* What goes with the next statement. */
typedef struct {
    buf bytes;
    int count;
    struct {
        size_t at;
        int length; /* -1: NULL */
    } each[PG_PARAMS];
} pg_params;

/* Where a row went whose number, as told, was taken; see store_postgres_write.c. */
typedef struct {
    uuid run;
    int64_t time;
    uint64_t told, stored;
} pg_doubt;

typedef struct {
    store base;
    store_mode mode;
    char **keywords, **settings; /* for PQconnectdbParams(), NULL at their ends        */
    PGconn *conn;                /* NULL: there is no connection                       */
    bool opened;                 /* from now on a refusal is no reason to give up      */
    char code[6];                /* SQLSTATE of the last error; "": it has none         */
    int64_t next_try;            /* not before this is a connection tried again        */
    bool citus;                  /* which dislikes pipelines                           */
    int reading;                 /* how deep in pg_read_begin()                        */
    bool doubtful;               /* the last write may have been committed             */
    pg_doubt *doubts;            /* [doubt_count]: then, of counted runs               */
    size_t doubt_count;
    pg_params params;
    size_t unsent;      /* bytes that were asked since the last wait          */
    int syncs;          /* whose answer is to come                            */
    bool renew;         /* the connection is of no use any more                */
    bool flushed;       /* the answers belong to what was asked before        */
    PGresult **answers; /* [asked]; NULL: not there, or taken                 */
    size_t asked, room;
    summary *summaries; /* [MAX_COLUMNS], of the entry being read             */
} pg_store;

/* Where an entry lies within its level: by its first row. seq is 0 … INT64_MAX in the store. */
typedef struct {
    int64_t time, seq;
} place;

static inline bool before(place a, place b)
{
    return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

static inline place place_of(const chunk_key *k)
{
    return (place){k->first_time, (int64_t)k->first_seq};
}

/* ---- asking ---- */

/* Makes a connection if there is none, with schema and statements. */
store_status pg_connect(pg_store *s);
/* The same; but if the connection was lost between pg_read_begin() and pg_read_end(), what was being read is gone. */
store_status pg_ready(pg_store *s);
void pg_disconnect(pg_store *s);
/* Asks a statement, with the parameters that were put before; returns the index of its answer. */
size_t pg_ask(pg_store *s, pg_sql id);
size_t pg_ask_text(pg_store *s, const char *sql);
/* Sends what was asked and waits for the answers. What is not STORE_OK is of the first that failed; those after it did
   not happen. If the connection is lost it is gone when this returns. */
store_status pg_flush(pg_store *s);
/* The answer, lent until the next pg_ask(); or handed over, to be cleared with PQclear(). */
const PGresult *pg_answer(const pg_store *s, size_t index);
PGresult *pg_take(pg_store *s, size_t index);
/* Asks one statement, and waits. */
store_status pg_run(pg_store *s, pg_sql id, PGresult **out);
store_status pg_refuse(pg_store *s, store_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Rows that a statement put, changed or removed. */
size_t pg_affected(const PGresult *r);
/* COMMIT of a transaction that had failed answers ROLLBACK. */
bool pg_committed(const PGresult *r);
/* After a failure, the message of which stays; not if the connection is gone, and the transaction with it. */
void pg_roll_back(pg_store *s);

/* What is read between the two is of one state. May be nested. */
store_status pg_read_begin(pg_store *s);
void pg_read_end(pg_store *s);

/* ---- a cursor: reads many rows in pieces. One at a time, between pg_read_begin() and pg_read_end() ---- */

typedef struct {
    pg_store *s;
    PGresult *piece;
    int row, rows; /* of the piece */
} pg_cursor;

/* `id` DECLAREs it. */
store_status pg_cursor_open(pg_cursor *c, pg_store *s, pg_sql id);
/* On to the next row, c->row of c->piece; `*there` false: it was the last. */
store_status pg_cursor_next(pg_cursor *c, bool *there);
void pg_cursor_close(pg_cursor *c);

/* ---- values, in PostgreSQL's binary format: network byte order ---- */

void pg_put_null(pg_params *p);
void pg_put_bool(pg_params *p, bool v);
void pg_put_int2(pg_params *p, int v);
void pg_put_int4(pg_params *p, int v);
void pg_put_int8(pg_params *p, int64_t v);
void pg_put_text(pg_params *p, const char *text); /* NULL: NULL */
void pg_put_uuid(pg_params *p, const uuid *id);
/* An array: then as many elements of its kind. */
typedef enum { PG_BOOL = 16, PG_INT8 = 20, PG_INT2 = 21, PG_TEXT = 25, PG_FLOAT8 = 701 } pg_type;
void pg_put_array(pg_params *p, pg_type type, size_t count);
void pg_add_bool(pg_params *p, bool v);
void pg_add_int2(pg_params *p, int v);
void pg_add_int8(pg_params *p, int64_t v);
void pg_add_text(pg_params *p, const char *text);
void pg_add_double(pg_params *p, double v);
void pg_put_int8s(pg_params *p, const int64_t *v, size_t count);
void pg_put_matrix(pg_params *p, double *const *columns, size_t count, size_t rows);

/* Of a field that is NULL or has another size: 0. */
bool pg_bool(const PGresult *r, int row, int column);
int pg_int2(const PGresult *r, int row, int column);
int pg_int4(const PGresult *r, int row, int column);
int64_t pg_int8(const PGresult *r, int row, int column);
uuid pg_uuid(const PGresult *r, int row, int column);
char *pg_text(const PGresult *r, int row, int column); /* caller frees; "" if NULL */

/* An array, read from the front. What is ill-formed sets `bad`, and all that follows is empty. */
typedef struct {
    const uint8_t *p, *end;
    size_t count;   /* elements in all          */
    size_t dims[2]; /* [1] is 1 of a vector     */
    bool null, bad; /* NULL: no elements        */
} pg_array;

pg_array pg_array_of(const PGresult *r, int row, int column, pg_type type);
span pg_next(pg_array *a);        /* an element's bytes */
int64_t pg_next_int(pg_array *a); /* of 2 or 8 bytes */
/* The next `count` elements, which must be of 8 bytes. */
void pg_next_doubles(pg_array *a, double *out, size_t count);
void pg_next_int8s(pg_array *a, int64_t *out, size_t count);

/* ---- the schema ---- */

/* With STORE_WRITE: makes or upgrades it. With STORE_READ: is it there, of our version? */
store_status pg_schema(pg_store *s);

/* ---- what the files offer as a store, beside opening and closing ---- */

store_status postgres_write(store *base, const store_change *changes, size_t count);
store_status postgres_edit(store *base, const uuid *id, const run_edit *edit);
store_status postgres_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx);
store_status postgres_run(store *base, const uuid *id, run_info **out);
store_status postgres_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest,
                            store_entry_fn each, void *ctx);
store_status postgres_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to,
                              store_entry_fn each, void *ctx);
store_status postgres_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                            chunk **out);
store_status postgres_events(store *base, const uuid *id, int64_t from, int64_t to,
                             bool (*each)(void *ctx, const run_event *e), void *ctx);
store_status postgres_unmerged(store *base, bool (*each)(void *ctx, const uuid *id), void *ctx);

#endif
