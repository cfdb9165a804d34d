/* SPDX-License-Identifier: MIT OR Unlicense
   test_jobs: work is done once or handed back, in order, within its bound. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/store/jobs.h"

static char folder[64], url[128];
static sem_t running, go, done;
static job *finished[64];
static _Atomic size_t finished_count;

static void on_finished(void *ctx, job *j)
{
    (void)ctx;
    finished[atomic_fetch_add(&finished_count, 1)] = j;
    sem_post(&done);
}

/* Says that it runs, and waits to be let go. */
static void hold(job *j, store *s)
{
    (void)j;
    assert_non_null(s);
    sem_post(&running);
    sem_wait(&go);
}

static void pass(job *j, store *s)
{
    (void)j, (void)s;
}

static jobs *start(size_t workers, size_t bound)
{
    buf why = {0};
    jobs_desc desc = {.store_url = url, .workers = workers, .bound = bound, .finished = on_finished};
    jobs *p = jobs_start(&desc, &why);
    if (!p) fail_msg("%s", why.p);
    atomic_store(&finished_count, 0);
    return p;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/mnemic-jobs-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "sqlite:%s/t.db", folder);
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    assert_non_null(s);
    store_close(s);
    sem_init(&running, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&done, 0, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void in_order_within_the_bound(void **state)
{
    (void)state;
    jobs *p = start(1, 2);
    job held = {.run = hold}, a = {.run = pass}, b = {.run = pass}, c = {.run = pass}, urgent = {.run = pass};
    assert_true(jobs_put(p, &held, false));
    sem_wait(&running);
    assert_true(jobs_put(p, &a, false));
    assert_true(jobs_put(p, &b, false));
    assert_int_equal(jobs_waiting(p), 2);
    assert_false(jobs_put(p, &c, false));
    assert_true(jobs_put(p, &urgent, true));
    sem_post(&go);
    for (int i = 0; i < 4; i++) sem_wait(&done);
    job *order[] = {&held, &a, &b, &urgent};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_ptr_equal(finished[i], order[i]);
        assert_true(order[i]->ran);
    }
    assert_int_equal(jobs_waiting(p), 0);
    jobs_stop(p);
}

static void cancelled_while_it_waits(void **state)
{
    (void)state;
    jobs *p = start(1, 8);
    job held = {.run = hold}, a = {.run = pass}, b = {.run = pass}, c = {.run = pass};
    assert_true(jobs_put(p, &held, false));
    sem_wait(&running);
    assert_true(jobs_put(p, &a, false) && jobs_put(p, &b, false));
    assert_false(jobs_cancel(p, &held));
    assert_true(jobs_cancel(p, &b)); /* the last of the queue: the next one comes behind `a` */
    assert_false(jobs_cancel(p, &b));
    assert_true(jobs_put(p, &c, false));
    sem_post(&go);
    for (int i = 0; i < 3; i++) sem_wait(&done);
    assert_ptr_equal(finished[1], &a);
    assert_ptr_equal(finished[2], &c);
    assert_false(b.ran);
    jobs_stop(p);
}

static void two_at_once(void **state)
{
    (void)state;
    jobs *p = start(2, 8);
    job a = {.run = hold}, b = {.run = hold};
    assert_true(jobs_put(p, &a, false) && jobs_put(p, &b, false));
    sem_wait(&running);
    sem_wait(&running);
    sem_post(&go);
    sem_post(&go);
    sem_wait(&done);
    sem_wait(&done);
    jobs_stop(p);
}

/* Every job that was put comes back: as run, or, if the pool stopped before its turn, as not. */
static void handed_back_at_the_end(void **state)
{
    (void)state;
    jobs *p = start(1, 40);
    job many[40] = {{.run = hold}};
    assert_true(jobs_put(p, &many[0], false));
    sem_wait(&running);
    for (size_t i = 1; i < ARRAY_LEN(many); i++) {
        many[i].run = pass;
        assert_true(jobs_put(p, &many[i], false));
    }
    sem_post(&go);
    jobs_stop(p);
    assert_int_equal(atomic_load(&finished_count), ARRAY_LEN(many));
    assert_true(many[0].ran);
}

static void a_store_that_cannot_be_opened(void **state)
{
    (void)state;
    buf why = {0};
    jobs_desc desc = {.store_url = "sqlite:/nonexistent/x.db", .workers = 2, .bound = 1, .finished = on_finished};
    assert_null(jobs_start(&desc, &why));
    assert_true(why.n > 0);
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_within_the_bound),
        cmocka_unit_test(cancelled_while_it_waits),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(handed_back_at_the_end),
        cmocka_unit_test(a_store_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
