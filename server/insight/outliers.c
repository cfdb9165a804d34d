/* SPDX-License-Identifier: MIT OR Unlicense
   outliers: points far from their neighbours. */
#include "insight/outliers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "insight/stats.h"

/* How the points of a window rise from one to the next: by the medians of its halves. */
static double rise_of(const double *y, size_t n, double *room)
{
    size_t half = n / 2;
    if (half == 0) return 0;
    memcpy(room, y, half * sizeof *room);
    double before = stats_median(room, half);
    memcpy(room, y + n - half, half * sizeof *room);
    return (stats_median(room, half) - before) / (double)(n - half);
}

/* At the ends all neighbours are on one side: there a column that rises would be far from their median. What they rise is
   taken out. */
static void medians_around(const double *y, size_t n, size_t window, double *usual)
{
    double *room = mem_alloc((2 * window + 1) * sizeof *room);
    for (size_t i = 0; i < n; i++) {
        size_t from = i > window ? i - window : 0, until = i + window + 1 < n ? i + window + 1 : n;
        double rise = until - from < 2 * window + 1 ? rise_of(y + from, until - from, room) : 0;
        for (size_t k = from; k < until; k++) room[k - from] = y[k] + rise * ((double)i - (double)k);
        usual[i] = stats_median(room, until - from);
    }
    free(room);
}

void outliers_score(const double *y, size_t n, size_t window, double *usual, double *score)
{
    medians_around(y, n, window, usual);
    for (size_t i = 0; i < n; i++) score[i] = y[i] - usual[i];
    double *room = mem_alloc(n * sizeof *room), spread;
    if (n) memcpy(room, score, n * sizeof *room);
    spread = stats_spread(room, n, 0);
    free(room);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool far = spread > 0 && fabs(score[i]) > OUTLIERS_SCORE * spread;
        score[i] = far ? score[i] / spread : 0;
        count += far;
    }
    if (count * OUTLIERS_SHARE > n && n) memset(score, 0, n * sizeof *score);
}
