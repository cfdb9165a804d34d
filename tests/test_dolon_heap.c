/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_heap: allocations that are counted: by several threads, freed by others, resized, refused, and by more threads
   than have a record of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_TRACK_MALLOC
#define DOLON_MAX_THREADS 4
#define DOLON_ASSERT(x)   assert(x)
#include "../dolon.h"

enum { THREADS = 8, BLOCKS = 2000 };

typedef struct {
    double bytes, blocks, allocations, frees;
} heap;

static double total(dolon_site *site)
{
    dolon__totals sum;
    dolon__os_lock(&dolon__all.lock);
    dolon__heap_total(site, &sum);
    dolon__os_unlock(&dolon__all.lock);
    return (double)sum.hits;
}

static heap now(void)
{
    heap h = {dolon_live_bytes(NULL), dolon_live_blocks(NULL), total(&dolon__allocations), total(&dolon__frees)};
    return h;
}

static void assert_added(heap before, double bytes, int blocks, int allocations, int frees)
{
    heap after = now();
    assert_true(after.bytes - before.bytes == bytes);
    assert_int_equal(after.blocks - before.blocks, blocks);
    assert_int_equal(after.allocations - before.allocations, allocations);
    assert_int_equal(after.frees - before.frees, frees);
}

static void each_call(void **state)
{
    (void)state;
    heap before = now();
    dolon_free(NULL);
    assert_added(before, 0, 0, 0, 0);
    char *p = dolon_malloc(100), *q = dolon_calloc(10, 30);
    assert_true(q[0] == 0 && q[299] == 0);
    double held = (double)malloc_usable_size(p) + (double)malloc_usable_size(q);
    assert_true(held >= 400);
    assert_added(before, held, 2, 2, 0);
    memset(p, 7, 100);
    p = dolon_realloc(p, 100000);
    assert_true(p[0] == 7 && p[99] == 7);
    assert_added(before, (double)malloc_usable_size(p) + (double)malloc_usable_size(q), 2, 3, 1);
    assert_null(dolon_realloc(p, 0));
    dolon_free(q);
    assert_added(before, 0, 0, 3, 3);
    p = dolon_realloc(NULL, 10);
    dolon_free(p);
    assert_added(before, 0, 0, 4, 4);
}

/* Sanitizers would end the program where malloc() returns NULL. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* What can't be had is not counted, and what was there stays. */
static void refused(void **state)
{
    (void)state;
    volatile size_t most = PTRDIFF_MAX; /* the compiler would know */
    char *p = dolon_malloc(10);
    heap before = now();
    assert_null(dolon_malloc(most));
    assert_null(dolon_calloc(most, 2));
    assert_null(dolon_realloc(p, most));
    assert_added(before, 0, 0, 0, 0);
    dolon_free(p);
}

static void *blocks[THREADS][BLOCKS];

static void *allocate(void *mine)
{
    void **list = mine;
    for (int i = 0; i < BLOCKS; i++) list[i] = dolon_malloc((size_t)(1 + i % 500));
    return NULL;
}

static void *release(void *others)
{
    void **list = others;
    for (int i = 0; i < BLOCKS; i++) dolon_free(list[i]);
    return NULL;
}

static void in_threads(void *(*run)(void *), int shift)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, blocks[(i + shift) % THREADS]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void allocated_here_freed_there(void **state)
{
    (void)state;
    heap before = now();
    double held = 0;
    in_threads(allocate, 0);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < BLOCKS; i++) held += (double)malloc_usable_size(blocks[t][i]);
    assert_added(before, held, THREADS * BLOCKS, THREADS * BLOCKS, 0);
    assert_true(dolon_peak_bytes(NULL) >= before.bytes + held);
    double peak = dolon_peak_bytes(NULL);
    in_threads(release, 1);
    assert_added(before, 0, 0, THREADS * BLOCKS, THREADS * BLOCKS);
    assert_true(dolon_peak_bytes(NULL) == peak);
}

/* Nothing is ever seen freed that is not allocated yet. */
static void never_negative(void **state)
{
    (void)state;
    pthread_t thread;
    int done = 0;
    assert_int_equal(pthread_create(&thread, NULL, allocate, blocks[0]), 0);
    pthread_join(thread, NULL);
    double most = dolon_live_bytes(NULL);
    assert_int_equal(pthread_create(&thread, NULL, release, blocks[0]), 0);
    while (!done) {
        double live = dolon_live_bytes(NULL), count = dolon_live_blocks(NULL);
        assert_true(live >= 0 && live <= most && count >= 0 && count <= BLOCKS);
        done = count == 0;
    }
    pthread_join(thread, NULL);
}

static void columns(void **state)
{
    (void)state;
    dolon_stats stats;
    dolon_free(dolon_malloc(1));
    dolon_tracer *t = dolon_start(&(dolon_desc){
        .no_environment = 1,
        .port = 9,
        .probes = {{"live_bytes", dolon_live_bytes, NULL, "B"}},
    });
    dolon_get_stats(t, &stats);
    assert_int_equal(stats.columns, 3); /* allocations and frees by themselves */
    dolon_stop(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call),      cmocka_unit_test(refused), cmocka_unit_test(allocated_here_freed_there),
        cmocka_unit_test(never_negative), cmocka_unit_test(columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
