/* SPDX-License-Identifier: MIT OR Unlicense
   import_original: moves the runs of the Python original, whose tables lie in a PostgreSQL database that mnemic uses, into
   chunks. The servers, mnemic's and the original's, may run meanwhile.

   It can be ended at any moment and goes on where it was when it is called again; rows that the original has added since
   then are moved by the next call. Each run, once it is in chunks, is compared with the tables, row for row; only then
   is it served from chunks. */
#ifndef IMPORT_ORIGINAL_H
#define IMPORT_ORIGINAL_H

#include "base/base.h"

typedef struct {
    uint64_t runs, rows;     /* to be moved, as known at the start                                            */
    uint64_t moved, checked; /* rows                                                                          */
    uint64_t elsewhere;      /* runs left alone: mnemic takes their rows from their programs itself           */
    uint64_t orphans;        /* rows left alone: no run of theirs was ever announced                          */
    bool dropped;            /* the tables                                                                    */
} import_progress;

/* `drop`: in the end the original's tables are dropped, if nothing is in them that is not in chunks. `tell` is called
   now and then, and in the end. false: `why` gets one sentence. */
bool import_original(const char *store_url, bool drop, void (*tell)(void *ctx, const import_progress *p), void *ctx,
                     buf *why);

#endif
