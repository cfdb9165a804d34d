/* SPDX-License-Identifier: MIT OR Unlicense
   writer_gaps: what is left of rows that had to be dropped: one gap for each run. Pure. */
#ifndef WRITER_GAPS_H
#define WRITER_GAPS_H

#include "runs/run.h"
#include "store/ids.h"

/* A batch without rows that grows while more is dropped. Zero-initialise. */
typedef struct {
    batch *batch;            /* NULL: nothing is dropped now */
    id_map parts;             /* of a run: 1 + its part       */
    size_t room;
} gaps;

typedef struct {
    uint64_t rows, marks;
} dropped;

/* All that is lost with a part: its rows, and what it told to be lost. `text` of the result is "" and not owned. */
run_event gap_of(const batch_part *p);

/* Takes in what a batch would have told, and frees the batch. `g->batch->bytes` is kept up to date. */
dropped gaps_take(gaps *g, batch *b);
/* Takes out of a batch the parts whose clients wait for acknowledgements, into a batch of their own, or NULL: they are
   never dropped, since such clients stop sending when the store is behind. */
batch *gaps_spare_acked(batch *b);
/* The batch belongs to somebody else now; the next that is dropped begins a new one. */
void gaps_close(gaps *g);

#endif
