/* SPDX-License-Identifier: MIT OR Unlicense
   runs: the registry of the runs that are heard of now. It gives each row its place (sequence number, time), drops
   what it has seen, notices what is missing, and gathers what is new into batches. Pure: `now` is an argument.

   A run that the registry does not know (its announcement is late, or the server was restarted) is asked for by
   `want`; its rows wait until runs_answer() or an announcement comes, at most PENDING_SECONDS, within bounds. */
#ifndef RUNS_H
#define RUNS_H

#include "run.h"

typedef struct {
    size_t runs;         /* heard of at once                    (0: 65,536); the longest silent makes room      */
    size_t pending_rows; /* of unknown runs, all together       (0: 65,536)                                     */
    size_t batch_bytes;  /* after so much new, runs_full()      (0: 8 MiB)                                      */
    int64_t reorder;     /* ns a missing row may be late before it is a gap    (0: 2 s)                         */
} runs_limits;

#define PENDING_SECONDS 10
#define FLUSH_MS        250 /* what is newer may be missing after a SIGKILL */

/* What the registry counts; only its own thread writes, any may read. */
#define RUNS_COUNTERS(X)                                                                     \
    X(rows, "rows taken")                                                                    \
    X(duplicates, "rows that had come before")                                               \
    X(orphans, "rows whose run was never announced")                                         \
    X(short_rows, "rows with fewer values than columns: the rest have no value")             \
    X(long_rows, "rows with more values than columns: the surplus is ignored")               \
    X(conflicts, "announcements that contradict an earlier one of the same run: refused")    \
    X(clipped_names, "names and texts that were too long or held control characters")        \
    X(renamed_columns, "columns whose name the run had already: a number is added")          \
    X(evicted, "runs forgotten, to make room in memory; what is stored stays")

typedef struct {
#define X(name, text) _Atomic uint64_t name;
    RUNS_COUNTERS(X)
#undef X
} runs_counters;

typedef struct runs runs;

/* `want` asks the store for a run, once; the answer comes by runs_answer(). `limits` may be NULL. */
runs *runs_new(const runs_limits *limits, void (*want)(void *ctx, const uuid *run), void *ctx);
void runs_free(runs *r);

void runs_take(runs *r, const record *rec, int64_t now);
/* The store's answer: what it holds of the run, or NULL if nothing. Takes ownership of `stored`. */
void runs_answer(runs *r, const uuid *id, run_info *stored, int64_t now);
/* Everything new since the last call, or NULL. The caller owns it. Also lets go of what waited too long.
   `final`: no more will come, so what is missing now is a gap. */
batch *runs_flush(runs *r, int64_t now, bool final);
bool runs_full(const runs *r);                               /* flush before the interval is over */
size_t runs_count(const runs *r);
const runs_counters *runs_stats(const runs *r);              /* valid as long as `r` */

#endif
