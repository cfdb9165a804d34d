/* SPDX-License-Identifier: MIT OR Unlicense
   outliers: points far from their neighbours. */
#include "insight/outliers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "insight/stats.h"

static void medians_around(const double *y, size_t n, size_t window, double *usual)
{
    double *room = mem_alloc((2 * window + 1) * sizeof *room);
    for (size_t i = 0; i < n; i++) {
        size_t from = i > window ? i - window : 0, until = i + window + 1 < n ? i + window + 1 : n;
        memcpy(room, y + from, (until - from) * sizeof *room);
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
