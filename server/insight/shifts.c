/* SPDX-License-Identifier: MIT OR Unlicense
   shifts: sudden changes of level. */
#include "insight/shifts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "insight/stats.h"

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
    double *room; /* [n] */
} search;

static double median_of(const search *s, size_t from, size_t count)
{
    memcpy(s->room, s->y + from, count * sizeof *s->room);
    return stats_median(s->room, count);
}

/* A place, with what both sides leave around their medians: in all, and of a usual point. */
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

/* ---- noise: medians without stats_spread()'s way out, a mean, which would take the shifts themselves for noise ---- */

static double step_noise(const search *s)
{
    size_t steps = s->n - 1;
    for (size_t i = 0; i < steps; i++) s->room[i] = s->y[i + 1] - s->y[i];
    double median = stats_median(s->room, steps);
    for (size_t i = 0; i < steps; i++) s->room[i] = fabs(s->y[i + 1] - s->y[i] - median);
    return STATS_NORMAL * stats_median(s->room, steps) / sqrt(2);
}

static double usual_height(const search *s, const candidate *all, size_t count)
{
    for (size_t i = 0; i < count; i++) s->room[i] = height(&all[i].shift);
    return STATS_NORMAL * stats_median(s->room, count);
}

/* ---- shifts ---- */

static bool stands_out(const candidate *c, double noise)
{
    return height(&c->shift) > SHIFTS_NOISES * fmax(c->spread, noise);
}

static bool abrupt(const search *s, const shift *c)
{
    double near = median_of(s, c->at, ABRUPT) - median_of(s, c->at - ABRUPT, ABRUPT);
    return fabs(near) >= ABRUPT_SHARE * height(c) && (near > 0) == (c->after > c->before);
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
static size_t pick(const search *s, const candidate *all, size_t places, double noise, shift *out)
{
    size_t count = 0;
    for (size_t i = 0; i < places; i++) {
        const candidate *best = NULL;
        for (; i < places && stands_out(&all[i], noise); i++)
            if (!best || all[i].cost < best->cost) best = &all[i];
        if (best && abrupt(s, &best->shift)) count = keep(out, count, &best->shift);
    }
    return count;
}

size_t shifts_find(const double *y, size_t n, shift out[SHIFTS_MAX])
{
    search s = {.y = y, .n = n, .window = shifts_window(n)};
    if (n < 2 * s.window) return 0;
    size_t places = n - 2 * s.window + 1;
    candidate *all = mem_alloc(places * sizeof *all);
    s.room = mem_alloc(n * sizeof *s.room);
    for (size_t i = 0; i < places; i++) all[i] = look_at(&s, s.window + i);
    double noise = fmax(step_noise(&s), usual_height(&s, all, places));
    size_t count = pick(&s, all, places, noise, out);
    free(s.room);
    free(all);
    return count;
}
