/* SPDX-License-Identifier: MIT OR Unlicense
   test_drift: order statistics, the slope and its interval, shifts, outliers, and the verdict: on series whose answer is
   known, and how often it is wrong on many made of chance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 7
#include "random.h"

#include "../server/insight/drift.h"
#include "../server/insight/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST   600
#define MINUTE (60 * NS_PER_SECOND)

static double uniform(void)
{
    return ((double)(random_u64() >> 11) + 0.5) / 9007199254740992.0;
}

/* Box & Muller. */
static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * 3.14159265358979 * uniform());
}

/* ---- order statistics ---- */

static void selection(void **state)
{
    (void)state;
    for (size_t round = 0; round < 2000; round++) {
        double v[40], sorted[40];
        size_t n = 1 + random_below(40), at = random_below(n);
        for (size_t i = 0; i < n; i++) v[i] = sorted[i] = (double)random_below(1 + random_below(50));
        stats_sort(sorted, n);
        assert_true(stats_select(v, n, at) == sorted[at]);
        for (size_t i = 0; i < n; i++) assert_true(i < at ? v[i] <= v[at] : v[i] >= v[at]);
        assert_true(stats_median(v, n) == (sorted[n / 2] + sorted[(n - 1) / 2]) / 2);
    }
    assert_true(isnan(stats_median(NULL, 0)));
    double usual[] = {1, 2, 3, 4, 100}, flat[] = {5, 5, 5, 5, 9};
    assert_float_equal(stats_spread(usual, 5, 3), STATS_NORMAL, 1e-12);
    assert_float_equal(stats_spread(flat, 5, 5), 1.2533 * 4 / 5, 1e-12);
}

/* ---- the slope ---- */

static void slope_of_few_points(void **state)
{
    (void)state;
    /* The slopes of its ten pairs are -2, 1, 1, 1.5, 5/3, 2, 2, 3, 3.5, 8: median 11/6, eight rise more than fall. */
    double t[] = {0, 1, 2, 3, 4}, y[] = {1, 3, 11, 9, 10};
    double slopes[10];
    size_t n = 0, rise = 0;
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            slopes[n++] = (y[j] - y[i]) / (t[j] - t[i]);
            rise += y[j] > y[i];
        }
    trend f;
    assert_true(trend_of(t, y, 5, &f));
    assert_true(f.slope == stats_median(slopes, n));
    assert_float_equal(f.tau, (2.0 * (double)rise - 10) / 10, 1e-12);
    assert_true(isinf(f.low) && isinf(f.high)); /* five points are too few for 99 % */
    assert_false(trend_of(t, y, 2, &f));
    double same[] = {7, 7, 7, 7, 7};
    assert_false(trend_of(same, y, 5, &f));
}

static void slope_despite_wild_points(void **state)
{
    (void)state;
    double t[100], y[100];
    for (size_t i = 0; i < 100; i++) {
        t[i] = (double)i;
        y[i] = 2 * t[i] + 5 + 0.1 * normal();
        if (i % 4 == 0) y[i] = 1e6 * normal();
    }
    trend f;
    assert_true(trend_of(t, y, 100, &f));
    assert_float_equal(f.slope, 2, 0.05);
    assert_true(f.low < 2 && f.high > 2);
}

/* Once in a hundred the true slope may lie outside of the interval; in 400 series thrice that is still chance. */
static void interval_holds_the_slope(void **state)
{
    (void)state;
    size_t missed = 0;
    double width = 0;
    for (size_t round = 0; round < 400; round++) {
        double t[60], y[60];
        for (size_t i = 0; i < 60; i++) {
            t[i] = (double)i;
            y[i] = 0.3 * t[i] + normal();
        }
        trend f;
        assert_true(trend_of(t, y, 60, &f));
        missed += f.low > 0.3 || f.high < 0.3;
        width += (f.high - f.low) / 400;
    }
    assert_in_range(missed, 0, 12);
    /* Least squares would have 2 * 2.58 * sqrt(12 / 60³): Sen's interval is hardly wider. */
    assert_true(width > 0.03 && width < 0.06);
}

static void wandering_is_worth_few_points(void **state)
{
    (void)state;
    double t[300], white[300], red[300], x = 0;
    for (size_t i = 0; i < 300; i++) {
        t[i] = (double)i;
        white[i] = normal();
        red[i] = x = 0.8 * x + normal();
    }
    trend a, b;
    assert_true(trend_of(t, white, 300, &a) && trend_of(t, red, 300, &b));
    assert_true(a.points > 150);
    assert_true(b.points > 15 && b.points < 90); /* (1 - 0.8) / (1 + 0.8) of 300 is 33 */
}

/* ---- whole columns ---- */

