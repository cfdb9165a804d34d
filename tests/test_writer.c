/* SPDX-License-Identifier: MIT OR Unlicense
   test_writer: what is put is stored once, questions and edits are answered, and what is too old goes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "writer_sample.h"

/* ---- the normal day ---- */

static void what_is_put_is_stored(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint64_t i = 0; i < 50; i++) {
        writer_put(f->w, sample_batch(1, i * 100, 100));
        writer_put(f->w, sample_batch(2, i * 3, 3));
    }
    writer_put(f->w, sample_batch(3, 0, 5000));
    wait_until(writer_counters(f->w)->rows_stored == 50 * 103 + 5000);
    wait_until(writer_counters(f->w)->waiting_bytes == 0);
    assert_stored(f, 1, 5000);
    stop(f, 10);
    assert_true(f->durable_rows == 50 * 103 + 5000 && f->durable_batches == 101 && f->disorder == 0);
    assert_stored(f, 2, 150);
    assert_int_equal(assert_stored(f, 3, 5000), 5); /* cut evenly */
}

static void stopping_writes_what_waits(void **state)
{
    fixture *f = *state;
    for (uint64_t turn = 0; turn < 5; turn++) {
        start(f, 0);
        for (uint64_t i = 0; i < 20; i++) writer_put(f->w, sample_batch(1, turn * 200 + i * 10, 10));
        stop(f, turn % 2 ? 0 : 10); /* the time is only for a store that refuses */
        assert_stored(f, 1, (turn + 1) * 200);
    }
}

static void an_empty_batch(void **state)
{
    fixture *f = *state;
    start(f, 0);
    batch *b = sample_batch(1, 0, 0);
    b->parts[0].info->state = RUN_ENDED;
    writer_put(f->w, b);
    writer_put(f->w, mem_calloc(1, sizeof(batch)));
    stop(f, 10);
    run_info *r = stored_run(f, 1);
    assert_true(r->state == RUN_ENDED && r->rows == 0);
    run_info_free(r);
}

static void wants_are_answered(void **state)
{
    fixture *f = *state;
    uuid one = sample_id(1), two = sample_id(2);
    start(f, 0);
    writer_want(f->w, &one);
    wait_until(f->answers == 1);
    assert_null(f->found);
    assert_true(uuid_eq(&f->found_id, &one));

    /* What was put before the question is in the answer. */
    for (uint64_t i = 1; i <= 20; i++) {
        int before = f->answers;
        writer_put(f->w, sample_batch(1, (i - 1) * 10, 10));
        writer_put(f->w, sample_batch(2, (i - 1) * 10, 10));
        writer_want(f->w, &two);
        wait_until(f->answers == before + 1);
        assert_non_null(f->found);
        assert_true(f->found->rows == i * 10 && f->found->next_seq == i * 10);
    }
}

typedef struct {
    writer *w;
    uint32_t run;
} putting;

static void *put_many(void *ctx)
{
    putting *p = ctx;
    for (uint64_t i = 0; i < 200; i++) {
        writer_put(p->w, sample_batch(p->run, i * 7, 7));
        if (i % 50 == 0) writer_want(p->w, &(uuid){{1}});
    }
    return NULL;
}

