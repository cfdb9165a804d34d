/* SPDX-License-Identifier: MIT OR Unlicense
   correlation: Pearson's r of each two columns. */
#include "insight/correlation.h"

#include <math.h>
#include <stdlib.h>

/* ---- what stands for a column ---- */

static void make_rates(const int64_t *time, double *v, size_t points)
{
    size_t last = SIZE_MAX;
    double before = NAN;
    for (size_t i = 0; i < points; i++) {
        double here = v[i];
        v[i] = NAN;
        if (!isfinite(here)) continue;
        if (last != SIZE_MAX && time[i] > time[last] && here >= before)
            v[i] = (here - before) / ((double)((uint64_t)time[i] - (uint64_t)time[last]) / (double)NS_PER_SECOND);
        last = i;
        before = here;
    }
}

static void make_differences(double *v, size_t points)
{
    for (size_t i = points; i-- > 1;) v[i] -= v[i - 1];
    if (points) v[0] = NAN;
}

void correlation_prepare(const int64_t *time, double *values, size_t points, column_kind kind, bool differenced)
{
    if (kind == COLUMN_COUNTER) make_rates(time, values, points);
    if (differenced) make_differences(values, points);
}

/* ---- two columns ---- */

typedef struct {
    double mean, min, max;
    uint32_t n;
} moments;

/* Of v, where both have a value. */
static moments moments_of(const double *v, const double *other, size_t points)
{
    moments m = {0, INFINITY, -INFINITY, 0};
    for (size_t i = 0; i < points; i++) {
        if (!isfinite(v[i]) || !isfinite(other[i])) continue;
        m.mean += v[i];
        m.min = fmin(m.min, v[i]);
        m.max = fmax(m.max, v[i]);
        m.n++;
    }
    m.mean /= m.n;
    return m;
}

/* In two passes, since large values that change little would lose their digits in one. */
static double pearson(const double *x, const double *y, size_t points, uint32_t *n)
{
    moments mx = moments_of(x, y, points), my = moments_of(y, x, points);
    double xx = 0, yy = 0, xy = 0;
    *n = mx.n;
    if (mx.n < 3 || mx.min == mx.max || my.min == my.max) return NAN;
    for (size_t i = 0; i < points; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        double dx = x[i] - mx.mean, dy = y[i] - my.mean;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    double r = xy / sqrt(xx) / sqrt(yy);
    return isfinite(xx) && isfinite(yy) && isfinite(r) ? fmax(-1, fmin(1, r)) : NAN;
}

void correlation_of(const double *const *columns, size_t count, size_t points, correlation *out)
{
    *out = (correlation){.count = count,
                         .r = mem_alloc(count * count * sizeof *out->r),
                         .n = mem_alloc(count * count * sizeof *out->n),
                         .order = mem_alloc(count * sizeof *out->order)};
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++) {
            size_t a = i * count + j, b = j * count + i;
            out->r[a] = pearson(columns[i], columns[j], points, &out->n[a]);
            out->r[b] = out->r[a];
            out->n[b] = out->n[a];
        }
    correlation_order(out->r, count, out->order);
}

void correlation_free(correlation *c)
{
    free(c->r);
    free(c->n);
    free(c->order);
    *c = (correlation){0};
}

/* ---- order ---- */

typedef struct {
    size_t count;
    double *distance; /* [count²]: of columns, and of clusters, each at its first column's place */
    const double *r;
    uint32_t **leaves; /* of the cluster at this place; NULL: it has joined another */
    size_t *sizes;
} clustering;

static double similarity(const clustering *c, uint32_t a, uint32_t b)
{
    double r = c->r[a * c->count + b];
    return isnan(r) ? 0 : fabs(r);
}

static void nearest(const clustering *c, size_t *a, size_t *b)
{
    double least = INFINITY;
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = i + 1; c->leaves[i] && j < c->count; j++)
            if (c->leaves[j] && c->distance[i * c->count + j] < least) {
                least = c->distance[i * c->count + j];
                *a = i;
                *b = j;
            }
}

static void reverse(uint32_t *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t kept = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = kept;
    }
}

/* Of the four ways to lay the two end to end the one whose meeting ends are the most similar. */
static void turn(const clustering *c, size_t a, size_t b)
{
    uint32_t *x = c->leaves[a], *y = c->leaves[b];
    size_t nx = c->sizes[a], ny = c->sizes[b];
    bool turn_x = false, turn_y = false;
    double best = -1;
    for (int way = 0; way < 4; way++) {
        double s = similarity(c, way & 1 ? x[0] : x[nx - 1], way & 2 ? y[ny - 1] : y[0]);
        if (s <= best) continue;
        best = s;
        turn_x = way & 1;
        turn_y = way & 2;
    }
    if (turn_x) reverse(x, nx);
    if (turn_y) reverse(y, ny);
}

/* b joins a; distances become means over all pairs of their columns. */
static void join(clustering *c, size_t a, size_t b)
{
    turn(c, a, b);
    double na = (double)c->sizes[a], nb = (double)c->sizes[b];
    for (size_t k = 0; k < c->count; k++) {
        double d = (na * c->distance[a * c->count + k] + nb * c->distance[b * c->count + k]) / (na + nb);
        c->distance[a * c->count + k] = c->distance[k * c->count + a] = d;
    }
    c->leaves[a] = mem_resize(c->leaves[a], c->sizes[a] + c->sizes[b], sizeof *c->leaves[a]);
    for (size_t i = 0; i < c->sizes[b]; i++) c->leaves[a][c->sizes[a] + i] = c->leaves[b][i];
    c->sizes[a] += c->sizes[b];
    free(c->leaves[b]);
    c->leaves[b] = NULL;
}

void correlation_order(const double *r, size_t count, uint32_t *order)
{
    clustering c = {.count = count, .r = r};
    c.distance = mem_alloc(count * count * sizeof *c.distance);
    c.leaves = mem_alloc(count * sizeof *c.leaves);
    c.sizes = mem_alloc(count * sizeof *c.sizes);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < count; j++) c.distance[i * count + j] = 1 - similarity(&c, i, j);
        c.leaves[i] = mem_alloc(sizeof *c.leaves[i]);
        c.leaves[i][0] = i;
        c.sizes[i] = 1;
    }
    for (size_t left = count, a = 0, b = 0; left > 1; left--) {
        nearest(&c, &a, &b);
        join(&c, a, b);
    }
    for (size_t i = 0; i < count; i++) order[i] = c.leaves[0][i];
    if (count) free(c.leaves[0]);
    free(c.leaves);
    free(c.sizes);
    free(c.distance);
}
