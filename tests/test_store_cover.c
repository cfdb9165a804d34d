/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_cover: what every store promises of ranges: entries that overlap, summaries that never lie, the cover. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 0x9e3779b97f4a7c15
#include "random.h"
#include "store_sample.h"

/* ---- ranges ---- */

static int by_place(const void *x, const void *y)
{
    const chunk_key *a = x, *b = y;
    if (a->first_time != b->first_time) return a->first_time < b->first_time ? -1 : 1;
    return (a->first_seq > b->first_seq) - (a->first_seq < b->first_seq);
}

/* A chunk of two rows at these times. */
static chunk *chunk_between(uint64_t seq, int64_t from, int64_t to)
{
    chunk *c = chunk_new(2, 1);
    c->time[0] = from;
    c->time[1] = to;
    c->seq[0] = seq;
    c->seq[1] = seq + 1;
    c->values[0][0] = (double)seq;
    c->values[0][1] = (double)seq + 0.5;
    chunk_summarise(c);
    return c;
}

static void put_chunk(store *s, const run_info *r, chunk *c)
{
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_ok(s, store_write(s, &change, 1));
}

static void add_chunk(store *s, const run_info *r, key_list *all, int64_t from, int64_t to)
{
    chunk *c = chunk_between(all->count * 2, from, to);
    put_chunk(s, r, c);
    all->keys[all->count++] = c->key;
    qsort(all->keys, all->count, sizeof all->keys[0], by_place);
    chunk_free(c);
}

static void assert_overlaps(store *s, const run_info *r, const key_list *all, int64_t from, int64_t to)
{
    key_list found = {.count = 0}, expected = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, from, to, note_key, &found));
    for (size_t i = 0; i < all->count; i++)
        if (all->keys[i].first_time <= to && all->keys[i].last_time >= from)
            expected.keys[expected.count++] = all->keys[i];
    assert_int_equal(found.count, expected.count);
    for (size_t i = 0; i < found.count; i++) {
        assert_int_equal(by_place(&found.keys[i], &expected.keys[i]), 0);
        assert_true(found.keys[i].last_time == expected.keys[i].last_time);
    }
}

/* Chunks of all lengths; then also such that cover everything, and at the ends of time. */
static void entries_that_overlap(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    key_list all = {.count = 0};
    static const int64_t lengths[] = {0, 1, 10, 1000, 30000};
    for (int part = 0; part < 2; part++) {
        for (int i = 0; i < 80; i++) {
            int64_t from = (int64_t)random_below(100000);
            add_chunk(s, r, &all, from, from + lengths[random_below(ARRAY_LEN(lengths))]);
        }
        for (int turn = 0; turn < 200; turn++) {
            int64_t from = (int64_t)random_below(200000) - 50000;
            assert_overlaps(s, r, &all, from, from + (int64_t)random_below(3000));
        }
        assert_overlaps(s, r, &all, INT64_MIN, INT64_MAX);
        assert_overlaps(s, r, &all, INT64_MIN, INT64_MIN);
        assert_overlaps(s, r, &all, INT64_MAX, INT64_MAX);
        add_chunk(s, r, &all, INT64_MIN, 5);
        add_chunk(s, r, &all, 5, INT64_MAX);
        add_chunk(s, r, &all, INT64_MAX, INT64_MAX);
    }
    run_info_free(r);
}

/* ---- summaries of summaries ---- */

/* Puts a summary of level `level` over `count` entries of the level below, from number `from` on. */
static void put_summary(store *s, const run_info *r, uint32_t level, size_t from, size_t count)
{
    key_list below = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, level - 1, WHOLE, note_key, &below));
    assert_true(from + count <= below.count);
    chunk *c = chunk_new(0, 1);
    c->key = below.keys[from];
    c->key.level = level;
    c->key.rows = 0;
    for (size_t i = from; i < from + count; i++) {
        c->key.rows += below.keys[i].rows;
        if (below.keys[i].last_time > c->key.last_time) c->key.last_time = below.keys[i].last_time;
        if (below.keys[i].last_seq > c->key.last_seq) c->key.last_seq = below.keys[i].last_seq;
    }
    c->summaries[0] = (summary){c->key.rows, 0, 0, 0, 0, 0};
    put_chunk(s, r, c);
    chunk_free(c);
}

