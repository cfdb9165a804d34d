/* SPDX-License-Identifier: MIT OR Unlicense
   trend: does a series rise, fall, or stand? Pure.

   The slope is the median of the slopes of all pairs of points (Theil 1950; Sen, JASA 63, 1968): 29 % of the points may
   be anything. Its interval comes from Kendall's S, the number of pairs that rise less those that fall, whose variance
   without a trend is known, ties included (Kendall, "Rank Correlation Methods", 1975).

   That variance holds for points that know nothing of each other. Those of a program do: what is high now is still high
   in a minute, and such wandering looks like a trend. So the variance is multiplied by n / n*, from the autocorrelation
   of the ranks of what the line leaves (Hamed & Rao, J. Hydrology 204, 1998), summed over lags while neighbouring pairs
   of them are positive in sum (Geyer, Statist. Sci. 7, 1992), with what fitting the line takes off given back. `points`
   is n*: how many independent points this series is worth. */
#ifndef TREND_H
#define TREND_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double slope;     /* of y per unit of t                                                               */
    double low, high; /* the slope lies there with 99 % confidence; infinite where the points do not tell */
    double intercept; /* median of y - slope * t                                                          */
    double tau;       /* -1 … 1: the share of pairs that rise less the share that fall                    */
    double points;    /* independent ones that the series is worth, 1 … n                                 */
} trend;

/* Times rise (equal ones are fine); nothing is NaN. false: fewer than 3 different times. O(n² + n log n). */
bool trend_of(const double *t, const double *y, size_t n, trend *out);

#endif
