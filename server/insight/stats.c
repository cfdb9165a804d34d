/* SPDX-License-Identifier: MIT OR Unlicense
   stats: order statistics. */
#include "insight/stats.h"

#include <math.h>
#include <stdlib.h>

static double middle_of_three(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

static void swap(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* Hoare's FIND (CACM 4:7, 1961, algorithm 65). */
double stats_select(double *v, size_t n, size_t index)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, at = (ptrdiff_t)index;
    while (low < high) {
        double pivot = middle_of_three(v[low], v[low + (high - low) / 2], v[high]);
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i <= j) swap(&v[i++], &v[j--]);
        }
        if (j < at) low = i;
        if (at < i) high = j;
    }
    return v[index];
}

double stats_median(double *v, size_t n)
{
    if (n == 0) return NAN;
    double upper = stats_select(v, n, n / 2), lower = upper;
    if (n % 2) return upper;
    lower = v[0];
    for (size_t i = 1; i < n / 2; i++) lower = fmax(lower, v[i]);
    return lower + (upper - lower) / 2;
}

double stats_spread(double *v, size_t n, double centre)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        v[i] = fabs(v[i] - centre);
        sum += v[i];
    }
    double median = stats_median(v, n);
    return median > 0 ? STATS_NORMAL * median : n ? 1.2533 * sum / (double)n : 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *v, size_t n)
{
    qsort(v, n, sizeof *v, ascending);
}
