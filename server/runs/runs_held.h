/* SPDX-License-Identifier: MIT OR Unlicense
   runs_held: copies of a run's records, that wait until the run is known. Pure. */
#ifndef RUNS_HELD_H
#define RUNS_HELD_H

#include "ingest/record.h"

typedef struct held {
    struct held *next;
    int64_t now;             /* when it came                    */
    size_t bytes;
    record rec;
    double payload[];        /* what `rec` points to            */
} held;

/* In order of coming; zero-initialise. */
typedef struct {
    held *first, *last;
    size_t rows, bytes;
} held_list;

/* A row, a mark, a loss or an end: not an announcement. */
void held_append(held_list *l, const record *rec, int64_t now);
held *held_pop(held_list *l);                                /* the oldest, or NULL; the caller frees it with free() */
void held_clear(held_list *l);

#endif
