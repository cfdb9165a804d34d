/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_runs: what every store promises of what happens to a run: events, what the user edits, what is to go. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_sample.h"

#include "../server/store/merge.h"

/* ---- events ---- */

typedef struct {
    run_event events[64];
    size_t count;
} event_list;

static bool note_event(void *ctx, const run_event *e)
{
    event_list *l = ctx;
    assert_string_equal(e->text, e->kind == EVENT_MARK ? "a 'mark'" : "");
    l->events[l->count] = *e;
    l->events[l->count++].text = NULL;
    return true;
}

static void events_that_overlap(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    static char none[] = "", label[] = "a 'mark'";
    run_event all[40];
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        bool gap = i % 2;
        int64_t time = (int64_t)i * 10;
        int64_t until = gap ? time + (int64_t)(i % 7) * 30 : time;
        all[i] = (run_event){gap ? EVENT_GAP : EVENT_MARK, time, until, i, gap ? i : 0, gap ? none : label};
    }
    store_change change = {.info = r, .events = all, .event_count = ARRAY_LEN(all)};
    assert_ok(s, store_write(s, &change, 1));
    for (int64_t from = -20; from < 700; from += 7) {
        int64_t to = from + (from % 5) * 20;
        event_list found = {.count = 0};
        assert_ok(s, store_events(s, &r->id, from, to, note_event, &found));
        size_t at = 0;
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            if (all[i].time > to || all[i].until < from) continue;
            assert_true(at < found.count);
            assert_int_equal(found.events[at].seq, all[i].seq);
            assert_int_equal(found.events[at].until, all[i].until);
            assert_int_equal(found.events[at].count, all[i].count);
            at++;
        }
        assert_int_equal(at, found.count);
    }
    run_info_free(r);
}

/* What a stranger says he lost may be absurd; the sum stays a number, and the run can be written. */
static void absurd_losses(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    for (uint64_t i = 0; i < 3; i++) {
        run_event e = {EVENT_GAP, INT64_MIN, INT64_MAX, i, UINT64_MAX, (char[]){""}};
        store_change change = {.info = r, .events = &e, .event_count = 1};
        assert_ok(s, store_write(s, &change, 1));
    }
    int count = 0; /* gaps as long as all time are found in its midst */
    assert_ok(s, store_events(s, &r->id, 7, 7, count_event, &count));
    assert_int_equal(count, 3);
    run_info *stored;
    assert_ok(s, store_run(s, &r->id, &stored));
    assert_true(stored->lost == INT64_MAX);
    run_info_free(stored);
    run_info_free(r);
}

/* ---- what the user edits ---- */

static void edits(void **state)
{
    store *s = ((stored_place *)*state)->s;
    uuid id = sample_id(1), nobody = sample_id(9);
    const run_edit nothing = {.pinned = -1, .deleted = -1};
    sample_put(s, 1, 0, 10);
    assert_int_equal(store_edit(s, &nobody, &nothing), STORE_MISSING);
    assert_ok(s, store_edit(s, &id, &(run_edit){"it's \"one\"", "{\"k\":null}", 1, 77}));
    assert_ok(s, store_edit(s, &id, &nothing));
    sample_put(s, 1, 10, 10); /* what clients tell does not touch it */
    run_info *r = stored_run(s, 1);
    assert_string_equal(r->note, "it's \"one\"");
    assert_string_equal(r->user_tags, "{\"k\":null}");
    assert_true(r->pinned && r->deleted == 77 && r->rows == 20);
    run_info_free(r);
    assert_ok(s, store_edit(s, &id, &(run_edit){"", "", 0, 0}));
    r = stored_run(s, 1);
    assert_true(!*r->note && !*r->user_tags && !r->pinned && !r->deleted);
    run_info_free(r);
}

/* ---- what is to go ---- */

static store_swept sweep_all(store *s, int64_t deleted, int64_t rows)
{
    store_swept sum = {false, 0, 0}, one;
    do {
        assert_ok(s, store_sweep(s, deleted, rows, &one));
        assert_true(one.rows <= 2 * STORE_SWEEP * CHUNK_ROWS);
        sum.rows += one.rows;
        sum.runs += one.runs;
    } while (one.more);
    return sum;
}

static void put_many(store *s, uint32_t run, size_t rows, size_t each)
{
    for (size_t at = 0; at < rows; at += each) sample_put(s, run, at, each);
    run_info *r = sample_run(run);
    r->next_seq = rows;
    r->last = sample_time(rows - 1);
    static char text[] = "m";
    run_event events[100];
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        int64_t time = sample_time(i * rows / ARRAY_LEN(events));
        events[i] = (run_event){EVENT_MARK, time, time, i, 0, text};
    }
    store_change change = {.info = r, .events = events, .event_count = ARRAY_LEN(events)};
    assert_ok(s, store_write(s, &change, 1));
    run_info_free(r);
}

static void assert_gone(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    run_info *r;
    int count = 0;
    assert_int_equal(store_run(s, &id, &r), STORE_MISSING);
    assert_int_equal(store_entries(s, &id, 0, WHOLE, count_entry, &count), STORE_MISSING);
    assert_int_equal(store_events(s, &id, WHOLE, count_event, &count), STORE_MISSING);
}

