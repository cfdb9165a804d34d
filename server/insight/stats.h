/* SPDX-License-Identifier: MIT OR Unlicense
   stats: order statistics, which a few wild values do not move. Pure. The arrays given are put in another order. */
#ifndef STATS_H
#define STATS_H

#include <stddef.h>

#define STATS_NORMAL 1.4826 /* a normal distribution's standard deviation, in medians of absolute deviations */

/* The value that would stand at `index` < n if the array were sorted; afterwards it does stand there, with nothing
   greater before and nothing less behind it. No NaN. O(n). */
double stats_select(double *v, size_t n, size_t index);
double stats_median(double *v, size_t n); /* the mean of the two middle ones if n is even; NaN for 0 */
/* The standard deviation, were the values normal: from the median of |v - centre|, or, where more than half of them
   equal it, from the mean of that (Iglewicz & Hoaglin, "How to Detect and Handle Outliers", 1993). */
double stats_spread(double *v, size_t n, double centre);
void stats_sort(double *v, size_t n);

#endif
