/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_bounds: what the registry does when there is much: runs, rows, questions to the store, marks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runs_script.h"

/* ---- the stories ---- */

#define FAT(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define EIGHT  FAT("a") "," FAT("b") "," FAT("c") "," FAT("d") "," FAT("e") "," FAT("f") "," FAT("g") "," FAT("h")
#define MANY   EIGHT "," FAT("i") "," FAT("j") "," FAT("k") "," FAT("l")

static void bounds(void **state)
{
    (void)state;
    const runs_limits few_runs = {.runs = 2}, few_rows = {.pending_rows = 2}, small = {.info_bytes = 2300};
    static const story runs_stories[] = {
        {"new A a; new B b; none A; none B; row A 1; flush; new C c; none C; row B 2; flush",
         "?A ?B A:live(a) 0@0=1 B:live(b) | ?C ?B C:live(c) | ", "rows=1 evicted=2 "},
        /* strangers make room for each other, not at a known run's cost */
        {"new A a; none A; flush; row X 1; row Y 1; row Z 1; row A 2; flush",
         "?A A:live(a) | ?X ?Y ?Z A:live(a) 0@0=2 | ", "rows=1 orphans=2 evicted=2 "},
        /* a forgotten run's news leaves all the same, and it goes on when it speaks */
        {"new A a; none A; row A 1 #0; row A 1 #2; new B b; none B; new C c; none C; flush; row A 2 #3; has A a "
         "next=3; flush",
         "?A ?B A:live(a) 0@0=1 2@0=1 gap1+1@0..0 B:live(b) C:live(c) | ?A A:live(a) 3@0=2 | ", "rows=3 evicted=2 "},
    };
    static const story forgotten[] = {
        /* a run that comes back is asked for when the store can have what it said before */
        {"new A a; none A; row A 1; new B b; none B; new C c; row A 2; flush; flush; has A a next=1; flush",
         "?A ?B A:live(a) 0@0=1 B:live(b) | ?A | A:live(a) 1@0=2 | ", "rows=2 evicted=2 "},
    };
    PLAY(forgotten, &few_runs);
    PLAY(runs_stories, &few_runs);
    static const story rows_stories[] = {
        {"row A 1; row B 1; row A 2; none B; new B b; flush", "?A ?B B:live(b) 0@0=1 | ", "rows=1 orphans=2 "},
        {"new A a; row A 1; row A 2; row A 3; flush", "?A A:live(a) 0@0=1 1@0=2 2@0=3 | ", "rows=3 "},
        {"row A 1; row A 2; row A 3; row A 4; flush", "?A ?A | ", "orphans=3 "},
    };
    PLAY(rows_stories, &few_rows);
    static const story small_stories[] = {
        {"new A a; none A; new B a; none B; new C " MANY "; none C; flush",
         "?A ?B ?C A:live(a) B:live(a) C:live(" MANY ") | ", "evicted=2 "},
    };
    PLAY(small_stories, &small);
    static const story forgetting[] = {
        {KNOWN "t 599; flush; t 600; flush; t 601; row A 1,2; has A a,b next=5; flush",
         OUT "| | ?A A:live(a,b) 5@601=1,2 | ", "rows=1 "},
    };
    PLAY(forgetting, NULL);
}

/* ---- much ---- */

static void note_want(void *ctx, const uuid *run)
{
    (void)run;
    ++*(size_t *)ctx;
}

static void take_new(runs *r, uint32_t n, const char *column)
{
    record_column c = {span_of(column), span_of(""), COLUMN_GAUGE};
    record rec = {.kind = RECORD_ANNOUNCE};
    memcpy(rec.run.b, &n, sizeof n);
    rec.announce.app = span_of("app");
    rec.announce.started = NO_TIME;
    rec.announce.columns = &c;
    rec.announce.column_count = 1;
    runs_take(r, &rec, START);
}

static size_t flush_parts(runs *r)
{
    batch *b = runs_flush(r, START, false);
    size_t parts = b ? b->count : 0;
    batch_free(b);
    return parts;
}

static void many_runs(void **state)
{
    (void)state;
    size_t asked = 0, parts = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    enum { count = 70000 };
    for (uint32_t n = 0; n < count; n++) {
        take_new(r, n, "c");
        uuid id = {{0}};
        memcpy(id.b, &n, sizeof n);
        runs_answer(r, &id, NULL, START);
        if (n % 1000 == 0) parts += flush_parts(r);
    }
    parts += flush_parts(r);
    assert_int_equal(parts, count);
    assert_int_equal(runs_count(r), 65536);
    assert_int_equal(runs_stats(r)->evicted, count - 65536);
    runs_free(r);
}

/* Strangers' runs do not keep the store busy: the next is asked for when an answer came. */
static void asks_bounded(void **state)
{
    (void)state;
    size_t asked = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    uuid id = {{0}};
    for (uint32_t n = 0; n < 1000; n++) take_new(r, n, "c");
    assert_int_equal(asked, ASK_AT_ONCE);
    runs_answer(r, &id, NULL, START);
    assert_int_equal(asked, ASK_AT_ONCE + 1);
    batch *b = runs_flush(r, START + PENDING_SECONDS * NS_PER_SECOND, false);
    assert_int_equal(b->count, 1000); /* those that were not asked for go on like those not answered for */
    batch_free(b);
    assert_int_equal(asked, ASK_AT_ONCE + 1);
    runs_free(r);
}

static void full_batches(void **state)
{
    (void)state;
    runs_limits limits = {.batch_bytes = 100000};
    size_t asked = 0;
    runs *r = runs_new(&limits, note_want, &asked);
    take_new(r, 1, "c");
    uuid id = {{1}};
    runs_answer(r, &id, NULL, START);
    double value = 1;
    record row = {
        .kind = RECORD_ROW, .run = id, .row = {.seq = NO_SEQ, .time = NO_TIME, .values = &value, .count = 1}};
    size_t rows = 0;
    while (!runs_full(r)) runs_take(r, &row, START), rows++;
    assert_in_range(rows, 1000, 100000);
    batch *b = runs_flush(r, START, false);
    assert_int_equal(b->parts[0].rows, rows);
    assert_in_range(b->bytes, 100000, 110000);
    assert_false(runs_full(r));
    batch_free(b);
    runs_free(r);
}

static void marks_bounded(void **state)
{
    (void)state;
    size_t asked = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    take_new(r, 1, "c");
    uuid id = {{1}};
    runs_answer(r, &id, NULL, START);
    record mark = {.kind = RECORD_MARK, .run = id, .mark = {.time = 1, .text = span_of("m")}};
    for (int i = 0; i < MARKS_PER_ROW + 5; i++) runs_take(r, &mark, START);
    batch *b = runs_flush(r, START, false);
    assert_int_equal(b->parts[0].event_count, MARKS_PER_ROW);
    assert_int_equal(runs_stats(r)->dropped_marks, 5);
    batch_free(b);
    runs_free(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),       cmocka_unit_test(many_runs),     cmocka_unit_test(asks_bounded),
        cmocka_unit_test(full_batches), cmocka_unit_test(marks_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