static int64_t times[MOST];
static double values[MOST];

/* `n` points a minute apart. */
static drift judge_as(size_t n, column_kind kind)
{
    for (size_t i = 0; i < n; i++) times[i] = INT64_C(1700000000) * NS_PER_SECOND + (int64_t)i * MINUTE;
    drift d;
    drift_of(times, &(series_column){values, values, values}, n, kind, &d);
    return d;
}

static drift judge(size_t n)
{
    return judge_as(n, COLUMN_GAUGE);
}

static void a_leak(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = 200 + 3.0 * (double)i / 60 + normal();
    drift d = judge(300);
    assert_int_equal(d.verdict, DRIFT_RISING);
    assert_float_equal(d.slope, 3, 0.3);
    assert_true(d.low < 3 && d.high > 3 && d.low > 2);
    assert_float_equal(drift_change(&d), d.slope * 299 / 60, 1e-9);
    assert_float_equal(d.noise, 1, 0.25);
    assert_int_equal(d.points, 300);
    for (size_t i = 0; i < 300; i++) values[i] = -values[i];
    assert_int_equal(judge(300).verdict, DRIFT_FALLING);
}

static void a_counter_is_judged_by_its_rate(void **state)
{
    (void)state;
    double sum = 0;
    for (size_t i = 0; i < 300; i++) values[i] = sum += 6000 + 60 * normal();
    drift steady = judge_as(300, COLUMN_COUNTER);
    assert_int_equal(steady.verdict, DRIFT_STEADY);
    assert_float_equal(steady.level, 100, 1);
    assert_int_equal(judge(300).verdict, DRIFT_RISING); /* as it would be if it were none */
    for (size_t i = 0; i < 300; i++) values[i] = sum += 6000 + 20.0 * (double)i + 60 * normal();
    values[150] = 0; /* begins anew: two rates less, and no outlier */
    drift faster = judge_as(300, COLUMN_COUNTER);
    assert_int_equal(faster.verdict, DRIFT_RISING);
    assert_float_equal(faster.slope, 20, 2); /* per second and hour */
}

static void nothing_to_judge(void **state)
{
    (void)state;
    drift d = judge(0);
    assert_int_equal(d.verdict, DRIFT_UNCLEAR);
    assert_true(d.points == 0 && isnan(d.slope) && isnan(d.level));
    for (size_t i = 0; i < 100; i++) values[i] = NAN;
    assert_int_equal(judge(100).points, 0);
    for (size_t i = 0; i < DRIFT_FEWEST - 1; i++) values[i] = (double)i;
    d = judge(100);
    assert_int_equal(d.verdict, DRIFT_UNCLEAR);
    assert_true(d.points == DRIFT_FEWEST - 1 && isnan(d.slope) && d.level == 11);
    values[DRIFT_FEWEST - 1] = DRIFT_FEWEST - 1;
    assert_int_equal(judge(100).verdict, DRIFT_RISING);
    assert_int_equal(judge_as(1, COLUMN_COUNTER).points, 0);
}

static void constants_and_near_constants(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++) values[i] = 42;
    drift d = judge(100);
    assert_int_equal(d.verdict, DRIFT_STEADY);
    assert_true(d.slope == 0 && d.noise == 0 && d.shift_count == 0 && d.outliers_found == 0);
    for (size_t i = 0; i < 100; i++) values[i] = 1000 + (double)i * 0.005; /* half of a thousandth in all */
    assert_int_equal(judge(100).verdict, DRIFT_STEADY);
    for (size_t i = 0; i < 100; i++) values[i] = 1000 + (double)i * 0.05;
    assert_int_equal(judge(100).verdict, DRIFT_RISING);
    for (size_t i = 0; i < 100; i++) values[i] = 1e308 * (i % 2 ? 1 : -1); /* differences overflow */
    judge(100);
    for (size_t i = 0; i < 100; i++) values[i] = i % 3 ? INFINITY : 1;
    assert_int_equal(judge(100).points, 34);
}

static void curves_and_stairs_that_only_rise(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = 100 + exp((double)i / 75) + 0.1 * normal();
    assert_int_equal(judge(300).verdict, DRIFT_RISING);
    for (size_t i = 0; i < 300; i++)
        values[i] = 100 + 8.0 * (double)(i / 30) + 0.2 * normal(); /* an arena at a time */
    assert_int_equal(judge(300).verdict, DRIFT_RISING);
}

static void a_saw_tooth_is_steady(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = 100 + (double)(i % 33) + normal();
    drift d = judge(300);
    assert_int_equal(d.verdict, DRIFT_STEADY);
    for (size_t i = 0; i < 300; i++) values[i] += (double)i * 0.2;
    assert_int_equal(judge(300).verdict, DRIFT_RISING);
}

