/* SPDX-License-Identifier: MIT OR Unlicense
   drift: a column's verdict. */
#include "insight/drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "insight/stats.h"

#define HOUR           (3600.0 * (double)NS_PER_SECOND)
#define SHIFTS_EXPLAIN 2   /* more shifts than that are how the column rises, or falls …      */
#define SHIFTS_BETTER  0.8 /* … and they must leave less than so much of what the slope leaves */

const char *drift_verdict_name(drift_verdict v)
{
    static const char *const names[] = {"steady", "rising", "falling", "unclear"};
    return names[v];
}

/* Times rise, but may lie farther apart than int64_t reaches. */
static double between(int64_t from, int64_t to)
{
    return (double)((uint64_t)to - (uint64_t)from);
}

double drift_hours(const drift *d)
{
    return between(d->first, d->last) / HOUR;
}

double drift_change(const drift *d)
{
    return d->slope * drift_hours(d);
}

/* ---- the points that have a value ---- */

typedef struct {
    size_t n;
    int64_t *time;
    double *hours; /* since the first */
    double *mean, *min, *max;
} sample;

static sample sample_new(size_t room)
{
    sample s = {.time = mem_alloc(room * sizeof *s.time), .hours = mem_alloc(4 * room * sizeof *s.hours)};
    s.mean = s.hours + room;
    s.min = s.mean + room;
    s.max = s.min + room;
    return s;
}

static void sample_free(sample *s)
{
    free(s->time);
    free(s->hours);
}

static void sample_add(sample *s, int64_t time, double mean, double min, double max)
{
    if (!isfinite(mean)) return;
    s->time[s->n] = time;
    s->hours[s->n] = s->n ? between(s->time[0], time) / HOUR : 0;
    s->mean[s->n] = mean;
    s->min[s->n] = min;
    s->max[s->n++] = max;
}

static sample sample_values(const int64_t *time, const series_column *v, size_t points)
{
    sample s = sample_new(points);
    for (size_t i = 0; i < points; i++) sample_add(&s, time[i], v->mean[i], v->min[i], v->max[i]);
    return s;
}

/* From each value to the next one there is. */
static sample sample_rates(const int64_t *time, const series_column *v, size_t points)
{
    sample s = sample_new(points);
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < points; i++) {
        if (!isfinite(v->mean[i])) continue;
        if (last != SIZE_MAX && time[i] > time[last] && v->mean[i] >= v->mean[last]) {
            double seconds = between(time[last], time[i]) / (double)NS_PER_SECOND;
            double rate = (v->mean[i] - v->mean[last]) / seconds;
            sample_add(&s, (int64_t)((uint64_t)time[last] + ((uint64_t)time[i] - (uint64_t)time[last]) / 2), rate,
                       rate, rate);
        }
        last = i;
    }
    return s;
}

/* ---- the slope ---- */

/* What a line leaves: in all, and of a usual point. */
static double leave(const sample *s, const double *y, const trend *t, double *noise)
{
    double *rest = mem_alloc(s->n * sizeof *rest), sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        rest[i] = y[i] - t->slope * s->hours[i] - t->intercept;
        sum += fabs(rest[i]);
    }
    *noise = stats_spread(rest, s->n, 0);
    free(rest);
    return sum;
}

/* The means as if the shifts had not been. */
static double *without_shifts(const sample *s, const shift *shifts, size_t count)
{
    double *y = mem_alloc(s->n * sizeof *y), off = 0;
    for (size_t i = 0, next = 0; i < s->n; i++) {
        if (next < count && shifts[next].at == i) off += shifts[next].after - shifts[next].before, next++;
        y[i] = s->mean[i] - off;
    }
    return y;
}

static void judge_slope(const sample *s, const shift *shifts, size_t count, drift *out, trend *t)
{
    if (!trend_of(s->hours, s->mean, s->n, t)) return;
    double left = leave(s, s->mean, t, &out->noise), noise;
    if (count && count <= SHIFTS_EXPLAIN) {
        trend other;
        double *y = without_shifts(s, shifts, count);
        trend_of(s->hours, y, s->n, &other);
        if (leave(s, y, &other, &noise) < SHIFTS_BETTER * left) {
            *t = other;
            out->noise = noise;
        }
        free(y);
    }
    out->slope = t->slope;
    out->low = t->low;
    out->high = t->high;
    out->independent = t->points;
}

/* A slope is worth a word if it is sure, and if what it comes to is more than the noise and than nearly nothing. */
static drift_verdict verdict_of(const drift *d, const trend *t)
{
    if (d->points < DRIFT_FEWEST || isnan(d->slope)) return DRIFT_UNCLEAR;
    double change = fabs(drift_change(d));
    if (change <= d->noise || change <= DRIFT_LEAST * fabs(d->level)) {
        bool calm = d->independent >= DRIFT_INDEPENDENT || d->noise <= DRIFT_LEAST * fabs(d->level);
        return calm ? DRIFT_STEADY : DRIFT_UNCLEAR;
    }
    bool enough = d->independent >= DRIFT_INDEPENDENT, sure = enough && (d->low > 0 || d->high < 0);
    if (sure || fabs(t->tau) > DRIFT_ONE_WAY) return d->slope > 0 ? DRIFT_RISING : DRIFT_FALLING;
    return enough ? DRIFT_STEADY : DRIFT_UNCLEAR;
}

