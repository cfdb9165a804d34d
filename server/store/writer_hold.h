/* SPDX-License-Identifier: MIT OR Unlicense
   writer_hold: what slow programs say waits a little, so that a commit takes several rows of a run at once. Pure: `now` is
   an argument.

   What a store pays for is less the rows than the pairs of a run and a commit. So while more than HOLD_PAIRS of them come
   in a second, they wait: the more come, the longer, up to HOLD_SECONDS. Rows of one run leave in their order. At once
   leaves what is more than a few rows: a program that has said HOLD_BYTES (half of the least ring that a client of the
   binary wire can have, so that none overflows), an event, something new of the run itself; and all of a run that somebody
   looks at. */
#ifndef WRITER_HOLD_H
#define WRITER_HOLD_H

#include "runs/run.h"
#include "store/ids.h"

#define HOLD_PAIRS   2000 /* a second of a run's news alone, which a store bears   */
#define HOLD_SECONDS 5    /* less than a run is silent before it is taken for lost */
#define HOLD_BYTES   2048
#define PART_BYTES   1024 /* of memory, about: a part, and what is known of its run */

/* What is held of one run. */
typedef struct {
    batch_part part; /* `info` NULL: it has left */
    int64_t since;
} held_part;

/* Zero-initialise. */
typedef struct {
    held_part *parts;        /* [end - base], by `since`; they count from `base`, and begin at `first` */
    size_t base, first, end, room;
    id_map places;           /* of a run: 1 + where it is                                  */
    int64_t window;          /* since then …                                               */
    size_t pairs;            /* … so many have come                                        */
    double rate;             /* in a second, in the window before                          */
    size_t bytes;            /* of memory, about: as batches count them                    */
} hold;

/* Takes what may wait out of a batch; what is held of a run comes into it in front of what may not. NULL: nothing is left. */
batch *hold_take(hold *h, batch *b, bool (*watched)(void *ctx, const uuid *run), void *ctx, int64_t now);
/* When the next is due; INT64_MAX: nothing is held. */
int64_t hold_due(const hold *h);
/* What is due by `now` (INT64_MAX: all), of at most about `bytes`; NULL: nothing. */
batch *hold_let_go(hold *h, int64_t now, size_t bytes);
/* What is held of one run; NULL: nothing. */
batch *hold_let_run_go(hold *h, const uuid *run);
void hold_free(hold *h);

/* The memory that a batch of such a part takes, about. */
size_t part_bytes(const batch_part *p);

#endif
