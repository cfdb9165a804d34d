/* SPDX-License-Identifier: MIT OR Unlicense
   test_writer_hold: rows of slow programs wait while many come, and no others; each leaves once, in the order of its run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/store/writer_hold.h"

#define RANDOM_SEED 1
#include "random.h"

#define COLUMNS 3

static uuid id_of(size_t run)
{
    uuid id = {{1}};
    memcpy(id.b + 8, &run, sizeof run);
    return id;
}

/* Bytes, which here may be any; two rows of three have some. */
static span histograms_of(uint64_t seq)
{
    static char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)seq);
    return (span){text, seq % 3 ? (size_t)n : 0};
}

/* Rows [first, first + rows) of a run that the store knows. */
static batch_part part(size_t run, uint64_t first, size_t rows)
{
    static char none[] = "";
    batch_part p = {.rows = rows, .columns = COLUMNS};
    run_info known = {.id = id_of(run), .rows = 1, .next_seq = first + rows, .app = none, .host = none, .build = none,
                      .args = none, .place = none, .note = none, .user_tags = none};
    p.info = run_info_copy(&known);
    p.time = mem_alloc(rows * sizeof *p.time);
    p.seq = mem_alloc(rows * sizeof *p.seq);
    p.values = mem_alloc(rows * COLUMNS * sizeof *p.values);
    for (size_t i = 0; i < rows; i++) {
        p.time[i] = (int64_t)(first + i) * 10;
        p.seq[i] = first + i;
        for (size_t c = 0; c < COLUMNS; c++) p.values[i * COLUMNS + c] = (double)(first + i) + (double)c / 8;
        row_histograms_add(&p.histograms, i, histograms_of(first + i));
    }
    return p;
}

static batch *batch_of(batch_part p)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_alloc(sizeof *b->parts);
    b->parts[b->count++] = p;
    return b;
}

/* A second in which so many runs say one row each, their row `seq`. */
static batch *second_of(size_t runs, uint64_t seq)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_alloc(runs * sizeof *b->parts);
    for (; b->count < runs; b->count++) b->parts[b->count] = part(b->count, seq, 1);
    return b;
}

static batch *take(hold *h, batch *b, int64_t now)
{
    return hold_take(h, b, NULL, NULL, now);
}

/* How many rows left; each run's must follow those before. */
static size_t leave(batch *b, uint64_t *next)
{
    size_t rows = 0;
    for (size_t i = 0; b && i < b->count; i++) {
        const batch_part *p = &b->parts[i];
        size_t run;
        memcpy(&run, p->info->id.b + 8, sizeof run);
        for (size_t row = 0; row < p->rows; row++, next[run]++) {
            assert_int_equal(p->seq[row], next[run]);
            assert_int_equal(p->time[row], (int64_t)next[run] * 10);
            for (size_t c = 0; c < COLUMNS; c++)
                assert_true(p->values[row * COLUMNS + c] == (double)next[run] + (double)c / 8);
            assert_true(span_eq(row_histograms_of(&p->histograms, row), histograms_of(next[run])));
        }
        assert_int_equal(p->info->next_seq, next[run]); /* what is told of the run is not ahead of its rows */
        rows += p->rows;
    }
    batch_free(b);
    return rows;
}

#define LONG 10000000 /* bytes: all that is due */

static void few_do_not_wait(void **state)
{
    (void)state;
    hold h = {0};
    uint64_t next[HOLD_PAIRS] = {0};
    for (uint64_t second = 1; second < 9; second++) {
        int64_t now = (int64_t)second * NS_PER_SECOND;
        assert_null(take(&h, second_of(HOLD_PAIRS, second - 1), now));
        assert_int_equal(hold_due(&h), now);
        assert_int_equal(leave(hold_let_go(&h, now, LONG), next), HOLD_PAIRS);
        assert_int_equal(h.bytes, 0);
    }
    hold_free(&h);
}

static void many_wait(void **state)
{
    (void)state;
    enum { RUNS = 3 * HOLD_PAIRS };
    hold h = {0};
    static uint64_t next[RUNS];
    memset(next, 0, sizeof next);
    size_t left = 0, parts = 0;
    for (uint64_t second = 1; second <= 20; second++) {
        int64_t now = (int64_t)second * NS_PER_SECOND;
        assert_null(take(&h, second_of(RUNS, second - 1), now));
        batch *due = hold_let_go(&h, now, LONG);
        if (due) parts += due->count;
        left += leave(due, next);
    }
    assert_in_range(parts, left / 5, left / 3); /* three seconds, and the second in which they leave; the first did not wait */
    assert_int_equal(left + leave(hold_let_go(&h, INT64_MAX, SIZE_MAX), next), 20 * RUNS);
    assert_int_equal(h.bytes, 0);
    hold_free(&h);
}