static int count_level(store *s, uint32_t run, uint32_t level)
{
    uuid id = sample_id(run);
    int count = 0;
    assert_ok(s, store_entries(s, &id, level, WHOLE, count_entry, &count));
    return count;
}

typedef struct {
    uint64_t rows;
    size_t entries, above;
    int64_t from, to, longest;
    chunk_key before;
} covered;

static bool add_covered(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    covered *c = ctx;
    assert_int_equal(count, 1);
    assert_int_equal(columns[0].count, key->rows);
    assert_true(key->first_time <= c->to && key->last_time >= c->from);
    if (key->level > 0) {
        c->above++;
        assert_true(key->first_time >= c->from && key->last_time <= c->to);
        assert_true(key->last_time - key->first_time <= c->longest);
    }
    if (c->entries++ > 0) assert_true(by_place(&c->before, key) < 0);
    c->before = *key;
    c->rows += key->rows;
    return true;
}

/* What the cover of a range has must be what the chunks have that overlap it. */
static covered assert_covered(store *s, const run_info *r, int64_t from, int64_t to, int64_t longest)
{
    covered c = {.from = from, .to = to, .longest = longest};
    assert_ok(s, store_cover(s, &r->id, from, to, longest, add_covered, &c));
    key_list chunks = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, from, to, note_key, &chunks));
    uint64_t rows = 0;
    for (size_t i = 0; i < chunks.count; i++) rows += chunks.keys[i].rows;
    assert_int_equal(c.rows, rows);
    return c;
}

/* 32 chunks, 100 long, that overlap their neighbours by 10; summaries over 4 each, of level 2 over 4 of those. */
static run_info *three_levels(store *s)
{
    run_info *r = sample_run(1);
    for (uint64_t i = 0; i < 32; i++) {
        chunk *c = chunk_between(i * 10, (int64_t)i * 90, (int64_t)i * 90 + 100);
        put_chunk(s, r, c);
        chunk_free(c);
    }
    for (size_t i = 0; i < 7; i++) put_summary(s, r, 1, i * 4, 4);
    put_summary(s, r, 2, 0, 4);
    return r;
}

static void a_cover_is_short_and_whole(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    covered c = assert_covered(s, r, WHOLE, INT64_MAX);
    assert_int_equal(c.entries, 1 + 3 + 4); /* level 2; level 1; what is not summarised yet */
    c = assert_covered(s, r, WHOLE, 500);
    assert_int_equal(c.entries, 7 + 4);
    c = assert_covered(s, r, WHOLE, 99);
    assert_int_equal(c.entries, 32);
    for (int turn = 0; turn < 500; turn++) {
        int64_t from = (int64_t)random_below(3500) - 200;
        assert_covered(s, r, from, from + (int64_t)random_below(2000), (int64_t)random_below(2000));
    }
    run_info_free(r);
}

static bool stop_at_zero(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)key, (void)columns, (void)count;
    int *left = ctx;
    assert_true(*left > 0); /* not called again after it said no */
    return --*left > 0;
}

static void reading_can_be_stopped(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    for (int most = 1; most <= 8; most++) {
        int left = most;
        assert_ok(s, store_cover(s, &r->id, WHOLE, INT64_MAX, stop_at_zero, &left));
        assert_int_equal(left, 0);
        left = most;
        assert_ok(s, store_entries(s, &r->id, 0, WHOLE, stop_at_zero, &left));
        assert_int_equal(left, 0);
    }
    run_info_free(r);
}

