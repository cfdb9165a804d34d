/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_threads: scopes and counters of many threads, more than have a block of their own: every total is exact. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_MAX_THREADS 6
#define DOLON_ASSERT(x)   assert(x)
#include "../dolon.h"

#define THREADS 16
#define ROUNDS  20000

static dolon__totals totals(const char *name, dolon__site_kind kind)
{
    dolon__totals sum = {0, 0, 0, 0};
    pthread_mutex_lock(&dolon__all.lock);
    for (uint32_t i = 0; i < dolon__all.series_count; i++)
        if (dolon__series_table[i].kind == kind && strcmp(dolon__series_table[i].name, name) == 0)
            dolon__total(i, &sum);
    pthread_mutex_unlock(&dolon__all.lock);
    return sum;
}

static double seconds(uint64_t ticks)
{
    pthread_mutex_lock(&dolon__all.lock);
    double s = (double)ticks * dolon__seconds_per_tick();
    pthread_mutex_unlock(&dolon__all.lock);
    return s;
}

static void recurse(int depth)
{
    DOLON_FUNCTION();
    if (depth > 0) recurse(depth - 1);
}

static void *work(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        DOLON_SCOPE("work");
        DOLON_COUNT("bytes", 3);
        DOLON_GAUGE("round", i);
        if (i % 100 == 0) recurse(3);
    }
    return NULL;
}

static void run_threads(int count, void *(*run)(void *))
{
    pthread_t threads[THREADS];
    assert_true(count <= THREADS);
    for (int i = 0; i < count; i++) assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

/* While a tracer samples a thousand times a second. */
static void totals_are_exact(void **state)
{
    dolon_desc d = {.interval = 0.001, .no_environment = 1, .port = 9};
    dolon_tracer *t = dolon_start(&d);
    dolon__totals sum;
    (void)state;
    run_threads(THREADS, work);
    sum = totals("work", DOLON__SCOPE_SITE);
    assert_int_equal(sum.hits, THREADS * ROUNDS);
    assert_int_equal(sum.done, THREADS * ROUNDS);
    assert_int_equal(sum.active, 0);
    assert_true(sum.ticks > 0);
    assert_int_equal(totals("bytes", DOLON__COUNT_SITE).hits, 3 * THREADS * ROUNDS);
    assert_int_equal(totals("recurse", DOLON__SCOPE_SITE).hits, 4 * THREADS * ROUNDS / 100);
    dolon_stop(t);
}

static void *work_a_little(void *arg)
{
    (void)arg;
    DOLON_SCOPE("short");
    DOLON_COUNT("short_count", 1);
    return NULL;
}

static void blocks_of_ended_threads_are_used_again(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) run_threads(4, work_a_little);
    assert_int_equal(totals("short", DOLON__SCOPE_SITE).hits, 400);
    assert_int_equal(totals("short", DOLON__SCOPE_SITE).done, 400);
    assert_int_equal(totals("short_count", DOLON__COUNT_SITE).hits, 400);
    assert_in_range(dolon__all.blocks_used, 1, DOLON_MAX_THREADS);
    int taken = 0;
    for (int i = 0; i < DOLON_MAX_THREADS; i++) taken += dolon__all.taken[i];
    assert_true(taken <= 1); /* this thread's */
}

/* Threads inside of a scope are seen as active, and those that end within it are not. */
static pthread_barrier_t inside, leave;

static void *stay(void *arg)
{
    (void)arg;
    DOLON_SCOPE("stay");
    pthread_barrier_wait(&inside);
    pthread_barrier_wait(&leave);
    return NULL;
}

static void *never_leave(void *arg)
{
    DOLON_BEGIN(region, "abandoned");
    (void)arg;
    (void)region;
    return NULL;
}

static void active_instances_are_counted(void **state)
{
    pthread_t threads[10];
    (void)state;
    pthread_barrier_init(&inside, NULL, 11);
    pthread_barrier_init(&leave, NULL, 11);
    for (int i = 0; i < 10; i++) pthread_create(&threads[i], NULL, stay, NULL);
    pthread_barrier_wait(&inside);
    assert_int_equal(totals("stay", DOLON__SCOPE_SITE).active, 10);
    assert_int_equal(totals("stay", DOLON__SCOPE_SITE).done, 0);
    pthread_barrier_wait(&leave);
    for (int i = 0; i < 10; i++) pthread_join(threads[i], NULL);
    assert_int_equal(totals("stay", DOLON__SCOPE_SITE).active, 0);
    assert_int_equal(totals("stay", DOLON__SCOPE_SITE).done, 10);
    run_threads(1, never_leave);
    assert_int_equal(totals("abandoned", DOLON__SCOPE_SITE).hits, 1);
    assert_int_equal(totals("abandoned", DOLON__SCOPE_SITE).active, 0);
    pthread_barrier_destroy(&inside);
    pthread_barrier_destroy(&leave);
}

/* A millisecond inside is a millisecond in the column, whichever clock is used. */
static void times_are_in_seconds(void **state)
{
    int64_t took = 0;
    double mean;
    (void)state;
    for (int i = 0; i < 50; i++) {
        int64_t start = dolon__os_mono();
        DOLON_BEGIN(region, "timed");
        while (dolon__os_mono() - start < DOLON__MS) continue;
        DOLON_END(region);
        took += dolon__os_mono() - start;
    }
    dolon__totals sum = totals("timed", DOLON__SCOPE_SITE);
    mean = seconds(sum.ticks) / (double)sum.done;
    assert_true(mean > 0.00099 && mean <= 1.01e-9 * (double)took / 50);
}

/* With CLOCK_MONOTONIC for a clock, as on machines whose time stamp counter is of no use. Must be the last test. */
static void the_other_clock_does_as_well(void **state)
{
    (void)state;
    dolon__tsc = 0;
    DOLON_BEGIN(region, "other clock");
    int64_t start = dolon__os_mono();
    while (dolon__os_mono() - start < DOLON__MS) continue;
    DOLON_END(region);
    dolon__totals sum = totals("other clock", DOLON__SCOPE_SITE);
    assert_true(seconds(sum.ticks) >= 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_exact),
        cmocka_unit_test(blocks_of_ended_threads_are_used_again),
        cmocka_unit_test(active_instances_are_counted),
        cmocka_unit_test(times_are_in_seconds),
        cmocka_unit_test(the_other_clock_does_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
