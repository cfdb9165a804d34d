/* SPDX-License-Identifier: MIT OR Unlicense
   store_trim: what of a change is still to be written, now that the run's place in the store is locked and known. Pure.

   Several servers may have had the rows of a run: a load balancer moved its client, or the client sent again what it saw no
   acknowledgement for. Each numbers and counts by what it knew when it last asked the store; the store's own next_seq is
   the truth. So, for a change without `drop`:

   - acked runs (binary wire): rows leave every server strictly in order, without holes that no gap fills. What lies below
     the stored next_seq is there: rows, parts of gaps, and numbered marks below the stored next_mark are left out. If
     all of the change lies above it, what is between was acknowledged but is not there (a failover to a standby that had not got
     it): a gap is added, since these rows are lost.
   - counted runs (rows without a number of their own): the numbers go on from the stored next_seq.
   - other runs (JSON with "seq"): as it is. Rows have the client's numbers; they may come late, and out of order. */
#ifndef STORE_TRIM_H
#define STORE_TRIM_H

#include "store/store.h"

/* Of the run, as stored; all 0 if it is not. */
typedef struct {
    uint64_t next_seq;
    uint32_t next_mark;
    int64_t last; /* ns: time of the newest row */
    run_state state;
} store_position;

/* The run's state to be stored with a change that tells `told`, and after which (store_trimmed.next_seq, or that of its
   info) `next_seq` is the next row: it follows who knows of more rows. Of two who know the same, one heard the goodbye and
   the other only silence. What a goodbye says holds against a process that was found gone, and that against all else. */
run_state store_state(run_state told, uint64_t next_seq, const store_position *at);

typedef struct {
    store_change change; /* to be written instead; `info` is that of the original, except … */
    uint64_t next_seq;   /* … of this                                                       */
    chunk **owned;       /* what was made anew                                              */
    size_t owned_count;
    chunk **put;       /* room for change.put                                             */
    run_event *events; /* room for change.events; texts are the original's                */
} store_trimmed;

/* false: the change is to be written as it is, and `out` was not touched. A counted run's change that was written before,
   by a commit whose answer was lost, must not come here: its numbers cannot tell. A store whose commits can be in doubt
   finds out what became of them. */
bool store_trim(const store_change *c, const store_position *at, store_trimmed *out);
void store_trimmed_free(store_trimmed *t);

#endif
