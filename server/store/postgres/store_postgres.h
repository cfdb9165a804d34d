/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres: what the files of the PostgreSQL store share: the connection, its statements, and how they fail.
     store_postgres.c         opens, closes, transactions
     store_postgres_link.c    connects, asks, waits for answers
     store_postgres_sql.c     the statements
     store_postgres_values.c  what goes with a statement and what comes back, in PostgreSQL's binary format
     store_postgres_schema.c  makes and upgrades the tables and views; their description
     store_postgres_write.c   store_write()
     store_postgres_held.c    what is known of a run that it has locked
     store_postgres_edit.c    what users edit
     store_postgres_sweep.c   store_sweep()
     store_postgres_read.c    runs, chunks, events
     store_postgres_rows.c    a chunk's rows as arrays, and back
     store_postgres_cover.c   entries of a level, and the cover of a range
     store_postgres_original.h  the tables of the Python original: what readers are given beside our own runs
     store_postgres_both.c      … which is what the store offers to readers
     store_postgres_import.c    … and moving them into chunks

   A statement is asked with pg_ask(); pg_flush() sends all that was asked and waits for the answers, so that many
   statements cost one way over the network and back (libpq's pipeline mode). */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store/store_kind.h"

#include <libpq-fe.h>

/* The statements; their texts are in store_postgres_sql.c. */
/* clang-format off */
typedef enum {
    PG_BEGIN_READ, PG_BEGIN_WRITE, PG_COMMIT, PG_ROLLBACK, PG_PIN,                       /* transactions         */
    PG_FETCH, PG_CLOSE,                                                                  /* cursors              */
    PG_LOCK, PG_RUN_INSERT, PG_RUN_FACTS, PG_RUN_GROW, PG_RUN_EDIT,                      /* writing: runs, …     */
    PG_ROW_FIND, PG_CHUNK_PUT, PG_SUMMARY_PUT, PG_SUMMARIES_DROP, PG_CHUNKS_DROP, PG_EVENTS_PUT, /* … entries, events */
    PG_RUNS_TO_SWEEP, PG_OLD_CHUNKS, PG_EVENTS_DROP, PG_RUN_DROP,                        /* what is to go        */
    PG_RUN_GET, PG_RUNS, PG_UNMERGED, PG_SPANS, PG_ENTRIES, PG_CHUNK_GET, PG_SUMS_GET,   /* reading …            */
    PG_EVENTS,
    PG_SQL_COUNT
} pg_sql;
/* clang-format on */

extern const char *const pg_statements[PG_SQL_COUNT];

#define PG_PARAMS 26

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
    uuid swept;                /* store_sweep() has looked at the runs up to this one */
    summary *summaries;        /* [MAX_COLUMNS], of the entry being read             */
    struct original *original; /* the tables of the Python original                  */
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
void pg_put_bytes(pg_params *p, span bytes);      /* none: NULL */
/* An array: then as many elements of its kind. */
typedef enum { PG_BOOL = 16, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25, PG_FLOAT8 = 701 } pg_type;
void pg_put_array(pg_params *p, pg_type type, size_t count);
void pg_add_bool(pg_params *p, bool v);
void pg_add_int2(pg_params *p, int v);
void pg_add_int8(pg_params *p, int64_t v);
void pg_add_text(pg_params *p, const char *text);
void pg_add_doubles(pg_params *p, const double *v, size_t count);
void pg_add_integers(pg_params *p, const int32_t *v, size_t count, int bytes); /* 2 or 4 */
void pg_put_int8s(pg_params *p, const int64_t *v, size_t count);
/* Then rows × each elements of its kind. */
void pg_put_matrix(pg_params *p, pg_type type, size_t rows, size_t each);

/* Of a field that is NULL or has another size: 0. */
bool pg_bool(const PGresult *r, int row, int column);
int pg_int2(const PGresult *r, int row, int column);
int pg_int4(const PGresult *r, int row, int column);
int64_t pg_int8(const PGresult *r, int row, int column);
uuid pg_uuid(const PGresult *r, int row, int column);
char *pg_text(const PGresult *r, int row, int column); /* caller frees; "" if NULL */
span pg_bytes(const PGresult *r, int row, int column); /* lives as long as `r` */

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
/* The next `count` elements, which must be of 8 bytes, or of so many. */
void pg_next_doubles(pg_array *a, double *out, size_t count);
void pg_next_int8s(pg_array *a, int64_t *out, size_t count);
void pg_next_integers(pg_array *a, int32_t *out, size_t count, int bytes); /* 2 or 4 */

/* ---- the schema ---- */

/* With STORE_WRITE: makes or upgrades it. With STORE_READ: is it there, of our version? */
store_status pg_schema(pg_store *s);

/* ---- what the files offer as a store, beside opening and closing ---- */

store_status postgres_write(store *base, const store_change *changes, size_t count);
store_status postgres_edit(store *base, const uuid *id, const run_edit *edit);
store_status postgres_sweep(store *base, int64_t deleted, int64_t rows, store_swept *out);
store_status postgres_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx);
store_status postgres_run(store *base, const uuid *id, run_info **out);
store_status postgres_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest,
                            store_entry_fn each, void *ctx);
store_status postgres_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to,
                              store_entry_fn each, void *ctx);
store_status postgres_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                            chunk **out);
store_status postgres_chunks(store *base, const uuid *id, const chunk_key *keys, size_t count, chunk **out);
store_status postgres_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                           store_sums_fn each, void *ctx);
store_status postgres_events(store *base, const uuid *id, int64_t from, int64_t to,
                             bool (*each)(void *ctx, const run_event *e), void *ctx);
store_status postgres_unmerged(store *base, bool (*each)(void *ctx, const uuid *id), void *ctx);

#endif
