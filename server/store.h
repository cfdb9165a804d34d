/* SPDX-License-Identifier: MIT OR Unlicense
   store: where runs are kept. One interface; store_sqlite.c behind it, store_postgres.c to follow.
   A store is one connection: one thread at a time. Several connections to the same place may be open; exactly one
   of them writes. Every call that can fail says why in store_error(). */
#ifndef STORE_H
#define STORE_H

#include "chunk.h"
#include "run.h"

typedef struct store store;

typedef enum {
    STORE_OK,
    STORE_MISSING, /* no such run                                                            */
    STORE_RETRY,   /* not now (disk full, busy, connection lost): nothing happened, try later */
    STORE_FAILED   /* never: the request or the store itself is bad                           */
} store_status;

/* `url`: "sqlite:FILE" (postgresql://… to follow). The writer's connection makes or upgrades the schema.
   NULL on failure, with one sentence in `why`. */
typedef enum { STORE_READ, STORE_WRITE } store_mode;
store *store_open(const char *url, store_mode mode, buf *why);
void store_close(store *s);
const char *store_error(const store *s);                     /* of the last call that failed */

/* ---- writing ---- */

/* What one transaction does to one run. */
typedef struct {
    const run_info *info;        /* made or updated; `rows`, `lost`, note, pinned are not taken from it         */
    chunk *const *put;           /* rows with their summaries; of level k > 0: a summary only, `rows` 0: it stands
                                    for the entries of level k-1 from its key on that have its key.rows together  */
    size_t put_count;
    const chunk_key *drop;       /* entries that `put` replaces                                                 */
    size_t drop_count;
    const run_event *events;
    size_t event_count;
} store_change;

/* All or nothing, and durable (it survives a power cut) when it returns STORE_OK. First all `drop` goes, then `put`
   comes. An entry whose key is there already is left alone and not counted, so a repeated write changes nothing. The
   run's `rows` and `lost` grow by what was really added. A summary never lies: if something changes among the entries
   that it stands for (rows come late), the same transaction removes it, and those above it. */
store_status store_write(store *s, const store_change *changes, size_t count);

#define STORE_LEVELS 8              /* 0 … 7                                      */
#define STORE_SMALL (CHUNK_ROWS / 2) /* a chunk with fewer rows wants to be merged */

/* ---- reading; `each` returns false to stop. What it is given lives only during its call, in which it may call
   store_chunk(), but none of the functions that take an `each` ---- */

store_status store_runs(store *s, bool (*each)(void *ctx, const run_info *r), void *ctx); /* newest start first */
store_status store_run(store *s, const uuid *id, run_info **out);                         /* caller frees       */

typedef bool (*store_entry_fn)(void *ctx, const chunk_key *key, const summary *columns, size_t count);
/* The fewest entries that hold every row of [from, to] exactly once, by (first_time, first_seq): each of the highest
   level at which it lies within [from, to] and is no longer than `longest` ns (last_time - first_time); at level 0
   however long it is, and wherever it begins and ends. */
store_status store_cover(store *s, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                         void *ctx);
/* Entries of one level that overlap [from, to], by (first_time, first_seq). Which rows nothing of a level > 0 stands
   for is not to be seen from this: use store_cover(). */
store_status store_entries(store *s, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                           void *ctx);
/* The rows of a level-0 entry; `columns` NULL: all. STORE_MISSING if it was merged away meanwhile. Caller frees. */
store_status store_chunk(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                         chunk **out);
store_status store_events(store *s, const uuid *id, int64_t from, int64_t to,
                          bool (*each)(void *ctx, const run_event *e), void *ctx);        /* by time */
/* Runs that have small chunks worth merging; for the writer, after a restart. */
store_status store_unmerged(store *s, bool (*each)(void *ctx, const uuid *id), void *ctx);
/* Reads between the two see one state of the store. They may be nested in nothing. */
store_status store_snapshot_begin(store *s);
void store_snapshot_end(store *s);

#endif
