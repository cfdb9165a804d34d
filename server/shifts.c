/* SPDX-License-Identifier: MIT OR Unlicense
   shifts: sudden changes of level. */
#include "shifts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "stats.h"

#define LEAST_WINDOW 6
#define ABRUPT       3   /* points on either side …                    */
#define ABRUPT_SHARE 0.6 /* … between which so much of the way is made */

size_t shifts_window(size_t n)
{
    return n / 24 > LEAST_WINDOW ? n / 24 : LEAST_WINDOW;
}

typedef struct {
    const double *y;
    size_t n, window;
    double noise; /* from one point to the next */
    double *room; /* [2 * window] */
} search;

static double median_of(const search *s, size_t from, size_t count)
{
    memcpy(s->room, s->y + from, count * sizeof *s->room);
    return stats_median(s->room, count);
}

/* A place, with what both sides leave around their medians. */
typedef struct {
    shift shift;
    double cost, spread;
} candidate;

static candidate look_at(const search *s, size_t at)
{
    size_t w = s->window;
    candidate c = {{at, median_of(s, at - w, w), median_of(s, at, w)}, 0, 0};
    for (size_t i = 0; i < 2 * w; i++) {
        s->room[i] = s->y[at - w + i] - (i < w ? c.shift.before : c.shift.after);
        c.cost += fabs(s->room[i]);
    }
    c.spread = stats_spread(s->room, 2 * w, 0);
    return c;
}

static double height(const shift *s)
{
    return fabs(s->after - s->before);
}

static bool stands_out(const search *s, const candidate *c)
{
    return height(&c->shift) > SHIFTS_NOISES * fmax(c->spread, s->noise);
}

static bool abrupt(const search *s, const shift *c)
{
    double near = median_of(s, c->at, ABRUPT) - median_of(s, c->at - ABRUPT, ABRUPT);
    return fabs(near) >= ABRUPT_SHARE * height(c) && (near > 0) == (c->after > c->before);
}

static double step_noise(const double *y, size_t n)
{
    double *steps = mem_alloc(n * sizeof *steps);
    for (size_t i = 0; i + 1 < n; i++) steps[i] = y[i + 1] - y[i];
    double median = n > 1 ? stats_median(steps, n - 1) : 0;
    /* Not stats_spread(), whose mean in place of a median of 0 would take the shifts themselves for noise. */
    for (size_t i = 0; i + 1 < n; i++) steps[i] = fabs(steps[i] - median);
    double noise = n > 1 ? STATS_NORMAL * stats_median(steps, n - 1) / sqrt(2) : 0;
    free(steps);
    return noise;
}

/* When there are too many the smallest goes. */
static size_t keep(shift *out, size_t count, const shift *s)
{
    if (count < SHIFTS_MAX) {
        out[count] = *s;
        return count + 1;
    }
    size_t least = 0;
    for (size_t i = 1; i < count; i++)
        if (height(&out[i]) < height(&out[least])) least = i;
    if (height(s) <= height(&out[least])) return count;
    memmove(&out[least], &out[least + 1], (count - least - 1) * sizeof *out);
    out[count - 1] = *s;
    return count;
}

/* Around a shift many places stand out: it is where both sides are most of one level. */
size_t shifts_find(const double *y, size_t n, shift out[SHIFTS_MAX])
{
    search s = {.y = y, .n = n, .window = shifts_window(n), .noise = step_noise(y, n)};
    size_t count = 0;
    s.room = mem_alloc(2 * s.window * sizeof *s.room);
    for (size_t at = s.window; at + s.window <= n;) {
        candidate best = look_at(&s, at++);
        if (!stands_out(&s, &best)) continue;
        for (; at + s.window <= n; at++) {
            candidate next = look_at(&s, at);
            if (!stands_out(&s, &next)) break;
            if (next.cost < best.cost) best = next;
        }
        if (abrupt(&s, &best.shift)) count = keep(out, count, &best.shift);
    }
    free(s.room);
    return count;
}