/* ---- outliers ---- */

static bool nearer(const drift_outlier *a, const drift_outlier *b)
{
    return fabs(a->score) < fabs(b->score);
}

/* Keeps the farthest off, in order of time. */
static void keep_outlier(drift *out, const drift_outlier *o)
{
    out->outliers_found++;
    if (out->outlier_count < DRIFT_OUTLIERS) {
        out->outliers[out->outlier_count++] = *o;
        return;
    }
    size_t least = 0;
    for (size_t i = 1; i < DRIFT_OUTLIERS; i++)
        if (nearer(&out->outliers[i], &out->outliers[least])) least = i;
    if (!nearer(&out->outliers[least], o)) return;
    memmove(&out->outliers[least], &out->outliers[least + 1], (DRIFT_OUTLIERS - least - 1) * sizeof *o);
    out->outliers[DRIFT_OUTLIERS - 1] = *o;
}

/* Of a point's mean, least and greatest value the one that is farthest off. */
typedef struct {
    const double *y[3];
    double *usual[3], *score[3];
} scores;

static drift_outlier outlier_at(const scores *s, const int64_t *time, size_t i)
{
    drift_outlier o = {time[i], time[i], 0, 0, 0};
    for (size_t k = 0; k < ARRAY_LEN(s->y); k++)
        if (fabs(s->score[k][i]) > fabs(o.score)) {
            o.value = s->y[k][i];
            o.usual = s->usual[k][i];
            o.score = s->score[k][i];
        }
    return o;
}

static void join_outliers(const scores *s, const sample *of, drift *out)
{
    drift_outlier run = {0};
    for (size_t i = 0; i <= of->n; i++) {
        drift_outlier here = i < of->n ? outlier_at(s, of->time, i) : (drift_outlier){0};
        bool goes_on = run.score != 0 && here.score != 0 && (run.score > 0) == (here.score > 0);
        if (goes_on) {
            here.from = run.from;
            run.until = here.until;
            if (nearer(&run, &here)) run = here;
            continue;
        }
        if (run.score != 0) keep_outlier(out, &run);
        run = here;
    }
}

/* What the slope makes from the point before to the one behind. A point of fewer rows than others may stand that much
   earlier or later than where it is drawn: on a straight line, which has no noise, that alone would be far off. */
static double step_at(const sample *of, double slope, size_t i)
{
    size_t before = i ? i - 1 : i, behind = i + 1 < of->n ? i + 1 : i;
    return fabs(slope) * (of->hours[behind] - of->hours[before]);
}

/* Without the slope, which at the ends, where there are neighbours on one side only, would look like being far off. */
static void score_one(const sample *of, const double *y, double slope, double *level, double *usual, double *scored)
{
    for (size_t i = 0; i < of->n; i++) level[i] = y[i] - slope * of->hours[i];
    outliers_score(level, of->n, shifts_window(of->n), usual, scored);
    for (size_t i = 0; i < of->n; i++) {
        if (fabs(level[i] - usual[i]) <= step_at(of, slope, i)) scored[i] = 0;
        usual[i] += slope * of->hours[i];
    }
}

static void find_outliers(const sample *of, double slope, drift *out)
{
    scores s = {.y = {of->mean, of->min, of->max}};
    double *room = mem_alloc(7 * of->n * sizeof *room);
    for (size_t k = 0; k < ARRAY_LEN(s.y); k++) {
        s.usual[k] = room + (2 * k + 1) * of->n;
        s.score[k] = s.usual[k] + of->n;
        score_one(of, s.y[k], slope, room, s.usual[k], s.score[k]);
    }
    join_outliers(&s, of, out);
    free(room);
}

/* ---- the whole ---- */

static double level_of(const sample *s)
{
    double *room = mem_alloc(s->n * sizeof *room);
    memcpy(room, s->mean, s->n * sizeof *room);
    double level = stats_median(room, s->n);
    free(room);
    return level;
}

static void judge(const sample *s, drift *out)
{
    shift shifts[SHIFTS_MAX];
    trend t = {0};
    out->points = s->n;
    out->first = s->time[0];
    out->last = s->time[s->n - 1];
    out->level = level_of(s);
    if (s->n < DRIFT_FEWEST) return;
    out->shift_count = shifts_find(s->mean, s->n, shifts);
    for (size_t i = 0; i < out->shift_count; i++)
        out->shifts[i] = (drift_shift){s->time[shifts[i].at], shifts[i].before, shifts[i].after};
    judge_slope(s, shifts, out->shift_count, out, &t);
    out->verdict = verdict_of(out, &t);
    find_outliers(s, isnan(out->slope) ? 0 : out->slope, out);
}

void drift_of(const int64_t *time, const series_column *values, size_t points, column_kind kind, drift *out)
{
    *out = (drift){.verdict = DRIFT_UNCLEAR, .slope = NAN, .low = NAN, .high = NAN, .level = NAN, .noise = NAN};
    sample s = kind == COLUMN_COUNTER ? sample_rates(time, values, points) : sample_values(time, values, points);
    if (s.n) judge(&s, out);
    sample_free(&s);
}
