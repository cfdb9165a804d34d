/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_scopes: how long scopes took: the buckets, the percentiles of an interval, and that nothing is lost or
   counted twice when threads end, or are more than there is room for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <math.h>

#define DOLON_STATIC
#define DOLON_IMPLEMENTATION
#define DOLON_MAX_THREADS    4
#define DOLON_MAX_HISTOGRAMS 3
#define DOLON_ASSERT(x)      assert(x)
#include "../dolon.h"

#define RANDOM_SEED 5
#include "random.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

#define ALLOWED (1 / 64. + 1e-9) /* of the value, at most */

/* ---- a tracer without a thread ---- */

static int make_tracer(void **state)
{
    dolon_tracer *t = calloc(1, sizeof *t);
    t->past = calloc(DOLON_MAX_SITES, sizeof *t->past);
    t->link.fd = -1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_once(&dolon__once, dolon__init);
    dolon__join_known();
    dolon__append_new_series(t);
    dolon__forget_past(t);
    *state = t;
    return 0;
}

static int free_tracer(void **state)
{
    dolon_tracer *t = *state;
    free(t->past);
    free(t);
    return 0;
}

static uint32_t series_of(const char *name)
{
    for (uint32_t i = 0; i < dolon__all.series_count; i++)
        if (strcmp(dolon__series_table[i].name, name) == 0) return i;
    fail_msg("no series %s", name);
    return 0;
}

static uint64_t news_of(dolon_tracer *t, const char *name)
{
    uint32_t series = series_of(name);
    uint64_t n = 0;
    pthread_mutex_lock(&dolon__all.lock);
    if (dolon__sum_series(series, &t->sums)) {
        n = dolon__news(&t->sums, &t->past[series], &t->news);
        dolon__keep(&t->past[series], &t->sums, 0, DOLON__BUCKETS);
    }
    pthread_mutex_unlock(&dolon__all.lock);
    return n;
}

/* A scope that seems to have taken so many ticks. */
static void pass(dolon_site *site, uint64_t ticks)
{
    dolon_span span = dolon_enter(site);
    span.start = dolon__now() - ticks;
    dolon_leave(&span);
}

static double column(const dolon_tracer *t, const char *name)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0) return t->values[i];
    fail_msg("no column %s", name);
    return 0;
}

/* ---- buckets ---- */

static void buckets_are_narrow(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (uint64_t v = 0; v < 1u << 16; v++) {
        uint32_t b = dolon__bucket(v);
        assert_true(b == last || b == last + 1);
        assert_true(fabs(dolon__bucket_middle(b) - (double)v) <= (double)v * ALLOWED);
        last = b;
    }
    for (unsigned bit = 16; bit < 47; bit++) {
        for (uint64_t part = 0; part < 1000; part++) {
            uint64_t v = (UINT64_C(1) << bit) + (UINT64_C(1) << bit) / 1000 * part;
            uint32_t b = dolon__bucket(v);
            assert_true(b < DOLON__BUCKETS && b >= last);
            assert_true(fabs(dolon__bucket_middle(b) - (double)v) <= (double)v * ALLOWED);
            last = b;
        }
    }
    assert_int_equal(dolon__bucket(DOLON__MOST_TICKS), DOLON__BUCKETS - 1);
    assert_int_equal(dolon__bucket(UINT64_MAX), DOLON__BUCKETS - 1);
}

/* ---- percentiles ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void assert_near(double found, double exact)
{
    if (!(fabs(found - exact) <= exact * ALLOWED)) fail_msg("%.9g instead of %.9g", found, exact);
}

/* Against sorted values, for sets of one to some thousand, of widths from nothing to nine orders of magnitude. */
static void percentiles_are_those_of_the_values(void **state)
{
    (void)state;
    static const double shares[] = {0.5, 0.9, 0.99, 1};
    for (int round = 0; round < 300; round++) {
        static double values[5000];
        static dolon__counts news;
        size_t n = round < 20 ? (size_t)round + 1 : 1 + random_below(ARRAY_LEN(values));
        uint64_t digits = 1 + random_below(30);
        double sum = 0;
        memset(&news, 0, sizeof news);
        news.used = UINT64_MAX;
        for (size_t i = 0; i < n; i++) {
            uint64_t v = random_below(UINT64_C(1) << random_below(digits + 1));
            values[i] = (double)v;
            sum += values[i];
            news.of[dolon__bucket(v)]++;
        }
        qsort(values, n, sizeof values[0], by_value);
        dolon__latency l = dolon__latency_of(&news, n, 1);
        const double found[] = {l.p50, l.p90, l.p99, l.max};
        for (int i = 0; i < 4; i++) assert_near(found[i], values[(size_t)ceil(shares[i] * (double)n) - 1]);
        assert_near(l.mean, sum / (double)n);
    }
}

static dolon_site handle = {"handle", &dolon__owner, DOLON__SCOPE_SITE, 0};

