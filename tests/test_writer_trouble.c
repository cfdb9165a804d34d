/* SPDX-License-Identifier: MIT OR Unlicense
   test_writer_trouble: a store that refuses, a full disk, no room: what is put is stored once all the same; what is not stored
   is counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "writer_sample.h"

static void a_refusing_store_is_waited_for(void **state)
{
    fixture *f = *state;
    start(f, 0);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    blocking b = block(f);
    for (uint64_t i = 1; i < 30; i++) writer_put(f->w, sample_batch(1, i * 10, 10));
    wait_until(writer_counters(f->w)->failures >= 2);
    assert_true(writer_counters(f->w)->behind);
    uuid one = sample_id(1), other = sample_id(7);
    writer_want(f->w, &one);   /* has to wait */
    writer_want(f->w, &other); /* has not: nothing of it is to be written */
    wait_until(f->answers == 1);
    assert_true(uuid_eq(&f->found_id, &other));
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == 300);
    wait_until(f->answers == 2);
    assert_int_equal(f->found->rows, 300);
    assert_false(writer_counters(f->w)->behind);
    stop(f, 10);
    assert_stored(f, 1, 300);
    assert_int_equal(f->durable_rows, 300);
    assert_int_equal(f->disorder, 0);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A full disk is had here as a limit on the size of files, which fails a write at any place of the transaction. */
static void a_full_disk_is_waited_for(void **state)
{
    fixture *f = *state;
    if (*f->place->database) skip(); /* its disk is not ours */
    signal(SIGXFSZ, SIG_IGN);
    start(f, 0);
    set_file_limit(200000);
    uint64_t at = 0;
    for (; writer_counters(f->w)->failures < 2; at += 500) {
        writer_put(f->w, sample_batch(1, at, 500));
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        if (at > 5000000) fail_msg("the disk does not get full");
    }
    assert_true(writer_counters(f->w)->behind);
    assert_true(writer_counters(f->w)->rows_stored < at);
    set_file_limit(RLIM_INFINITY);
    wait_until(writer_counters(f->w)->rows_stored == at);
    stop(f, 10);
    assert_stored(f, 1, at);
    assert_int_equal(f->durable_rows, at);
}

/* What was sampled is stored, or lost and counted, and nothing else. */
static void assert_sums(fixture *f, uint32_t run, uint64_t sent)
{
    run_info *r = stored_run(f, run);
    assert_int_equal(r->rows + r->lost, sent);
    run_info_free(r);
}

typedef struct {
    uint8_t *times;
    size_t rows;
    uint64_t gaps, count;
} gap_check;

static bool check_gap(void *ctx, const run_event *e)
{
    gap_check *c = ctx;
    c->gaps++;
    c->count += e->count;
    assert_int_equal(e->kind, EVENT_GAP);
    assert_true(e->time == sample_time(e->seq)); /* it begins with the first lost row */
    assert_true(e->until == sample_time(e->seq + e->count - 1));
    for (uint64_t seq = e->seq; seq < e->seq + e->count; seq++) assert_int_equal(c->times[seq]++, 0);
    return true;
}

static void past_the_bound_rows_become_gaps(void **state)
{
    fixture *f = *state;
    start(f, 300000);
    uint64_t sent = 0;
    for (int round = 0; round < 3; round++) {
        uint64_t failures = writer_counters(f->w)->failures, dropped = writer_counters(f->w)->rows_dropped;
        blocking b = block(f);
        do {
            writer_put(f->w, sample_batch(1, sent, 100));
            writer_put(f->w, sample_batch(2, sent, 100));
            sent += 100;
        } while (writer_counters(f->w)->rows_dropped < dropped + 3000);
        wait_until(writer_counters(f->w)->failures > failures);
        unblock(b);
        wait_until(writer_counters(f->w)->waiting_bytes == 0);
    }
    uint64_t dropped = writer_counters(f->w)->rows_dropped;
    assert_true(writer_counters(f->w)->rows_stored + dropped == 2 * sent);
    stop(f, 10);

    uint64_t lost = 0;
    store *s = sample_open(f->place->url, STORE_READ);
    for (uint32_t run = 1; run <= 2; run++) {
        assert_sums(f, run, sent);
        held h = held_read(s, run, sent);
        assert_int_equal(h.wrong, 0);
        gap_check c = {.times = h.times, .rows = sent};
        uuid id = sample_id(run);
        assert_int_equal(store_events(s, &id, INT64_MIN, INT64_MAX, check_gap, &c), STORE_OK);
        assert_true(c.gaps >= 3);
        lost += c.count;
        for (size_t i = 0; i < sent; i++) assert_int_equal(h.times[i], 1); /* stored or lost, and never both */
        free(h.times);
    }
    assert_int_equal(lost, dropped);
    store_close(s);
}