static void deleted_runs_go(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint32_t run = 1; run <= 4; run++) put_many(s, run, 1000, 5);
    for (uint32_t run = 2; run <= 4; run++) {
        uuid id = sample_id(run);
        assert_ok(s, store_edit(s, &id, &(run_edit){.pinned = run == 3, .deleted = run * 100}));
    }
    store_swept swept = sweep_all(s, INT64_MIN, INT64_MIN);
    assert_true(swept.rows == 0 && swept.runs == 0);
    swept = sweep_all(s, 400, INT64_MIN);
    assert_true(swept.rows == 2000 && swept.runs == 2);
    assert_gone(s, 2);
    assert_gone(s, 3); /* a pin does not keep what was deleted */
    assert_held(s, 1, 1000);
    assert_held(s, 4, 1000);
    uuid id = sample_id(4);
    assert_ok(s, store_edit(s, &id, &(run_edit){.pinned = -1, .deleted = 0}));
    swept = sweep_all(s, INT64_MAX, INT64_MIN);
    assert_true(swept.rows == 0 && swept.runs == 0);
    put_many(s, 2, 100, 50); /* it can come again */
    assert_held(s, 2, 100);
}

/* Rows from `first` to `rows` are there, and nothing else; all that is told of the run agrees with it. */
static void assert_left(store *s, uint32_t run, size_t first, size_t rows)
{
    held h = held_read(s, run, rows);
    assert_int_equal(h.wrong, 0);
    for (size_t i = 0; i < rows; i++) assert_int_equal(h.times[i], i >= first);
    free(h.times);
    run_info *r = stored_run(s, run);
    assert_true(r->rows == rows - first && r->removed == first && r->lost == 0 && r->next_seq == rows);
    uint64_t covered = 0;
    key_list list = {.count = 0};
    assert_ok(s, store_cover(s, &r->id, WHOLE, INT64_MAX, note_key, &list));
    for (size_t i = 0; i < list.count; i++) covered += list.keys[i].rows;
    assert_int_equal(covered, rows - first);
    int events = 0;
    assert_ok(s, store_events(s, &r->id, WHOLE, count_event, &events));
    assert_int_equal(events, 100 - first * 100 / rows);
    run_info_free(r);
}

static void old_rows_go(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint32_t run = 1; run <= 3; run++) put_many(s, run, 2000, 10);
    uuid pinned = sample_id(2);
    assert_ok(s, store_edit(s, &pinned, &(run_edit){.pinned = 1, .deleted = -1}));
    for (uint32_t run = 1; run <= 3; run++) { /* summaries stand for chunks that go, and for some that stay */
        uuid id = sample_id(run);
        bool more = true;
        while (more) assert_ok(s, merge_run(s, &id, &more));
    }
    uuid id = sample_id(1);
    key_list before = {.count = 0};
    assert_ok(s, store_entries(s, &id, 0, WHOLE, note_key, &before));
    assert_true(before.count > 3);
    size_t first = before.keys[2].first_seq;
    store_swept swept = sweep_all(s, INT64_MIN, sample_time(first) + 5); /* the chunk that this lies in stays */
    assert_true(swept.rows == 2 * first && swept.runs == 0);
    run_info *r = stored_run(s, 2);
    assert_true(r->rows == 2000 && r->removed == 0);
    run_info_free(r);
    held h = held_read(s, 1, 2000);
    for (size_t i = 0; i < 2000; i++) assert_int_equal(h.times[i], i >= first);
    free(h.times);

    /* All is old; of run 3 something was heard since. */
    r = sample_run(3);
    r->next_seq = 2000;
    r->seen = sample_time(9000);
    store_change change = {.info = r};
    assert_ok(s, store_write(s, &change, 1));
    run_info_free(r);
    swept = sweep_all(s, INT64_MIN, sample_time(8000));
    assert_true(swept.rows == 2 * (2000 - first) && swept.runs == 1);
    assert_gone(s, 1);
    assert_held(s, 2, 2000);
    r = stored_run(s, 3);
    assert_true(r->rows == 0 && r->removed == 2000 && r->next_seq == 2000);
    run_info_free(r);
    sample_put(s, 3, 2000, 10); /* it goes on where it was */
    r = stored_run(s, 3);
    assert_true(r->rows == 10 && r->lost == 0);
    run_info_free(r);
}

/* However little is removed at a time, what is left is whole. */
static void what_is_left_is_whole(void **state)
{
    store *s = ((stored_place *)*state)->s;
    put_many(s, 1, 4000, 20);
    for (size_t first = 0; first <= 3000; first += 20) {
        sweep_all(s, INT64_MIN, sample_time(first));
        if (first % 400 == 0) assert_left(s, 1, first, 4000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_that_overlap), TEST(absurd_losses), TEST(edits),
        TEST(deleted_runs_go),     TEST(old_rows_go),   TEST(what_is_left_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