static void columns_are_of_the_last_interval(void **state)
{
    dolon_tracer *t = *state;
    dolon__join(&handle);
    dolon__append_new_series(t);
    dolon__sample(t, t->column_count, dolon__os_mono());
    assert_true(isnan(column(t, "handle_mean")) && isnan(column(t, "handle_p99")));

    int64_t until = dolon__os_mono() + 500 * DOLON__MS; /* so that the clocks are compared over some time */
    while (dolon__os_mono() < until) continue;
    pthread_mutex_lock(&dolon__all.lock);
    double second = dolon__seconds_per_tick();
    pthread_mutex_unlock(&dolon__all.lock);
    uint64_t ms = (uint64_t)(0.001 / second);
    for (uint64_t i = 1; i <= 100; i++) pass(&handle, i * ms);
    dolon__sample(t, t->column_count, dolon__os_mono());
    assert_true(column(t, "handle_hits") == 100 && column(t, "handle_active_instances") == 0);
    assert_true(fabs(column(t, "handle_mean") - 0.0505) < 0.0505 * 0.03);
    assert_true(fabs(column(t, "handle_p50") - 0.050) < 0.050 * 0.03);
    assert_true(fabs(column(t, "handle_p90") - 0.090) < 0.090 * 0.03);
    assert_true(fabs(column(t, "handle_p99") - 0.099) < 0.099 * 0.03);
    assert_true(fabs(column(t, "handle_max") - 0.100) < 0.100 * 0.03);

    pass(&handle, 2 * ms);
    dolon__sample(t, t->column_count, dolon__os_mono());
    assert_true(fabs(column(t, "handle_p50") - 0.002) < 0.002 * 0.05);
    assert_true(column(t, "handle_max") == column(t, "handle_p50"));
    dolon__sample(t, t->column_count, dolon__os_mono());
    assert_true(isnan(column(t, "handle_max")));
    assert_true(column(t, "handle_hits") == 101 && column(t, "handle_average_time") > 0.04);
}

/* What was before the tracer is no news to it; what a scope took that joins later is. */
static void a_tracer_starts_from_now(void **state)
{
    static dolon_site early = {"early", &dolon__owner, DOLON__SCOPE_SITE, 0};
    static dolon_site late = {"late", &dolon__owner, DOLON__SCOPE_SITE, 0};
    void *second = NULL;
    (void)state;
    for (int i = 0; i < 5; i++) pass(&early, 100);
    make_tracer(&second);
    assert_int_equal(news_of(second, "early"), 0);
    for (int i = 0; i < 3; i++) pass(&late, 100);
    dolon__append_new_series(second);
    assert_int_equal(news_of(second, "late"), 3);
    assert_int_equal(news_of(second, "late"), 0);
    free_tracer(&second);
}

static void brief_scopes_have_three_columns(void **state)
{
    void *brief = NULL;
    (void)state;
    make_tracer(&brief);
    dolon_tracer *t = brief;
    uint32_t all = t->column_count;
    t->brief_scopes = 1;
    t->series_seen = t->column_count = 0;
    dolon__append_new_series(t);
    assert_int_equal(all % 8, 0);
    assert_int_equal(t->column_count * 8, all * 3);
    free_tracer(&brief);
}

/* What began before is still measured when it ends, and what began while scopes were off is not. */
static void scopes_can_be_switched_off(void **state)
{
    static dolon_site outer = {"switched outer", &dolon__owner, DOLON__SCOPE_SITE, 0};
    static dolon_site inner = {"switched inner", &dolon__owner, DOLON__SCOPE_SITE, 0};
    dolon_tracer *t = *state;
    dolon__join(&outer);
    dolon__join(&inner);
    dolon__append_new_series(t);
    dolon_span out = dolon_enter(&outer);
    dolon_measure_scopes(0);
    dolon_span in = dolon_enter(&inner);
    dolon_leave(&out);
    dolon_measure_scopes(1);
    dolon_leave(&in);
    pass(&outer, 10);
    dolon__sample(t, t->column_count, dolon__os_mono());
    assert_true(column(t, "switched outer_hits") == 2 && column(t, "switched inner_hits") == 0);
    assert_true(column(t, "switched outer_active_instances") == 0);
    assert_true(column(t, "switched inner_active_instances") == 0 && isnan(column(t, "switched inner_max")));
}

/* ---- threads ---- */

#define ROUNDS 20000

static void *work(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        DOLON_SCOPE("outer");
        DOLON_SCOPE("inner");
    }
    return NULL;
}

/* 4 blocks, 3 histograms, 2 scopes: threads without a block, cells without a histogram, and histograms that wander. */
static void nothing_is_lost_or_doubled(void **state)
{
    dolon_tracer *t = *state;
    uint64_t outer = 0, inner = 0;
    for (int round = 0; round < 3; round++) {
        pthread_t threads[7];
        for (size_t i = 0; i < ARRAY_LEN(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
        for (int i = 0; i < 100; i++) {
            outer += news_of(t, "outer");
            inner += news_of(t, "inner");
        }
        for (size_t i = 0; i < ARRAY_LEN(threads); i++) pthread_join(threads[i], NULL);
    }
    outer += news_of(t, "outer");
    inner += news_of(t, "inner");
    assert_int_equal(outer, 3 * 7 * ROUNDS);
    assert_int_equal(inner, 3 * 7 * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_narrow),
        cmocka_unit_test(percentiles_are_those_of_the_values),
        cmocka_unit_test_setup_teardown(columns_are_of_the_last_interval, make_tracer, free_tracer),
        cmocka_unit_test(a_tracer_starts_from_now),
        cmocka_unit_test(brief_scopes_have_three_columns),
        cmocka_unit_test_setup_teardown(scopes_can_be_switched_off, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(nothing_is_lost_or_doubled, make_tracer, free_tracer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
