/* SPDX-License-Identifier: MIT OR Unlicense
   correlation: which columns move together. Pure. */
#ifndef CORRELATION_H
#define CORRELATION_H

#include "query/reducer.h"

#define CORRELATION_COLUMNS 256  /* at most: the answer has their square */
#define CORRELATION_POINTS  2000 /* of each that are looked at           */

/* Square, [count * count], as the columns were given. */
typedef struct {
    size_t count;
    double *r;       /* Pearson's, -1 … 1; NaN: fewer than 3 pairs, or one of the two never changes among them */
    uint32_t *n;     /* pairs: points in which both have a value                                             */
    uint32_t *order; /* [count]: columns by similarity, |r|: see correlation_order() */
} correlation;

/* What stands for a column in every point: its value; of a counter its rate since the point before, NaN if it began
   anew meanwhile. `differenced`: what that changed by since the point before: it tells of moving together from point to
   point, where values also tell of rising or falling together over the whole time. Replaces `values` in place. */
void correlation_prepare(const int64_t *time, double *values, size_t points, column_kind kind, bool differenced);
/* columns[i][points]. */
void correlation_of(const double *const *columns, size_t count, size_t points, correlation *out);
void correlation_free(correlation *c); /* what it points to */

/* Similar columns side by side: the leaves of a hierarchical clustering with average linkage (Sokal & Michener 1958) at
   distances 1 - |r|, an undefined r being the farthest; when two clusters join, they are turned so that the ends that
   meet are the most similar (Gruvaeus & Wainer 1972). r[count * count] → order[count]. O(count³). */
void correlation_order(const double *r, size_t count, uint32_t *order);

#endif
