/* SPDX-License-Identifier: MIT OR Unlicense
   distribution: how often values of each size came in each part of a range, out of the histograms that rows bring; so the
   percentiles of any time are those of all its values, and never a mean of percentiles. Pure but for the store. */
#ifndef DISTRIBUTION_H
#define DISTRIBUTION_H

#include "query/reducer.h"
#include "store/store.h"

typedef struct {
    grid grid;
    size_t column_count;
    histogram **of;              /* [column][part] */
} distribution;

/* Of the columns columns[0 … count - 1] of the run, in [from, to], ns. An entry of the store that is no longer than `longest`
   counts in the part that its middle lies in; longer ones are read row by row. Within a snapshot of the caller's. STORE_OK, and
   the caller frees with distribution_free(). */
store_status distribution_of(store *s, const run_info *run, const grid *g, int64_t longest, const uint32_t *columns,
                             size_t count, distribution *out);
void distribution_free(distribution *d);

/* What a column tells of a histogram. A histogram's column is named NAME_mean; up to DISTRIBUTION_VIEWS columns behind it tell
   more of the same: NAME_p50 its median, NAME_p999 what 99.9 % do not exceed, NAME_max the greatest. */
#define DISTRIBUTION_VIEWS 8
typedef enum { VIEW_NONE, VIEW_MEAN, VIEW_RANK, VIEW_MAX } view_kind;
typedef struct {
    view_kind kind;
    uint32_t column;             /* the histogram's        */
    double share;                /* of VIEW_RANK: 0 … 1    */
} distribution_view;
distribution_view distribution_view_of(const run_info *run, uint32_t column); /* of one it has not: VIEW_NONE */

/* The columns of a series that are such views get, in place of means of what each row told, what all values of each point
   make together, but not beyond the point's least and greatest; g and `longest`: those that the series was made with. Within
   a snapshot of the caller's. */
store_status distribution_correct(store *s, const run_info *run, const grid *g, int64_t longest, series *out);

#endif
