/* SPDX-License-Identifier: MIT OR Unlicense
   test_merge: small chunks become full ones, full ones get summaries; no row is lost or doubled, no summary lies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"

#include "../server/store/merge.h"
#include "../server/store/store_kind.h"

/* Calls until nothing is left to do; how many calls? */
static int merge_all(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    int calls = 0;
    bool more = true;
    for (; more; calls++)
        if (merge_run(s, &id, &more) != STORE_OK) fail_msg("%s", store_error(s));
    return calls;
}

/* ---- what the store then has ---- */

typedef struct {
    chunk_key keys[20000];
    size_t count;
    summary sums[SAMPLE_COLUMNS];
} outline;

static bool note(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    outline *o = ctx;
    assert_int_equal(count, SAMPLE_COLUMNS);
    assert_true(o->count < ARRAY_LEN(o->keys));
    o->keys[o->count++] = *key;
    for (size_t i = 0; i < count; i++) summary_merge(&o->sums[i], &columns[i]);
    return true;
}

static outline *outline_of(store *s, uint32_t run, int64_t longest)
{
    outline *o = mem_alloc(sizeof *o);
    o->count = 0;
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++) summary_clear(&o->sums[i]);
    uuid id = sample_id(run);
    assert_int_equal(store_cover(s, &id, INT64_MIN, INT64_MAX, longest, note, o), STORE_OK);
    return o;
}

static size_t count_level(const outline *o, uint32_t level)
{
    size_t n = 0;
    for (size_t i = 0; i < o->count; i++) n += o->keys[i].level == level;
    return n;
}

static void add_sums(void *ctx, size_t entry, span sums)
{
    (void)entry;
    assert_true(histogram_set_add(ctx, sums, SAMPLE_COLUMNS));
}

/* The histograms of all entries together, as bytes. */
static buf sums_of(store *s, uint32_t run, const outline *o)
{
    uuid id = sample_id(run);
    histogram_set all = {0};
    assert_int_equal(store_sums(s, &id, o->keys, o->count, add_sums, &all), STORE_OK);
    buf out = {0};
    histogram_set_write(&all, &out);
    histogram_set_free(&all);
    return out;
}

static buf expected_sums(size_t rows)
{
    histogram_set all = {0};
    buf bytes = {0}, out = {0};
    for (uint64_t seq = 0; seq < rows; seq++) {
        bytes.n = 0;
        sample_histograms(seq, &bytes);
        assert_true(histogram_set_add(&all, (span){bytes.p, bytes.n}, SAMPLE_COLUMNS));
    }
    histogram_set_write(&all, &out);
    histogram_set_free(&all);
    buf_free(&bytes);
    return out;
}

/* The rows are those of the sample; whatever cover is asked for, its summaries and histograms are the rows'. */
static void assert_right(store *s, uint32_t run, size_t rows)
{
    assert_held(s, run, rows);
    summary expected[SAMPLE_COLUMNS];
    for (size_t c = 0; c < SAMPLE_COLUMNS; c++) {
        summary_clear(&expected[c]);
        for (uint64_t seq = 0; seq < rows; seq++) summary_add(&expected[c], sample_value(seq, c));
    }
    buf histograms = expected_sums(rows);
    for (int64_t longest = INT64_MAX; longest > NS_PER_MS; longest /= 7) {
        outline *o = outline_of(s, run, longest);
        buf sums = sums_of(s, run, o);
        assert_true(span_eq((span){sums.p, sums.n}, (span){histograms.p, histograms.n}));
        buf_free(&sums);
        uint64_t sum = 0;
        for (size_t i = 0; i < o->count; i++) sum += o->keys[i].rows;
        assert_int_equal(sum, rows);
        for (size_t c = 0; c < SAMPLE_COLUMNS; c++) {
            assert_int_equal(o->sums[c].count, expected[c].count);
            assert_true(o->sums[c].min == expected[c].min && o->sums[c].max == expected[c].max);
            assert_true(o->sums[c].sum == expected[c].sum); /* quarters: no rounding */
        }
        free(o);
    }
    buf_free(&histograms);
}

static size_t count_chunks(store *s, uint32_t run)
{
    outline *o = outline_of(s, run, 0);
    size_t n = o->count;
    free(o);
    return n;
}

/* ---- tests ---- */

static void nothing_to_do(void **state)
{
    store *s = ((stored_place *)*state)->s;
    uuid nobody = sample_id(9);
    bool more = true;
    assert_int_equal(merge_run(s, &nobody, &more), STORE_MISSING);
    assert_false(more);
    sample_put(s, 1, 0, 1024);
    sample_put(s, 1, 1024, 3);
    assert_int_equal(merge_all(s, 1), 1);
    assert_int_equal(assert_held(s, 1, 1027), 2);
}

