/* SPDX-License-Identifier: MIT OR Unlicense
   test_correlation: r against published figures, missing values, what stands for a counter, and the order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 11
#include "random.h"

#include "../server/insight/correlation.h"

#include <math.h>
#include <stdlib.h>

static void near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within)) fail_msg("%.10g is not %.10g", value, expected);
}

/* F. J. Anscombe, "Graphs in Statistical Analysis", 1973: four sets with r = 0.816 each. */
static void published_figures(void **state)
{
    (void)state;
    static const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5}, x4[] = {8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8};
    static const double y1[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    static const double y2[] = {9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74};
    static const double y3[] = {7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73};
    static const double y4[] = {6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89};
    const double *columns[] = {x, x4, y1, y2, y3, y4};
    correlation c;
    correlation_of(columns, 6, 11, &c);
    near(c.r[0 * 6 + 2], 0.81642, 5e-6);
    near(c.r[0 * 6 + 3], 0.81624, 5e-6);
    near(c.r[0 * 6 + 4], 0.81629, 5e-6);
    near(c.r[1 * 6 + 5], 0.81652, 5e-6);
    for (size_t i = 0; i < 6; i++) {
        near(c.r[i * 6 + i], 1, 1e-12);
        for (size_t j = 0; j < 6; j++) {
            assert_true(c.r[i * 6 + j] == c.r[j * 6 + i]);
            assert_int_equal(c.n[i * 6 + j], 11);
        }
    }
    correlation_free(&c);
}

static void missing_and_constant(void **state)
{
    (void)state;
    static const double up[] = {1, 2, 3, 4, 5, 6}, holes[] = {NAN, -2, -3, NAN, -5, INFINITY},
                        same[] = {7, 7, 7, 7, 7, 7}, tenths[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
                        two[] = {1, NAN, NAN, 2, NAN, NAN}, none[] = {NAN, NAN, NAN, NAN, NAN, NAN},
                        far[] = {1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4, 1e9 + 5, 1e9 + 6},
                        huge[] = {1e300, -1e300, 1e300, -1e300, 1e300, -1e300};
    const double *columns[] = {up, holes, same, tenths, two, none, far, huge};
    correlation c;
    correlation_of(columns, 8, 6, &c);
    near(c.r[1], -1, 1e-15);
    assert_int_equal(c.n[1], 3);
    for (size_t i = 2; i < 6; i++) assert_true(isnan(c.r[i])); /* constant, or fewer than three pairs */
    assert_int_equal(c.n[2], 6);
    assert_int_equal(c.n[4], 2);
    assert_int_equal(c.n[5], 0);
    near(c.r[6], 1, 1e-12);
    assert_true(isnan(c.r[7])); /* its squares overflow */
    bool seen[8] = {false};
    for (size_t i = 0; i < 8; i++) seen[c.order[i]] = true;
    for (size_t i = 0; i < 8; i++) assert_true(seen[i]);
    correlation_free(&c);
    correlation_of(NULL, 0, 0, &c);
    correlation_free(&c);
}

static void what_stands_for_a_column(void **state)
{
    (void)state;
    int64_t time[6];
    for (int i = 0; i < 6; i++) time[i] = i * 2 * NS_PER_SECOND;
    double counter[] = {10, 20, NAN, 40, 5, 9}, gauge[] = {1, 4, NAN, 2, 2, 7};
    correlation_prepare(time, counter, 6, COLUMN_COUNTER, false);
    assert_true(isnan(counter[0]) && counter[1] == 5 && isnan(counter[2]) && counter[3] == 5);
    assert_true(isnan(counter[4]) && counter[5] == 2); /* it began anew */
    correlation_prepare(time, gauge, 6, COLUMN_GAUGE, false);
    assert_true(gauge[0] == 1 && gauge[5] == 7);
    correlation_prepare(time, gauge, 6, COLUMN_GAUGE, true);
    assert_true(isnan(gauge[0]) && gauge[1] == 3 && isnan(gauge[2]) && isnan(gauge[3]) && gauge[4] == 0 &&
                gauge[5] == 5);
    correlation_prepare(time, gauge, 0, COLUMN_COUNTER, true);
}

/* Rising together is one thing, moving together another: two leaks with noise of their own. */
static void differences_tell_them_apart(void **state)
{
    (void)state;
    enum { POINTS = 500 };
    static double a[POINTS], b[POINTS];
    int64_t time[POINTS];
    const double *columns[] = {a, b};
    for (size_t i = 0; i < POINTS; i++) {
        time[i] = (int64_t)i * NS_PER_SECOND;
        a[i] = (double)(i + random_below(20));
        b[i] = (double)(i + random_below(20));
    }
    correlation c;
    correlation_of(columns, 2, POINTS, &c);
    assert_true(c.r[1] > 0.99);
    correlation_free(&c);
    for (size_t i = 0; i < 2; i++) correlation_prepare(time, i ? b : a, POINTS, COLUMN_GAUGE, true);
    correlation_of(columns, 2, POINTS, &c);
    assert_true(fabs(c.r[1]) < 0.15);
    assert_int_equal(c.n[1], POINTS - 1);
    correlation_free(&c);
}

/* Two families and one that belongs to none, shuffled: each family comes out in one piece, in the order of its chain. */
static void similar_ones_side_by_side(void **state)
{
    (void)state;
    enum { COUNT = 9 };
    static const int family[COUNT] = {0, 1, 0, 1, 2, 1, 0, 0, 1};
    double r[COUNT * COUNT];
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            double sign = (i + j) % 2 ? -1 : 1; /* which way they move does not matter */
            r[i * COUNT + j] = i == j ? 1 : family[i] != family[j] ? 0.1 * sign : 0.9 * sign;
        }
    r[4 * COUNT + 0] = r[0 * COUNT + 4] = NAN;
    uint32_t order[COUNT];
    correlation_order(r, COUNT, order);
    size_t changes = 0;
    for (size_t i = 1; i < COUNT; i++) changes += family[order[i]] != family[order[i - 1]];
    assert_int_equal(changes, 2);

    double chain[5 * 5]; /* 2 - 4 - 0 - 3 - 1: neighbours are the most similar */
    static const int place[] = {2, 4, 0, 3, 1};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) chain[i * 5 + j] = 1 - 0.2 * abs(place[i] - place[j]);
    correlation_order(chain, 5, order);
    for (size_t i = 1; i < 5; i++) assert_int_equal(abs(place[order[i]] - place[order[i - 1]]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_figures),         cmocka_unit_test(missing_and_constant),
        cmocka_unit_test(what_stands_for_a_column),  cmocka_unit_test(differences_tell_them_apart),
        cmocka_unit_test(similar_ones_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
