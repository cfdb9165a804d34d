/* SPDX-License-Identifier: MIT OR Unlicense
   writer: the one thread that writes the store. Takes batches, commits them in groups, says when they are durable;
   looks up runs for the registry; merges chunks when it has nothing better to do.
   While the store refuses (disk full …) batches wait in memory up to a bound, and it tries again every second. */
#ifndef WRITER_H
#define WRITER_H

#include "run.h"

typedef struct writer writer;

typedef struct {
    const char *store_url;
    size_t bound;                        /* bytes that may wait (0: 256 MiB)*/
    /* Both on the writer's thread. */
    /* In the order of writer_put(); of what was dropped comes a batch that has only the gaps. May be NULL. */
    void (*durable)(void *ctx, const batch *b);
    /* The answer to writer_want(); NULL: there is no such run. Hands over ownership. */
    void (*found)(void *ctx, const uuid *id, run_info *stored);
    void *ctx;
} writer_desc;

/* What the writer counts; any thread may read. */
#define WRITER_COUNTERS(X)                                              \
    X(rows_stored, "rows durable in the store")                         \
    X(commits, "transactions committed")                                \
    X(failures, "transactions that failed and will be tried again")     \
    X(rows_dropped, "rows dropped because the store refused them: counted as lost in their run")   \
    X(marks_dropped, "marks dropped because the store refused them")

typedef struct {
#define X(name, text) _Atomic uint64_t name;
    WRITER_COUNTERS(X)
#undef X
    _Atomic uint64_t waiting_bytes;
    _Atomic bool behind;                 /* the store refused the last write */
} writer_stats;

/* Opens (and makes or upgrades) the store; NULL on failure, with one sentence in `why`. */
writer *writer_start(const writer_desc *desc, buf *why);
/* Any thread; never blocks on the store; takes ownership. Past the bound the batch's rows are dropped and the runs get
   a gap instead. */
void writer_put(writer *w, batch *b);
/* Any thread. What was put before is taken into account: the answer comes when it is stored. */
/* More than half of the bound waits: rows that can wait at their clients should. Any thread. */
bool writer_is_behind(const writer *w);
void writer_want(writer *w, const uuid *id);
/* Writes what waits (gives up after `seconds` if the store refuses, and logs how many rows that cost), closes the store
   and ends the thread. Then, when nobody looks at the counters any more, writer_free(). */
void writer_stop(writer *w, double seconds);
void writer_free(writer *w);
const writer_stats *writer_counters(const writer *w);

#endif