static void several_threads_put(void **state)
{
    fixture *f = *state;
    start(f, 0);
    pthread_t threads[3];
    putting what[3];
    for (uint32_t i = 0; i < 3; i++) {
        what[i] = (putting){f->w, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &what[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    wait_until(f->answers == 12);
    stop(f, 10);
    for (uint32_t i = 0; i < 3; i++) assert_stored(f, i + 1, 1400);
    assert_int_equal(f->disorder, 0);
}

static void small_chunks_are_merged(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint64_t i = 0; i < 320; i++) writer_put(f->w, sample_batch(1, i, 1));
    wait_until(writer_counters(f->w)->rows_stored == 320);
    wait_until(assert_stored(f, 1, 320) <= 20);
}

static void what_a_restart_left_is_merged(void **state)
{
    fixture *f = *state;
    store *s = sample_open(f->place->url, STORE_WRITE);
    for (uint64_t i = 0; i < 100; i++) sample_put(s, 1, i, 1);
    store_close(s);
    assert_int_equal(assert_stored(f, 1, 100), 100);
    start(f, 0);
    wait_until(assert_stored(f, 1, 100) < 20);
}

/* ---- what users want, and what is to go ---- */

typedef struct {
    job job;
    run_edit edit;
    uint32_t run;
    store_status status;
    _Atomic int finished;
} editing;

static void edit_run(job *j, store *s)
{
    editing *e = (editing *)j;
    uuid id = sample_id(e->run);
    e->status = store_edit(s, &id, &e->edit);
}

static void edit_done(void *ctx, job *j)
{
    (void)ctx;
    ((editing *)j)->finished++;
}

/* Waits for the answer. */
static editing edit(fixture *f, uint32_t run, run_edit what)
{
    editing e = {.job.run = edit_run, .edit = what, .run = run};
    assert_true(writer_edit(f->w, &e.job, edit_done, NULL));
    wait_until(e.finished == 1);
    return e;
}

static void users_edit(void **state)
{
    fixture *f = *state;
    start(f, 0);
    assert_int_equal(edit(f, 1, (run_edit){.pinned = 1, .deleted = -1}).status, STORE_MISSING);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    editing e = edit(f, 1, (run_edit){.note = "a note", .pinned = 1, .deleted = -1});
    assert_true(e.job.ran && e.status == STORE_OK);
    run_info *r = stored_run(f, 1);
    assert_true(r->pinned && strcmp(r->note, "a note") == 0);
    run_info_free(r);
}

/* Nobody waits for an answer in vain: not while the store refuses, nor when the writer ends. */
static void each_edit_is_answered(void **state)
{
    fixture *f = *state;
    start(f, 0);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    blocking b = block(f);
    editing refused = edit(f, 1, (run_edit){.note = "x", .pinned = -1, .deleted = -1});
    assert_true(refused.job.ran && refused.status == STORE_RETRY);
    static editing many[WRITER_EDITS + 50];
    size_t taken = 0;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (editing){.job.run = edit_run, .edit = {.pinned = 1, .deleted = -1}, .run = 1};
        taken += writer_edit(f->w, &many[i].job, edit_done, NULL);
    }
    assert_true(taken >= WRITER_EDITS);
    if (!*f->place->database) assert_true(taken < ARRAY_LEN(many)); /* a database refuses too fast to have many wait */
    unblock(b);
    stop(f, 10);
    size_t finished = 0;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        assert_in_range(many[i].finished, 0, 1);
        finished += (size_t)many[i].finished;
        if (!many[i].job.ran) continue;
        /* The connection that was cut is made anew only after a moment. */
        assert_true(many[i].status == STORE_OK || (*f->place->database && many[i].status == STORE_RETRY));
    }
    assert_int_equal(finished, taken);
}

/* Runs 1 and 2 are from long ago, 3 is of today. */
static void what_is_too_old_goes(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint32_t run = 1; run <= 2; run++)
        for (uint64_t i = 0; i < 100; i++) writer_put(f->w, sample_batch(run, i * 50, 50));
    batch *fresh = sample_batch(3, 0, 10);
    for (size_t i = 0; i < 10; i++) fresh->parts[0].time[i] = clock_wall();
    fresh->parts[0].info->seen = clock_wall();
    writer_put(f->w, fresh);
    wait_until(writer_counters(f->w)->rows_stored == 10010);
    edit(f, 2, (run_edit){.pinned = 1, .deleted = -1});
    stop(f, 10);
    f->retain = 86400 * NS_PER_SECOND;
    start(f, 0);
    wait_until(writer_counters(f->w)->runs_removed == 1);
    assert_int_equal(writer_counters(f->w)->rows_removed, 5000);
    assert_stored(f, 2, 5000);
    run_info *r = stored_run(f, 3);
    assert_int_equal(r->rows, 10);
    run_info_free(r);

    /* A run that was deleted long ago goes as soon as it is asked for; one just deleted stays. */
    edit(f, 2, (run_edit){.pinned = -1, .deleted = 1});
    edit(f, 3, (run_edit){.pinned = -1, .deleted = clock_wall()});
    writer_sweep(f->w);
    wait_until(writer_counters(f->w)->runs_removed == 2);
    r = stored_run(f, 3);
    assert_true(r->rows == 10 && r->deleted > 0);
    run_info_free(r);
}

/* While the writer is inside the store, which takes its time, others are not held up by it. */
static void putting_never_waits(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f);
    uint64_t at = 0;
    bool seen = false;
    for (int64_t end = clock_mono() + 60 * NS_PER_SECOND; !seen && clock_mono() < end;) {
        int64_t asked = writer_counters(f->w)->asked;
        writer_put(f->w, sample_batch(1, at, 10));
        writer_want(f->w, &(uuid){{9}});
        at += 10;
        seen = asked && writer_counters(f->w)->asked == asked; /* it was inside, and it still is */
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    assert_true(seen);
    wait_until(writer_lags(writer_counters(f->w)));
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == at);
    wait_until(!writer_lags(writer_counters(f->w))); /* told last, when nothing waits any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_stored),
        TEST(stopping_writes_what_waits),
        TEST(an_empty_batch),
        TEST(wants_are_answered),
        TEST(several_threads_put),
        TEST(small_chunks_are_merged),
        TEST(what_a_restart_left_is_merged),
        TEST(users_edit),
        TEST(each_edit_is_answered),
        TEST(what_is_too_old_goes),
        TEST(putting_never_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
