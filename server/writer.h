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
    size_t bound;                                                        /* bytes that may wait (0: 64 MiB)  */
    void (*durable)(void *ctx, const batch *b);                          /* may be NULL; on the writer's thread */
    void (*found)(void *ctx, const uuid *id, run_info *stored);          /* answer to writer_want(); NULL: no such
                                                                            run; hands over ownership; ditto    */
    void *ctx;
} writer_desc;

/* What the writer counts; any thread may read. */
#define WRITER_COUNTERS(X)                                              \
    X(rows_stored, "rows durable in the store")                         \
    X(commits, "transactions committed")                                \
    X(failures, "transactions that failed and will be tried again")     \
    X(rows_dropped, "rows dropped because the store refused for too long: counted as lost in their run")

typedef struct {
#define X(name, text) _Atomic uint64_t name;
    WRITER_COUNTERS(X)
#undef X
    _Atomic uint64_t waiting_bytes;
    _Atomic bool behind;                                                 /* the store refused the last write */
} writer_stats;

/* Opens (and makes or upgrades) the store; NULL on failure, with one sentence in `why`. */
writer *writer_start(const writer_desc *desc, buf *why);
/* Any thread; never blocks on the store; takes ownership. Past the bound the batch's rows are dropped and the runs get
   a gap instead. */
void writer_put(writer *w, batch *b);
void writer_want(writer *w, const uuid *id);                             /* any thread */
/* Writes what waits (gives up after `seconds` if the store refuses, and logs how many rows that cost), then ends. */
void writer_stop(writer *w, double seconds);
const writer_stats *writer_counters(const writer *w);

#endif
