/* SPDX-License-Identifier: MIT OR Unlicense
   outliers: points far from their neighbours. Pure.

   A point is held against the median of those around it (Hampel's filter: Hampel, JASA 69, 1974), so that neither a
   slope, a cycle, a shift nor a beginning that warms up makes outliers. The score is that difference in robust standard deviations: the modified z
   of Iglewicz & Hoaglin ("How to Detect and Handle Outliers", 1993). Their threshold of 3.5 is for samples of some
   dozens; over hundreds of points of hundreds of columns it would find some by chance on every page, hence 6. Where more
   than one point in twenty is so far off, that is how the column is, and none is an outlier. */
#ifndef OUTLIERS_H
#define OUTLIERS_H

#include <stddef.h>

#define OUTLIERS_SCORE 6.0
#define OUTLIERS_SHARE 20 /* of the points at most one in so many */

/* score[i]: 0 unless point i is one; its sign says which way. usual[i]: the median around it. `window` points on either
   side; no NaN. O(n * window). */
void outliers_score(const double *y, size_t n, size_t window, double *usual, double *score);

#endif
