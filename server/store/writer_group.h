/* SPDX-License-Identifier: MIT OR Unlicense
   writer_group: batches that go into the store in one transaction. */
#ifndef WRITER_GROUP_H
#define WRITER_GROUP_H

#include "store/store.h"

typedef struct {
    batch *first;                /* the batches, in order                                        */
    size_t bytes;                /* of memory, as the batches say                                */
    store_change *changes;       /* one for each part of each batch, in order                    */
    size_t count;
    chunk **chunks;              /* of all changes                                               */
    run_event *gaps;             /* of a change that the store will never take: one for its rows */
    bool *refused;               /* it is such a change                                          */
    size_t done;                 /* so many changes are settled …                                */
    bool singly;                 /* … since the group as a whole was refused                     */
    uint64_t rows_dropped, marks_dropped;
} group;

/* Takes ownership of the batches. The chunks are made once, so that what is written again has the same keys. */
group *group_new(batch *first);
void group_free(group *g);

/* STORE_OK: all is settled: durable, or refused for good and counted. STORE_RETRY: call it again, some time later. */
store_status group_write(group *g, store *s);
/* Calls `each` for every batch that is durable as it came. */
void group_durable(const group *g, void (*each)(void *ctx, const batch *b), void *ctx);
uint64_t group_rows(const group *g);                         /* that are to be stored, or were */
bool group_has_run(const group *g, const uuid *id);

#endif
