/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_original: the Python original's tables in the same database, public.tracing_run and public.tracing_row:
   their runs are there to be read, and to be moved into chunks by `mnemic import --original` (store_postgres_import.c).

   - A run's UUID there is any text. One in the usual form is that UUID; of another it is made by RFC 9562 §5.3 (MD5).
   - A row's seq is its `id`, which rises over all runs: so it is the same at each reading, and after the import.
   - `date_time` has no time zone: it was now() in a session of the original, so the database's default zone counts, or
     the one that PGTZ names.
   - real[] gives float64 values that are exactly those float32; NaN and infinities mean no value, as on the wire.
   - Nothing is indexed by run: the first look into a run reads all rows of all runs, and keeps where its rows lie, with
     their summaries; the list of runs counts the rows that came since the last time. That will do until they are
     imported. */
#ifndef STORE_POSTGRES_ORIGINAL_H
#define STORE_POSTGRES_ORIGINAL_H

#include "store/ids.h"
#include "store/postgres/store_postgres.h"

typedef struct {
    run_info *info; /* rows and last: as counted when the runs were last read                        */
    char *text;     /* its UUID as the table has it                                                  */
    int64_t stored; /* its next_seq in mnemic.run; -1: it is not there                               */
    int64_t next;   /* of the import: ids below are in chunks, once it is moved; -1: not begun       */
    bool moved;     /* all of it is in chunks, but for what the original added since                 */
    bool elsewhere; /* mnemic takes the run's rows from its program itself: no import, chunks count  */
} original_run;

/* The entries of one run, as they were when it had so many rows. */
typedef struct {
    uuid run;
    uint64_t rows; /* 0: nothing is kept */
    bool too_long; /* to be kept         */
    size_t count, room, columns;
    chunk_key *keys;
    summary *summaries; /* [count][columns] */
} original_outline;

/* What is known of the tables over one connection. Zero-initialise. */
typedef struct original {
    original_run *runs; /* newest start first */
    size_t count;
    char *zone;    /* whose time `date_time` is                */
    id_map counts; /* of a run: its place in `counted`, + 1    */
    struct original_count *counted;
    size_t counted_count;
    int64_t settled;          /* rows up to this id are counted for good  */
    original_outline outline; /* of the run that was looked into last    */
} original;

void original_free(original *o); /* what it holds */

/* Reads which runs there are, and counts their rows. None without the tables, or the right to read them; and none on a
   writer's connection, for which only what is in chunks counts. */
store_status original_refresh(pg_store *s);
/* The run if it is to be read here: it is in the tables, and not moved. Else NULL. Valid until the next refresh. */
const original_run *original_find(pg_store *s, const uuid *id);

/* Reads the run's rows in [from, to], and makes entries of level 0 of them. */
store_status original_scan(pg_store *s, const original_run *run, int64_t from, int64_t to, store_entry_fn each,
                           void *ctx);
/* As store_cover() and store_chunk(). */
store_status original_cover(pg_store *s, const original_run *run, int64_t from, int64_t to, store_entry_fn each,
                            void *ctx);
store_status original_chunk(pg_store *s, const original_run *run, const chunk_key *key, const uint32_t *columns,
                            size_t count, chunk **out);

/* ---- what readers are given: store_postgres_both.c ---- */

store_status both_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx);
store_status both_run(store *base, const uuid *id, run_info **out);
store_status both_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                        void *ctx);
store_status both_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                          void *ctx);
store_status both_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                        chunk **out);
store_status both_chunks(store *base, const uuid *id, const chunk_key *keys, size_t count, chunk **out);
store_status both_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                       store_sums_fn each, void *ctx);
store_status both_events(store *base, const uuid *id, int64_t from, int64_t to,
                         bool (*each)(void *ctx, const run_event *e), void *ctx);

/* ---- for these files and the import ---- */

/* SQL: the UUID of a run of that text; the ns since the epoch of a moment in the zone
   that goes with the statement as parameter `zone`, never null. */
#define ORIGINAL_UUID(text) "mnemic.original_uuid(" text ")"
#define ORIGINAL_TIME(moment, zone)                                                                                  \
    "coalesce((extract(epoch FROM " moment " AT TIME ZONE " zone "::text) * 1000000)::bigint * 1000, 0)"

/* Asks a statement that is not prepared, since it may be of tables that are not there. */
store_status original_ask(pg_store *s, const char *sql, PGresult **out);

/* Rows as they come: of one run, row by row. Zero-initialise, set `columns`, then original_rows_free(). */
typedef struct {
    batch_part part;
    size_t room;
} original_rows;

/* Appends the rows of an answer whose last three fields, in binary, are id, time and row_data. */
void original_rows_add(original_rows *r, const PGresult *answer, int row);
/* The first `rows` of them as chunk; they are taken away. */
chunk *original_rows_take(original_rows *r, size_t rows);
void original_rows_free(original_rows *r);

#endif
