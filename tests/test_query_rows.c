/* SPDX-License-Identifier: MIT OR Unlicense
   test_query_rows: every row once and in order, however they lie in chunks that are merged meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "query_world.h"

/* Two neighbouring level-0 entries become one, as the writer does it between two calls. */
static void merge_two(world *w)
{
    size_t at[2], n = 0, skip = random_below(w->store.count);
    for (size_t i = 0; i < w->store.count && n < 2; i++) {
        size_t k = (i + skip) % w->store.count;
        if (w->store.entries[k].c->key.level == 0) at[n++] = k;
    }
    if (n < 2) return;
    chunk *parts[] = {w->store.entries[at[0]].c, w->store.entries[at[1]].c}, *whole = chunk_merge(parts, 2);
    if (whole->rows > CHUNK_MAX_ROWS) {
        chunk_free(whole);
        return;
    }
    chunk_free(parts[0]);
    chunk_free(parts[1]);
    w->store.entries[at[0]].c = whole;
    w->store.entries[at[1]] = w->store.entries[--w->store.count];
}

static void read_all(world *w, int64_t from, int64_t to, bool merging)
{
    size_t count, at = 0;
    row *rows = rows_between(w, from, to, &count);
    query_cursor cursor = {0};
    for (;;) {
        chunk *c;
        assert_int_equal(query_rows(&w->store, &w->info.id, from, to, &cursor, &c), STORE_OK);
        if (!c) break;
        assert_in_range(c->rows, 1, 5 * CHUNK_ROWS);
        assert_true(at + c->rows <= count);
        for (size_t i = 0; i < c->rows; i++, at++) {
            assert_int_equal(c->time[i], rows[at].time);
            assert_int_equal(c->seq[i], rows[at].seq);
            for (size_t col = 0; col < COLUMNS; col++)
                assert_true(same(col < c->columns ? c->values[col][i] : NAN, rows[at].values[col]));
        }
        chunk_free(c);
        if (merging && w->store.count) merge_two(w);
    }
    assert_int_equal(at, count);
    free(rows);
}

static void every_row_comes_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_state = seed * 1299709;
        world w = {0};
        make_rows(&w, random_below(6000), (time_mode)(seed % TIME_MODES));
        lay_chunks(&w, 1 + random_below(seed % 3 ? 1500 : 50), seed % 2);
        read_all(&w, INT64_MIN, INT64_MAX, false);
        if (w.count) {
            int64_t from = w.rows[random_below(w.count)].time, to = w.rows[random_below(w.count)].time;
            read_all(&w, from, to, false);
            read_all(&w, from, from, false);
        }
        read_all(&w, INT64_MIN, INT64_MAX, true);
        world_free(&w);
    }
}

/* The worst case: each chunk spans the whole run. */
static void rows_of_chunks_that_all_overlap(void **state)
{
    (void)state;
    random_state = 11;
    enum { CHUNKS = 12, LENGTH = 1000 };
    world w = {0};
    make_rows(&w, CHUNKS * LENGTH, GRID);
    w.joined = 0;
    row *piece = mem_alloc(LENGTH * sizeof *piece);
    for (size_t c = 0; c < CHUNKS; c++) {
        for (size_t i = 0; i < LENGTH; i++) piece[i] = w.rows[i * CHUNKS + c];
        add_rows(&w, piece, LENGTH, true);
    }
    free(piece);
    read_all(&w, INT64_MIN, INT64_MAX, false);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_once_and_in_order),
        cmocka_unit_test(rows_of_chunks_that_all_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