/* Their clients were told to keep what comes next, but what is here is here. */
static void past_the_bound_rows_of_the_binary_wire_are_kept(void **state)
{
    fixture *f = *state;
    start(f, 20000);
    blocking b = block(f);
    for (uint64_t i = 0; i < 30; i++) {
        batch *acked = sample_batch(1, i * 100, 100);
        acked->parts[0].info->acked = true;
        writer_put(f->w, acked);
    }
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == 3000);
    assert_int_equal(writer_counters(f->w)->rows_dropped, 0);
    stop(f, 10);
    assert_stored(f, 1, 3000);
    assert_int_equal(f->durable_rows, 3000);
    assert_int_equal(f->disorder, 0);
}

static void marks_that_had_to_go_are_counted(void **state)
{
    fixture *f = *state;
    start(f, 1); /* nothing fits */
    batch *b = sample_batch(1, 0, 10);
    b->parts[0].events = mem_calloc(2, sizeof(run_event));
    b->parts[0].events[0] = (run_event){EVENT_MARK, 1, 1, 0, 0, mem_strdup("mark")};
    b->parts[0].events[1] = (run_event){EVENT_GAP, sample_time(10), sample_time(14), 10, 5, mem_strdup("")};
    b->parts[0].event_count = 2;
    writer_put(f->w, b);
    wait_until(writer_counters(f->w)->commits == 1);
    assert_int_equal(writer_counters(f->w)->marks_dropped, 1);
    assert_int_equal(writer_counters(f->w)->rows_dropped, 10);
    run_info *r = stored_run(f, 1);
    assert_true(r->rows == 0 && r->lost == 15);
    run_info_free(r);
}

static void stopping_gives_up(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f);
    for (uint64_t i = 0; i < 10; i++) writer_put(f->w, sample_batch(1, i * 10, 10));
    stop(f, 0.1);
    unblock(b);
    assert_int_equal(f->durable_batches, 0);
    start(f, 0); /* the store is as it was, and can be used */
    writer_put(f->w, sample_batch(1, 0, 10));
    stop(f, 10);
    assert_stored(f, 1, 10);
}

/* One batch that can never be stored does not take the others with it. */
static void a_poisoned_batch(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f); /* so that they come in one group */
    writer_put(f->w, sample_batch(1, 0, 10));
    batch *bad = sample_batch(2, 0, 1);
    bad->parts[0].seq[0] = UINT64_C(1) << 63;
    writer_put(f->w, bad);
    writer_put(f->w, sample_batch(3, 0, 10));
    unblock(b);
    wait_until(writer_counters(f->w)->waiting_bytes == 0);
    stop(f, 10);
    assert_stored(f, 1, 10);
    assert_stored(f, 3, 10);
    assert_sums(f, 2, 1);
    assert_int_equal(f->durable_batches, 2);
}

static void a_store_that_cannot_be_opened(void **state)
{
    (void)state;
    buf why = {0};
    writer_desc desc = {.store_url = "sqlite:/nonexistent/directory/x.db", .found = on_found};
    assert_null(writer_start(&desc, &why));
    assert_non_null(strstr(why.p, "/nonexistent/directory"));
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refusing_store_is_waited_for),
        TEST(a_full_disk_is_waited_for),
        TEST(past_the_bound_rows_become_gaps),
        TEST(past_the_bound_rows_of_the_binary_wire_are_kept),
        TEST(marks_that_had_to_go_are_counted),
        TEST(stopping_gives_up),
        TEST(a_poisoned_batch),
        TEST(a_store_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
