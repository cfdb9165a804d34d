/* SPDX-License-Identifier: MIT OR Unlicense
   drift_run: the verdicts on a run's columns. */
#include "insight/drift_run.h"

#include <math.h>

#include "query/query.h"

#define PAIRS (UINT64_C(1) << 23) /* of points, of all columns together: a second's work, about */

static size_t points_of(size_t columns)
{
    double points = sqrt(2 * (double)PAIRS / (double)(columns ? columns : 1));
    return points < 2 * DRIFT_FEWEST ? 2 * DRIFT_FEWEST : points < DRIFT_POINTS ? (size_t)points : DRIFT_POINTS;
}

store_status drift_run(store *s, const run_info *run, int64_t from, int64_t to, const uint32_t *columns, size_t count,
                       drift *out)
{
    series_request request = {from, to, points_of(count), columns, count};
    series found;
    store_status status = query_series(s, run, &request, &found);
    if (status != STORE_OK) return status;
    for (size_t i = 0; i < count; i++)
        drift_of(found.time, &found.values[i], found.points, run->columns[columns[i]].kind, &out[i]);
    series_free(&found);
    return STORE_OK;
}