/* ---- shifts ---- */

static void one_step_is_no_slope(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = (i < 120 ? 100 : 150) + normal();
    drift d = judge(300);
    assert_int_equal(d.verdict, DRIFT_STEADY);
    assert_int_equal(d.shift_count, 1);
    assert_true(d.shifts[0].time == times[120]);
    assert_float_equal(d.shifts[0].before, 100, 1.5);
    assert_float_equal(d.shifts[0].after, 150, 1.5);
    for (size_t i = 0; i < 300; i++) values[i] += (double)i / 10; /* and a slope beside it */
    d = judge(300);
    assert_int_equal(d.verdict, DRIFT_RISING);
    assert_float_equal(d.slope, 6, 1);
    assert_int_equal(d.shift_count, 1);
}

static void steps_up_and_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = (i / 60 % 2 ? 8 : 7); /* whole numbers, without any noise */
    shift found[SHIFTS_MAX];
    assert_int_equal(shifts_find(values, 300, found), 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(found[i].at, 60 * (i + 1));
    assert_int_equal(shifts_find(values, 11, found), 0);
    assert_int_equal(shifts_find(values, 0, found), 0);
}

static void no_shifts_where_there_are_none(void **state)
{
    (void)state;
    size_t found[4] = {0};
    for (size_t round = 0; round < 100; round++)
        for (size_t kind = 0; kind < 4; kind++) {
            double x = 0;
            shift out[SHIFTS_MAX];
            for (size_t i = 0; i < 300; i++) {
                x = (kind == 1 ? 0.9 : kind == 2 ? 1 : 0) * x + normal();
                values[i] = kind == 3 ? 100 * sin((double)i / 20) + normal() : x;
            }
            found[kind] += shifts_find(values, 300, out);
        }
    assert_int_equal(found[0], 0);   /* noise     */
    assert_in_range(found[1], 0, 2); /* wandering */
    assert_in_range(found[2], 0, 4); /* a random walk: in a hundred of them */
    assert_int_equal(found[3], 0);   /* a cycle   */
}

/* ---- outliers ---- */

static void spikes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = (double)i + normal();
    values[50] += 30;
    values[200] -= 40;
    values[201] -= 50;
    drift d = judge(300);
    assert_int_equal(d.outliers_found, 2);
    assert_int_equal(d.outlier_count, 2);
    assert_true(d.outliers[0].from == times[50] && d.outliers[0].until == times[50] && d.outliers[0].score > 0);
    assert_float_equal(d.outliers[0].usual, 50, 3);
    assert_true(d.outliers[1].from == times[200] && d.outliers[1].until == times[201]);
    assert_true(d.outliers[1].value == values[201] && d.outliers[1].score < -20);
}

/* A point of many rows: its mean hides one that is far off, its greatest value does not. */
static void a_spike_within_a_point(void **state)
{
    (void)state;
    static double min[300], max[300];
    for (size_t i = 0; i < 300; i++) {
        times[i] = (int64_t)i * MINUTE;
        values[i] = 10 + 0.01 * normal();
        min[i] = 7 + 0.2 * normal();
        max[i] = 13 + 0.2 * normal();
    }
    max[77] = 40;
    drift d;
    drift_of(times, &(series_column){values, min, max}, 300, COLUMN_GAUGE, &d);
    assert_int_equal(d.outliers_found, 1);
    assert_true(d.outliers[0].value == 40 && d.outliers[0].from == times[77]);
    assert_float_equal(d.outliers[0].usual, 13, 0.5);
}

/* Points beside rows that are missing stand for fewer: their mean is not where the middle of their time is. */
static void a_straight_line_has_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) values[i] = 100 + 0.25 * (double)i;
    values[120] -= 0.1;
    values[121] += 0.12;
    values[299] -= 0.05;
    assert_int_equal(judge(300).outliers_found, 0);
    values[200] += 2; /* but this is off the line */
    drift d = judge(300);
    assert_int_equal(d.outliers_found, 1);
    assert_true(d.outliers[0].from == times[200]);
}

/* A cache that fills, a process that warms up: its first points are where they belong, but a spike among them is not. */
static void a_beginning_that_warms_up_has_none(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t round = 0; round < 200; round++) {
        for (size_t i = 0; i < 300; i++) values[i] = 1 - exp(-(double)i / (40 + (double)(round % 60))) + 0.01 * normal();
        found += judge(300).outliers_found;
    }
    assert_in_range(found, 0, 4);
    values[2] += 0.5;
    values[298] -= 0.5;
    drift d = judge(300);
    assert_int_equal(d.outliers_found, 2);
    assert_true(d.outliers[0].from == times[2] && d.outliers[1].from == times[298]);
}

