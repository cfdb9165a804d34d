/* SPDX-License-Identifier: MIT OR Unlicense
   runs_gather: collects one run's new rows and events until they leave as a part of a batch. Pure. */
#ifndef RUNS_GATHER_H
#define RUNS_GATHER_H

#include "runs/run.h"

/* Zero-initialise. */
typedef struct {
    batch_part part;         /* without `info`                                          */
    size_t row_room, event_room;
    size_t expect;           /* rows: as many as the last part had                      */
    size_t bytes;            /* of memory, about                                        */
    bool unsorted;           /* a late row came                                         */
} gather;

/* `count` values of `columns`; what is missing has no value, what is too much is ignored. `columns` stays the same until
   gather_take(). Rows with histograms come by `seq`: those of the binary wire do. */
void gather_row(gather *g, size_t columns, uint64_t seq, int64_t time, const double *values, size_t count,
                span histograms);
void gather_event(gather *g, run_event e); /* takes ownership of its text */
/* What was collected, rows by `seq`, to be owned by the caller, who gives it an info. Begins anew. */
batch_part gather_take(gather *g, size_t columns);
void gather_free(gather *g);

#endif