/* However many come, what is held leaves within HOLD_SECONDS. */
static void none_waits_long(void **state)
{
    (void)state;
    hold h = {.rate = 1e9};
    uint64_t next[1] = {0};
    assert_null(take(&h, second_of(1, 0), 0));
    assert_int_equal(hold_due(&h), (int64_t)HOLD_SECONDS * NS_PER_SECOND);
    assert_null(hold_let_go(&h, (int64_t)HOLD_SECONDS * NS_PER_SECOND - 1, LONG));
    assert_int_equal(leave(hold_let_go(&h, (int64_t)HOLD_SECONDS * NS_PER_SECOND, LONG), next), 1);
    hold_free(&h);
}

static bool yes(void *ctx, const uuid *run)
{
    (void)ctx, (void)run;
    return true;
}

static batch_part with_mark(batch_part p)
{
    p.events = mem_calloc(1, sizeof *p.events);
    p.events[p.event_count++].text = mem_strdup("mark");
    return p;
}

static batch_part with_state(batch_part p, run_state state, uint64_t rows)
{
    p.info->state = state;
    p.info->rows = rows;
    return p;
}

/* What does not wait takes along what does. */
static void some_never_wait(void **state)
{
    (void)state;
    for (int what = 0; what < 5; what++) {
        hold h = {.rate = 1e9};
        uint64_t next[1] = {0};
        assert_null(take(&h, second_of(1, 0), 0));
        batch_part p = part(0, 1, what == 3 ? HOLD_BYTES / 8 / (2 + COLUMNS) : 1);
        size_t rows = 1 + p.rows;
        if (what == 0) p = with_mark(p);
        if (what == 1) p = with_state(p, RUN_ENDED, 1);
        if (what == 2) p = with_state(p, RUN_LIVE, 0);
        batch *b = hold_take(&h, batch_of(p), what == 4 ? yes : NULL, NULL, 0);
        assert_non_null(b);
        assert_int_equal(b->count, 1);
        assert_int_equal(b->parts[0].event_count, what == 0);
        assert_int_equal(leave(b, next), rows);
        assert_int_equal(h.bytes, 0);
        hold_free(&h);
    }
}

/* New columns, and a row that comes after its followers, begin another part; what was held leaves before it. */
static void what_does_not_go_on(void **state)
{
    (void)state;
    hold h = {.rate = 1e9};
    assert_null(take(&h, batch_of(part(0, 5, 1)), 0));
    batch *b = take(&h, batch_of(part(0, 4, 1)), 0);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->parts[0].seq[0], 5);
    batch_free(b);
    batch_part wider = part(0, 6, 3);
    wider.columns = 1;
    b = take(&h, batch_of(wider), 0);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->parts[0].seq[0], 4);
    batch_free(b);
    assert_int_equal(h.end - h.first, 1);
    hold_free(&h);
}

/* Whatever happens, no row is lost, doubled or out of order. */
static void any_order(void **state)
{
    (void)state;
    enum { RUNS = 50 };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        random_state = seed;
        hold h = {.rate = (double)(seed % 3) * 5000};
        uint64_t next[RUNS] = {0}, made[RUNS] = {0};
        size_t rows = 0, left = 0;
        for (int64_t now = 0; now < 3000; now++) {
            size_t run = random_below(RUNS), count = random_below(4);
            switch (random_below(8)) {
            case 0: left += leave(hold_let_go(&h, now * NS_PER_MS * 7, 1 + random_below(20000)), next); break;
            case 1: {
                uuid id = id_of(run);
                left += leave(hold_let_run_go(&h, &id), next);
                break;
            }
            default: {
                batch_part p = part(run, made[run], count);
                if (random_below(9) == 0) p = with_mark(p);
                made[run] += count;
                rows += count;
                left += leave(take(&h, batch_of(p), now * NS_PER_MS * 7), next);
            }
            }
        }
        left += leave(hold_let_go(&h, INT64_MAX, SIZE_MAX), next);
        assert_int_equal(left, rows);
        assert_memory_equal(next, made, sizeof next);
        assert_int_equal(h.bytes, 0);
        hold_free(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_do_not_wait),     cmocka_unit_test(many_wait), cmocka_unit_test(none_waits_long),
        cmocka_unit_test(some_never_wait),     cmocka_unit_test(what_does_not_go_on),
        cmocka_unit_test(any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