/* Of what is noise alone: six robust standard deviations are seldom reached, at the ends as in the middle. */
static void noise_has_none(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t round = 0; round < 1000; round++) {
        for (size_t i = 0; i < 300; i++) values[i] = normal();
        found += judge(300).outliers_found;
    }
    assert_in_range(found, 0, 5);
}

static void many_outliers(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST; i++) values[i] = normal();
    for (size_t i = 0; i < 25; i++) values[10 + 20 * i] = 100 + (double)i;
    drift d = judge(MOST);
    assert_int_equal(d.outliers_found, 25);
    assert_int_equal(d.outlier_count, DRIFT_OUTLIERS);
    for (size_t i = 0; i < DRIFT_OUTLIERS; i++) assert_true(d.outliers[i].value >= 105);
    for (size_t i = 1; i < DRIFT_OUTLIERS; i++) assert_true(d.outliers[i].from > d.outliers[i - 1].from);
    for (size_t i = 0; i < 300; i++) values[i] = i % 10 ? 0 : 50; /* often: so it is how the column is */
    assert_int_equal(judge(300).outliers_found, 0);
    for (size_t i = 0; i < 300; i++) values[i] = i == 77 ? 50 : 0;
    assert_int_equal(judge(300).outliers_found, 1);
}

/* ---- how often it is wrong ---- */

typedef enum { WHITE, AR_50, AR_80, AR_90, AR_95, WALK, CYCLE, LEAK, LEAK_AR } series_kind;

static void make(series_kind kind, size_t n)
{
    static const double memory[] = {0, 0.5, 0.8, 0.9, 0.95, 1, 0, 0, 0.8};
    double x = 0, phase = 6.2832 * uniform();
    for (size_t i = 0; i < 300 && memory[kind] < 1; i++) x = memory[kind] * x + normal();
    for (size_t i = 0; i < n; i++) {
        double at = (double)i / (double)n;
        x = memory[kind] * x + normal();
        values[i] = kind == CYCLE     ? 5 * sin(phase + 6.2832 * 3.3 * at) + x
                    : kind == LEAK    ? x + 2 * at
                    : kind == LEAK_AR ? x + 6 * at
                                      : x;
    }
}

/* The bounds are about half as much again as what thousands of series gave (README.md), for chance. */
static void how_often_it_is_wrong(void **state)
{
    (void)state;
    enum { ROUNDS = 100, POINTS = 240 };
    static const struct {
        const char *name;
        series_kind kind;
        size_t least, most; /* of a hundred: with a verdict of a drift */
    } cases[] = {
        {"noise", WHITE, 0, 2},      {"memory 0.5", AR_50, 0, 3},   {"memory 0.8", AR_80, 0, 6},
        {"memory 0.9", AR_90, 0, 9}, {"memory 0.95", AR_95, 0, 13}, {"random walk", WALK, 0, 25},
        {"cycle", CYCLE, 0, 2},      {"leak", LEAK, 97, 100},       {"leak, memory 0.8", LEAK_AR, 60, 100},
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        size_t drifts = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            make(cases[c].kind, POINTS);
            drift_verdict v = judge(POINTS).verdict;
            drifts += v == DRIFT_RISING || v == DRIFT_FALLING;
        }
        print_message("# %s: %zu of %d drift\n", cases[c].name, drifts, ROUNDS);
        if (drifts < cases[c].least || drifts > cases[c].most) fail_msg("%s: %zu", cases[c].name, drifts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection),
        cmocka_unit_test(slope_of_few_points),
        cmocka_unit_test(slope_despite_wild_points),
        cmocka_unit_test(interval_holds_the_slope),
        cmocka_unit_test(wandering_is_worth_few_points),
        cmocka_unit_test(a_leak),
        cmocka_unit_test(a_counter_is_judged_by_its_rate),
        cmocka_unit_test(nothing_to_judge),
        cmocka_unit_test(constants_and_near_constants),
        cmocka_unit_test(curves_and_stairs_that_only_rise),
        cmocka_unit_test(a_saw_tooth_is_steady),
        cmocka_unit_test(one_step_is_no_slope),
        cmocka_unit_test(steps_up_and_down),
        cmocka_unit_test(no_shifts_where_there_are_none),
        cmocka_unit_test(spikes),
        cmocka_unit_test(a_spike_within_a_point),
        cmocka_unit_test(a_straight_line_has_none),
        cmocka_unit_test(a_beginning_that_warms_up_has_none),
        cmocka_unit_test(noise_has_none),
        cmocka_unit_test(many_outliers),
        cmocka_unit_test(how_often_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
