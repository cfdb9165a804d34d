/* SPDX-License-Identifier: MIT OR Unlicense
   merge: keeps a run's chunks full and its summaries of summaries complete. A slow run's rows become durable as small
   chunks; so that reading stays cheap, 16 neighbours of a size are put together until they make a full chunk, and
   each MERGE_FANOUT entries of a level get one entry a level above. Stateless: all it needs is in the store. */
#ifndef MERGE_H
#define MERGE_H

#include "store/store.h"

#define MERGE_SMALL  16
#define MERGE_FANOUT 64

/* Does what there is to do for the run, in small transactions; `*more` tells that something was left for another call
   (so that one run with much to do does not keep the writer from new rows). */
store_status merge_run(store *s, const uuid *id, bool *more);

#endif
