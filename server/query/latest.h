/* SPDX-License-Identifier: MIT OR Unlicense
   latest: a run's newest values, as the store has them. */
#ifndef LATEST_H
#define LATEST_H

#include "store/store.h"

/* For each column its newest value among the run's last LATEST_SECONDS, NaN if there is none: `out` has room for
   run->column_count of them. */
#define LATEST_SECONDS 10
store_status latest_values(store *s, const run_info *run, double *out);

#endif