/* One row a chunk, merged as the writer does it. */
static void a_slow_run(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint64_t seq = 0; seq < 2500; seq++) {
        sample_put(s, 1, seq, 1);
        if (seq % 16 == 15) merge_all(s, 1);
    }
    merge_all(s, 1);
    assert_right(s, 1, 2500);
    assert_true(count_chunks(s, 1) <= 2 + 3 + 15 + 15);
}

/* Chunks of a few hundred rows, too big for 16 to fit into one. */
static void a_brisk_run(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint64_t i = 0; i < 100; i++) sample_put(s, 1, i * 300, 300);
    merge_all(s, 1);
    assert_right(s, 1, 30000);
    assert_true(count_chunks(s, 1) <= 34 + 3);
}

static void full_chunks_get_summaries(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint64_t i = 0; i < 2 * MERGE_FANOUT + 10; i++) sample_put(s, 1, i * 600, 600);
    merge_all(s, 1);
    assert_right(s, 1, (2 * MERGE_FANOUT + 10) * 600);
    outline *o = outline_of(s, 1, INT64_MAX);
    assert_int_equal(count_level(o, 1), 2);
    assert_int_equal(count_level(o, 0), 10);
    free(o);
}

/* 65 × 64 chunks, more than one call merges. */
static void summaries_get_summaries(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    chunk *chunks[64];
    store_change change = {.info = r, .put = chunks, .put_count = 64};
    for (uint64_t group = 0; group < 65; group++) {
        for (size_t i = 0; i < 64; i++) chunks[i] = sample_chunk((group * 64 + i) * 512, 512);
        assert_int_equal(store_write(s, &change, 1), STORE_OK);
        for (size_t i = 0; i < 64; i++) chunk_free(chunks[i]);
    }
    run_info_free(r);
    assert_true(merge_all(s, 1) >= 66 / 8); /* a call does not do all at once */
    outline *o = outline_of(s, 1, INT64_MAX);
    assert_int_equal(o->count, 2);
    assert_int_equal(count_level(o, 2), 1);
    assert_int_equal(count_level(o, 1), 1);
    free(o);
    assert_right(s, 1, 65 * 64 * 512);
}

/* Every tenth chunk comes when all others are there and summarised. */
static void late_rows(void **state)
{
    store *s = ((stored_place *)*state)->s;
    const uint64_t chunks = 200;
    for (uint64_t i = 0; i < chunks; i++)
        if (i % 10 != 5) sample_put(s, 1, i * 600, 600);
    merge_all(s, 1);
    outline *o = outline_of(s, 1, INT64_MAX);
    assert_int_equal(count_level(o, 1), 2);
    free(o);
    for (uint64_t i = 5; i < chunks; i += 10) {
        for (uint64_t part = 0; part < 600; part += 50) sample_put(s, 1, i * 600 + part, 50);
        if (i % 3 == 0) merge_all(s, 1);
    }
    merge_all(s, 1);
    assert_right(s, 1, chunks * 600);
    o = outline_of(s, 1, INT64_MAX);
    assert_true(count_level(o, 1) >= 2);
    assert_true(count_level(o, 0) <= MERGE_FANOUT);
    free(o);
}

/* The same rows in two chunks, as a resend after a crash may bring them: once they are merged, there is one. */
static void doubled_rows(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint64_t at = 0; at < 320; at += 20) sample_put(s, 1, at, 20);
    sample_put(s, 1, 50, 3); /* 50 … 52 are in 40 … 59 */
    merge_all(s, 1);
    run_info *r;
    uuid id = sample_id(1);
    assert_int_equal(store_run(s, &id, &r), STORE_OK);
    held h = held_read(s, 1, 320);
    assert_int_equal(h.wrong, 0);
    size_t rows = 0;
    for (size_t i = 0; i < 320; i++) rows += h.times[i];
    assert_int_equal(r->rows, rows); /* what is counted is what is there */
    free(h.times);
    run_info_free(r);
}

