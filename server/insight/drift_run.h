/* SPDX-License-Identifier: MIT OR Unlicense
   drift_run: the verdicts on a run's columns, from the store. What it costs does not depend on the run's length. */
#ifndef DRIFT_RUN_H
#define DRIFT_RUN_H

#include "insight/drift.h"
#include "store/store.h"

/* out[i] of column columns[i], as its rows in [from, to], ns, tell. With hundreds of columns, fewer points of each. Takes
   a snapshot of the store: the caller must not hold one. */
store_status drift_run(store *s, const run_info *run, int64_t from, int64_t to, const uint32_t *columns, size_t count,
                       drift *out);

#endif
