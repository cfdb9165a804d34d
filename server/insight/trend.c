/* SPDX-License-Identifier: MIT OR Unlicense
   trend: Sen's slope, and how sure it is. */
#include "insight/trend.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "insight/stats.h"

/* What a variable of Student's distribution with `freedom` degrees is farther from 0 than once in a hundred (Fisher and
   Cornish's expansion; Abramowitz & Stegun 26.7.5). The variance is an estimate from few independent points. */
static double student_99(double freedom)
{
    const double z = 2.5758293, z3 = z * z * z, z5 = z3 * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

/* ---- pairs ---- */

typedef struct {
    double *slopes; /* of pairs of different times */
    size_t count;
    double rising; /* pairs that rise less those that fall */
} pairs;

static pairs pairs_of(const double *t, const double *y, size_t n)
{
    pairs p = {.slopes = mem_alloc(n * (n - 1) / 2 * sizeof *p.slopes)};
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            if (t[j] <= t[i]) continue;
            p.slopes[p.count++] = (y[j] - y[i]) / (t[j] - t[i]);
            p.rising += (y[j] > y[i]) - (y[j] < y[i]);
        }
    return p;
}

/* ---- ranks ---- */

typedef struct {
    double value;
    size_t place;
} placed;

static int by_value(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* 1 … n, equal values get the mean of theirs; returns the sum of t (t - 1) (2 t + 5) over groups of t equal ones. */
static double ranks_of(const double *v, size_t n, double *ranks)
{
    placed *sorted = mem_alloc(n * sizeof *sorted);
    double ties = 0;
    for (size_t i = 0; i < n; i++) sorted[i] = (placed){v[i], i};
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && sorted[j].value == sorted[i].value;) j++;
        double equal = (double)(j - i);
        ties += equal * (equal - 1) * (2 * equal + 5);
        for (size_t k = i; k < j; k++) ranks[sorted[k].place] = (double)(i + j + 1) / 2;
    }
    free(sorted);
    return ties;
}

/* ---- how much less the points tell, since they know of each other ---- */

static double autocovariance(const double *v, size_t n, size_t lag)
{
    double sum = 0;
    for (size_t i = 0; i + lag < n; i++) sum += v[i] * v[i + lag];
    return sum / (double)n;
}

/* n / n* of Hamed & Rao. What is left by a line has less autocorrelation than what there was: each coefficient is too
   low by about (n / n*) / n, the share of the variance that the estimated mean takes. */
static double inflation(const double *rest, size_t n)
{
    double *ranks = mem_alloc(n * sizeof *ranks), sum = 0, size = (double)n;
    ranks_of(rest, n, ranks);
    for (size_t i = 0; i < n; i++) ranks[i] -= (size + 1) / 2;
    double variance = autocovariance(ranks, n, 0);
    for (size_t lag = 1; lag + 1 < n - 1 && variance > 0; lag += 2) {
        double k = (double)lag, a = autocovariance(ranks, n, lag) / variance,
               b = autocovariance(ranks, n, lag + 1) / variance;
        if (a + b <= 0) break;
        sum += (size - k) * (size - k - 1) * (size - k - 2) * a;
        sum += (size - k - 1) * (size - k - 2) * (size - k - 3) * b;
    }
    free(ranks);
    double found = fmax(1, 1 + 2 * sum / (size * (size - 1) * (size - 2)));
    if (found == 1) return 1;
    return found < size / 2 ? found / (1 - found / size) : size;
}

/* ---- the whole ---- */

/* The order statistic at a rank that may lie outside. */
static double bound(pairs *p, double rank)
{
    if (rank < 0) return -INFINITY;
    if (rank >= (double)p->count) return INFINITY;
    return stats_select(p->slopes, p->count, (size_t)rank);
}

static void fit_rest(const double *t, const double *y, size_t n, trend *out)
{
    double *rest = mem_alloc(n * sizeof *rest), *ranks = mem_alloc(n * sizeof *ranks);
    for (size_t i = 0; i < n; i++) rest[i] = ranks[i] = y[i] - out->slope * t[i];
    out->intercept = stats_median(ranks, n);
    out->points = (double)n / inflation(rest, n);
    free(rest);
    free(ranks);
}

bool trend_of(const double *t, const double *y, size_t n, trend *out)
{
    *out = (trend){0};
    if (n < 3) return false;
    pairs p = pairs_of(t, y, n);
    double size = (double)n, *ranks = mem_alloc(n * sizeof *ranks);
    double variance = (size * (size - 1) * (2 * size + 5) - ranks_of(y, n, ranks)) / 18;
    free(ranks);
    if (p.count >= 3) {
        out->slope = stats_median(p.slopes, p.count);
        out->tau = p.rising / (double)p.count;
        fit_rest(t, y, n, out);
        double reach = student_99(fmax(out->points - 2, 1)) * sqrt(variance * size / out->points);
        out->low = bound(&p, floor(((double)p.count - reach) / 2));
        out->high = bound(&p, ceil(((double)p.count + reach) / 2));
    }
    free(p.slopes);
    return p.count >= 3;
}
