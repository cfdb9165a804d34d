/* SPDX-License-Identifier: MIT OR Unlicense
   runs_seqs: which rows of a run have come. Between what came lie holes; a row that falls into one is late but new, one
   that falls into none has come before. A hole that stays open too long is a gap: rows lost. Pure. */
#ifndef RUNS_SEQS_H
#define RUNS_SEQS_H

#include "base/base.h"

#define SEQS_HOLES 1024 /* open at once; with more, the oldest become gaps early */

typedef struct {
    uint64_t first, end;     /* rows [first, end) are missing                                  */
    int64_t noticed;         /* at which tick                                                  */
    int64_t before, after;   /* the times of the rows beside it                                */
} hole;

/* Zero-initialise for a run that begins with row 0. */
typedef struct {
    uint64_t next;           /* after the highest that came                                    */
    int64_t time;            /* of the highest that came; before any: of the run's start       */
    bool open;               /* where the run began is not known: the first row to come says   */
    hole *holes;             /* by `first`, and so by `noticed`                                */
    size_t count, capacity;
} seqs;

typedef enum { SEQ_NEW, SEQ_LATE, SEQ_SEEN } seq_verdict;

/* A row comes. `*time` is its own, or NO_TIME, and then gets one: `now`, but not before that of the row before it.
   `tick` is like `now`, by a clock that is never set back. */
seq_verdict seqs_take(seqs *s, uint64_t seq, int64_t *time, int64_t now, int64_t tick);
/* The sender says that it lost rows [first, end): those that are missing become gaps at the next seqs_expire(). */
void seqs_lose(seqs *s, uint64_t first, uint64_t end, int64_t tick);
/* Takes out the holes noticed at `until` or before, and the oldest beyond SEQS_HOLES. Returns how many; the caller
   frees `*out`, which is NULL if there are none. */
size_t seqs_expire(seqs *s, int64_t until, hole **out);
void seqs_free(seqs *s);

#endif
