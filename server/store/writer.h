/* SPDX-License-Identifier: MIT OR Unlicense
   writer: the one thread that writes the store. Takes batches, commits them in groups, says when they are durable;
   looks up runs for the registry; does what users want changed. Between two groups it merges chunks and removes what is
   deleted or too old, a little at a time.
   While the store refuses (disk full …) batches wait in memory up to a bound, and it tries again every second. */
#ifndef WRITER_H
#define WRITER_H

#include "store/jobs.h"

#define UNDO_SECONDS  600 /* a deleted run can be brought back for so long, about         */
#define SWEEP_SECONDS 60  /* as often it is looked whether something is to be removed     */
#define WRITER_EDITS  256 /* jobs of writer_edit() that may wait                          */
#define LAG_SECONDS   3   /* a store that has not answered for so long is taken for slow  */

typedef struct writer writer;

typedef struct {
    const char *store_url;
    size_t bound;                        /* bytes that may wait (0: 256 MiB)             */
    int64_t retain;                      /* ns: rows older than that go (0: none do)     */
    /* On the writer's thread. In the order of writer_put() for each run, though perhaps in other batches; of what was dropped comes
       a batch that has only the gaps. May be NULL. */
    void (*durable)(void *ctx, const batch *b);
    /* Somebody looks at the run: so none of its rows are held back (writer_hold.h). On the thread of writer_put(). May be NULL. */
    bool (*watched)(void *ctx, const uuid *run);
    /* On the writer's thread: the answer to writer_want(); NULL: there is no such run. Hands over ownership. */
    void (*found)(void *ctx, const uuid *id, run_info *stored);
    void *ctx;
} writer_desc;

/* What the writer counts; any thread may read. */
#define WRITER_COUNTERS(X)                                              \
    X(rows_stored, "rows durable in the store")                         \
    X(commits, "transactions committed")                                \
    X(failures, "transactions that failed and will be tried again")     \
    X(rows_dropped, "rows dropped because the store refused them: counted as lost in their run")   \
    X(marks_dropped, "marks dropped because the store refused them")     \
    X(rows_removed, "rows removed because they are too old, or their run was deleted")   \
    X(runs_removed, "runs removed because they are too old, or were deleted")

typedef struct {
#define X(name, text) _Atomic uint64_t name;
    WRITER_COUNTERS(X)
#undef X
    _Atomic uint64_t waiting_bytes;
    _Atomic bool behind;                 /* the store refused the last write                       */
    _Atomic int64_t asked;               /* clock_mono() when it was given what it does now; 0: nothing */
} writer_stats;

/* The store refuses, or does not answer. Any thread. */
bool writer_lags(const writer_stats *s);

/* Opens (and makes or upgrades) the store; NULL on failure, with one sentence in `why`. */
writer *writer_start(const writer_desc *desc, buf *why);
/* Any thread; never blocks on the store; takes ownership. Past the bound the batch's rows are dropped and the runs get
   a gap instead. */
void writer_put(writer *w, batch *b);
/* More than half of the bound waits: rows that can wait at their clients should. Any thread. */
bool writer_is_behind(const writer *w);
/* Any thread. What was put before is taken into account: the answer comes when it is stored. */
void writer_want(writer *w, const uuid *id);
/* Somebody begins to look at the run: what was held back of it is written now. Any thread. */
void writer_hurry(writer *w, const uuid *id);
/* Runs a job with the writer's own connection, between two groups; then calls `finished`, on the writer's thread too.
   Jobs run one after the other, so what one has read of a run holds until it has changed it. Any thread; false: too many
   wait, or the writer stops, and nothing will happen. */
bool writer_edit(writer *w, job *j, void (*finished)(void *ctx, job *j), void *ctx);
/* Looks now whether something is to be removed. Any thread. */
void writer_sweep(writer *w);
/* Writes what waits (gives up after `seconds` if the store refuses, and logs how many rows that cost), closes the store
   and ends the thread. Then, when nobody looks at the counters any more, writer_free(). */
void writer_stop(writer *w, double seconds);
void writer_free(writer *w);
const writer_stats *writer_counters(const writer *w);

#endif