static uint64_t dice(uint64_t *state, uint64_t n) /* xorshift64: 0 … n-1 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % n;
}

/* Pieces of random size, a third of them late, merging at random moments. */
static void write_at_random(store *s, uint64_t seed, size_t rows)
{
    typedef struct {
        uint64_t first;
        size_t count;
    } piece;
    static piece held_back[20000];
    size_t held_count = 0;
    static const size_t sizes[] = {1, 3, 20, 200, 700, 1024};
    for (uint64_t at = 0; at < rows;) {
        size_t n = 1 + dice(&seed, sizes[dice(&seed, ARRAY_LEN(sizes))]);
        if (n > rows - at) n = rows - at;
        if (dice(&seed, 3) == 0)
            held_back[held_count++] = (piece){at, n};
        else
            sample_put(s, 1, at, n);
        at += n;
        while (held_count > 0 && dice(&seed, 6) == 0) {
            size_t pick = dice(&seed, held_count);
            sample_put(s, 1, held_back[pick].first, held_back[pick].count);
            held_back[pick] = held_back[--held_count];
        }
        if (dice(&seed, 20) == 0) merge_all(s, 1);
    }
    while (held_count > 0) {
        held_count--;
        sample_put(s, 1, held_back[held_count].first, held_back[held_count].count);
    }
    merge_all(s, 1);
}

static void at_random(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        store *s = ((stored_place *)*state)->s;
        write_at_random(s, seed * UINT64_C(0x9e3779b97f4a7c15), 60000);
        assert_right(s, 1, 60000);
        close_stored_place(state);
        open_stored_place(state);
    }
}

/* ---- two servers ---- */

/* A store in front of another, at which a second server merges the same run just before each write of the first. */
typedef struct {
    store base;
    store *behind;
    uint64_t dice;
    int refused;
} rival;

static store_status rival_write(store *base, const store_change *changes, size_t count)
{
    rival *r = (rival *)base;
    bool more;
    if (dice(&r->dice, 3) == 0) assert_int_equal(merge_run(r->behind, &changes->info->id, &more), STORE_OK);
    store_status status = store_write(r->behind, changes, count);
    r->refused += status == STORE_MISSING;
    return status;
}

static store_status rival_run(store *base, const uuid *id, run_info **out)
{
    return store_run(((rival *)base)->behind, id, out);
}

static store_status rival_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest,
                                store_entry_fn each, void *ctx)
{
    return store_cover(((rival *)base)->behind, id, from, to, longest, each, ctx);
}

static store_status rival_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns,
                                size_t count, chunk **out)
{
    return store_chunk(((rival *)base)->behind, id, key, columns, count, out);
}

static store_status rival_sums(store *base, const uuid *id, const chunk_key *keys, size_t count, store_sums_fn each,
                               void *ctx)
{
    return store_sums(((rival *)base)->behind, id, keys, count, each, ctx);
}

static void another_server_merges_too(void **state)
{
    static const store_kind kind = {
        .write = rival_write, .run = rival_run, .cover = rival_cover, .chunk = rival_chunk, .sums = rival_sums};
    store *s = ((stored_place *)*state)->s;
    rival r = {.base = {.kind = &kind}, .behind = s, .dice = 5};
    size_t rows = 0;
    for (int turn = 0; turn < 40; turn++) {
        for (int i = 0; i < 20; i++) {
            size_t n = 1 + dice(&r.dice, turn % 2 ? 900 : 30);
            sample_put(s, 1, rows, n);
            rows += n;
        }
        merge_all(&r.base, 1);
    }
    assert_true(r.refused > 0);
    merge_all(s, 1);
    assert_right(s, 1, rows);
    outline *o = outline_of(s, 1, INT64_MAX);
    assert_true(count_level(o, 1) > 0 && o->count < 100);
    free(o);
}

static void the_same_each_time(void **state)
{
    store *s = ((stored_place *)*state)->s;
    write_at_random(s, 99, 30000);
    place *other = place_new();
    store *t = sample_open(other->url, STORE_WRITE);
    write_at_random(t, 99, 30000);
    static const int64_t longest[] = {0, INT64_MAX};
    for (size_t turn = 0; turn < ARRAY_LEN(longest); turn++) {
        outline *a = outline_of(s, 1, longest[turn]), *b = outline_of(t, 1, longest[turn]);
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
            assert_int_equal(a->keys[i].level, b->keys[i].level);
            assert_int_equal(a->keys[i].first_seq, b->keys[i].first_seq);
            assert_int_equal(a->keys[i].rows, b->keys[i].rows);
        }
        free(a);
        free(b);
    }
    store_close(t);
    place_free(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stored_place, close_stored_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_do),
        TEST(a_slow_run),
        TEST(a_brisk_run),
        TEST(full_chunks_get_summaries),
        TEST(summaries_get_summaries),
        TEST(late_rows),
        TEST(doubled_rows),
        TEST(at_random),
        TEST(the_same_each_time),
        TEST(another_server_merges_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
