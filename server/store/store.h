/* SPDX-License-Identifier: MIT OR Unlicense
   store: where runs are kept. One interface; store_sqlite.c and store_postgres.c behind it.
   A store is one connection: one thread at a time. Several connections to the same place may be open. Of a SQLite file
   exactly one of them writes; to a PostgreSQL database many servers may write at once.
   Every call that can fail says why in store_error(). A connection that was lost is made again by a later call. */
#ifndef STORE_H
#define STORE_H

#include "runs/run.h"
#include "store/chunk.h"

typedef struct store store;

typedef enum {
    STORE_OK,
    STORE_MISSING, /* no such run; or what a change builds on is no more there                */
    STORE_RETRY,   /* not now (disk full, busy, connection lost): nothing happened, try later */
    STORE_FAILED   /* never: the request or the store itself is bad                           */
} store_status;

/* `url`: "sqlite:FILE", or what libpq takes: "postgresql://…", "postgres://…", "host=… dbname=…". The writer's connection
   makes or upgrades the schema. NULL on failure, with one sentence in `why`. A PostgreSQL server that cannot be reached
   just now is no failure: calls give STORE_RETRY until it can. */
typedef enum { STORE_READ, STORE_WRITE } store_mode;
store *store_open(const char *url, store_mode mode, buf *why);
void store_close(store *s);
const char *store_error(const store *s);                     /* of the last call that failed */
const char *store_name(const char *url);                     /* "sqlite" or "postgresql": what it would open; never with a password */

/* ---- writing ---- */

/* What one transaction does to one run. */
typedef struct {
    const run_info *info;        /* made or updated; `rows`, `lost` and what the user edits are not taken from it */
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
   that it stands for (rows come late), the same transaction removes it, and those above it.
   STORE_MISSING, and nothing happens, if an entry of `drop` is not there just so, or those a summary is to stand for
   have changed: another server was faster. The caller looks again.
   Of a change without `drop`, what another server stored meanwhile is left out, and numbers that two servers gave
   are set right, as store_trim.h says. */
store_status store_write(store *s, const store_change *changes, size_t count);

/* What the user says of a run. NULL or -1: as it is. */
typedef struct {
    const char *note;
    const char *tags;            /* a JSON object: becomes run_info.user_tags, in whole     */
    int pinned;                  /* 0 or 1                                                  */
    int64_t deleted;             /* ns since the epoch: when it was deleted; 0: it is not   */
} run_edit;
store_status store_edit(store *s, const uuid *id, const run_edit *edit);

/* Removes for good, a little at a time so that a writer can put other work between, what is to go: all of the runs that
   were deleted before `deleted`; and of runs that are not pinned, the chunks whose rows are all older than `rows`, the
   events older than it, and the run itself when nothing is left and it was not heard of since `rows`. INT64_MIN: none.
   What goes was not lost: `rows` of the run shrinks, `removed` grows, `lost` does not. Gives space back, as far as the
   store can while it is in use. */
#define STORE_SWEEP 64              /* entries in a call, about  */
typedef struct {
    bool more;                       /* there is more to do      */
    uint64_t rows, runs;             /* that were removed        */
} store_swept;
store_status store_sweep(store *s, int64_t deleted, int64_t rows, store_swept *out);

#define STORE_LEVELS 8              /* 0 … 7                                      */
#define STORE_SMALL (CHUNK_ROWS / 2) /* a chunk with fewer rows wants to be merged */

/* ---- reading; `each` returns false to stop. What it is given lives only during its call, in which it may call
   store_chunk(), but none of the functions that take an `each` ---- */

/* Newest start first; those too that were deleted but are still there. */
store_status store_runs(store *s, bool (*each)(void *ctx, const run_info *r), void *ctx);
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
/* The rows of a level-0 entry; `columns` NULL: all, and the histograms, which CHUNK_HISTOGRAMS among them asks for.
   STORE_MISSING if it was merged away meanwhile. Caller frees. */
store_status store_chunk(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                         chunk **out);
/* All of several level-0 entries: out[i] of keys[i], in fewer ways over a network than one by one. What is not STORE_OK leaves
   nothing to free. */
store_status store_chunks(store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out);
/* The histograms of each entry's rows, added up, as bytes of base/histogram.h; for those of the entries that have any.
   STORE_MISSING as above, perhaps after some were given. */
typedef void (*store_sums_fn)(void *ctx, size_t entry, span sums);
store_status store_sums(store *s, const uuid *id, const chunk_key *keys, size_t count,
                        store_sums_fn each, void *ctx);
store_status store_events(store *s, const uuid *id, int64_t from, int64_t to,
                          bool (*each)(void *ctx, const run_event *e), void *ctx);        /* by time */
/* Runs that have small chunks worth merging; for the writer, after a restart. */
store_status store_unmerged(store *s, bool (*each)(void *ctx, const uuid *id), void *ctx);
/* Reads between the two see one state of the store. They may be nested in nothing. */
store_status store_snapshot_begin(store *s);
void store_snapshot_end(store *s);

#endif