/* Late rows: the summaries in whose midst they lie go, no others. */
static void a_summary_never_lies(void **state)
{
    static const struct {
        int64_t at;
        int level1, level2; /* how many are left of 7 and 1 */
    } cases[] = {
        {100, 6, 0},         /* within the first of level 1, and so within that of level 2 */
        {4 * 90 - 1, 7, 0},  /* between two of level 1, within that of level 2             */
        {20 * 90 + 1, 6, 1}, /* within one of level 1 that nothing stands for yet          */
        {30 * 90 + 1, 7, 1}, /* among chunks that nothing stands for yet                   */
        {-5, 7, 1},          /* before everything                                          */
        {99999, 7, 1},       /* after everything                                           */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        store *s = ((stored_place *)*state)->s;
        run_info *r = three_levels(s);
        chunk *late = chunk_between(7001, cases[i].at, cases[i].at);
        put_chunk(s, r, late);
        assert_int_equal(count_level(s, 1, 1), cases[i].level1);
        assert_int_equal(count_level(s, 1, 2), cases[i].level2);
        for (int64_t longest = 0; longest < 3000; longest += 97) assert_covered(s, r, WHOLE, longest);
        chunk_free(late);
        run_info_free(r);
        close_stored_place(state);
        open_stored_place(state);
    }
}

/* A chunk came in among those that were summed up: with it there are as many rows, but not the same. */
static void a_summary_of_what_was_is_refused(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    key_list below = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, WHOLE, note_key, &below));
    chunk *sum = chunk_new(0, 1), *late = chunk_between(7001, 29 * 90 + 1, 29 * 90 + 1);
    sum->key = below.keys[28];
    sum->key.level = 1;
    for (size_t i = 29; i < 32; i++) {
        sum->key.rows += below.keys[i].rows;
        sum->key.last_time = below.keys[i].last_time;
        sum->key.last_seq = below.keys[i].last_seq;
    }
    sum->summaries[0] = (summary){sum->key.rows, 0, 0, 0, 0, 0};
    put_chunk(s, r, late);
    store_change change = {.info = r, .put = &sum, .put_count = 1};
    assert_int_equal(store_write(s, &change, 1), STORE_MISSING);
    assert_int_equal(count_level(s, 1, 1), 7);
    chunk_free(sum);
    chunk_free(late);
    run_info_free(r);
}

static void a_wrong_summary_is_refused(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    chunk *c = chunk_new(0, 1);
    c->key = (chunk_key){
        .first_time = 28 * 90, .first_seq = 280, .last_time = 3000, .last_seq = 311, .rows = 5, .level = 1};
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_int_equal(store_write(s, &change, 1), STORE_MISSING);
    assert_int_equal(count_level(s, 1, 1), 7);
    chunk_free(c);
    run_info_free(r);
}

/* Chunks replaced below summaries: those that stand for them go. */
static void replacing_removes_summaries(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    key_list all = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, WHOLE, note_key, &all));
    store_change change = {.info = r, .drop = &all.keys[5], .drop_count = 1};
    assert_ok(s, store_write(s, &change, 1));
    assert_int_equal(count_level(s, 1, 0), 31);
    assert_int_equal(count_level(s, 1, 1), 6);
    assert_int_equal(count_level(s, 1, 2), 0);
    assert_covered(s, r, WHOLE, INT64_MAX);
    run_info_free(r);
}

static void unmerged_runs_are_found(void **state)
{
    store *s = ((stored_place *)*state)->s;
    sample_put(s, 1, 0, 1024);
    for (uint64_t i = 0; i < 15; i++) sample_put(s, 2, i * 10, 10);
    int count = 0;
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 0);
    sample_put(s, 2, 150, 10);
    for (uint64_t i = 1; i < 64; i++) sample_put(s, 1, i * 1024, 1024);
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 2);

    /* A summary over run 1, and it is done with. */
    key_list below = {.count = 0};
    uuid id = sample_id(1);
    assert_ok(s, store_entries(s, &id, 0, WHOLE, note_key, &below));
    run_info *r = sample_run(1);
    chunk *c = chunk_new(0, 1);
    c->key = below.keys[0];
    c->key.level = 1;
    c->key.rows = 64 * 1024;
    c->key.last_time = below.keys[63].last_time;
    c->key.last_seq = below.keys[63].last_seq;
    put_chunk(s, r, c);
    count = 0;
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 1);
    chunk_free(c);
    run_info_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_that_overlap),        TEST(a_cover_is_short_and_whole),       TEST(reading_can_be_stopped),
        TEST(a_summary_never_lies),        TEST(a_summary_of_what_was_is_refused), TEST(a_wrong_summary_is_refused),
        TEST(replacing_removes_summaries), TEST(unmerged_runs_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
