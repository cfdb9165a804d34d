/* SPDX-License-Identifier: MIT OR Unlicense
   test_query_store: series and rows out of a real store, while rows come (some late, some with a clock that was set
   back) and chunks are merged and summarised. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 1
#include "random.h"

#include "../server/store/merge.h"
#include "../server/query/query.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store in a folder of its own ---- */

typedef struct {
    char folder[40];
    store *writer, *reader;
} files;

static files files_make(void)
{
    files f = {.folder = "/tmp/test_query.XXXXXX"};
    assert_non_null(mkdtemp(f.folder));
    buf url = {0}, why = {0};
    buf_printf(&url, "sqlite:%s/store.db", f.folder);
    f.writer = store_open(url.p, STORE_WRITE, &why);
    assert_non_null(f.writer);
    f.reader = store_open(url.p, STORE_READ, &why);
    assert_non_null(f.reader);
    buf_free(&url);
    return f;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static void files_remove(files *f)
{
    store_close(f->reader);
    store_close(f->writer);
    nftw(f->folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* ---- rows ---- */

#define COLUMNS 2 /* 0: a number; 1: often none */

typedef struct {
    int64_t time;
    uint64_t seq;
    double values[COLUMNS];
} row;

typedef struct {
    row *all;              /* in order of seq                    */
    size_t count, written; /* those before `written` are stored, but for … */
    row held[64];          /* … these, which come late           */
    size_t held_count;
    int64_t clock;
    run_info *info;
} world;

static run_info *info_make(void)
{
    static char text[] = "", name[] = "c";
    run_column columns[COLUMNS] = {{name, text, COLUMN_GAUGE}, {name, text, COLUMN_GAUGE}};
    run_info r = {
        .app = text, .host = text, .build = text, .args = text, .place = text, .note = text, .user_tags = text, .columns = columns};
    r.column_count = COLUMNS;
    r.id.b[0] = 7;
    return run_info_copy(&r);
}

static world world_make(size_t count)
{
    world w = {.count = count, .info = info_make()};
    w.all = mem_alloc(count * sizeof *w.all);
    for (size_t i = 0; i < count; i++) {
        w.clock += random_below(4) ? 1000 : 0;
        if (random_below(2000) == 0) w.clock -= 300000;
        w.all[i] = (row){w.clock, i, {(double)random_below(1000), random_below(2) ? NAN : (double)i}};
    }
    return w;
}

static void world_free(world *w)
{
    free(w->all);
    run_info_free(w->info);
}

static chunk *chunk_of(const row *rows, size_t count)
{
    batch_part p = {.rows = count, .columns = COLUMNS};
    p.time = mem_alloc(count * sizeof *p.time);
    p.seq = mem_alloc(count * sizeof *p.seq);
    p.values = mem_alloc(count * COLUMNS * sizeof *p.values);
    for (size_t i = 0; i < count; i++) {
        p.time[i] = rows[i].time;
        p.seq[i] = rows[i].seq;
        memcpy(p.values + i * COLUMNS, rows[i].values, sizeof rows[i].values);
    }
    chunk *c = chunk_from_part(&p, 0, count);
    free(p.time);
    free(p.seq);
    free(p.values);
    return c;
}

/* Takes the chunks. */
static void write_chunks(store *s, const world *w, chunk **chunks, size_t count)
{
    store_change change = {.info = w->info, .put = chunks, .put_count = count};
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    for (size_t i = 0; i < count; i++) chunk_free(chunks[i]);
}

static void write_rows(store *s, const world *w, const row *rows, size_t count)
{
    write_chunks(s, w, (chunk *[]){chunk_of(rows, count)}, 1);
}

/* Some rows, in one chunk; one of them may be held back, and those held back may come. */
static void write_some(store *s, world *w, size_t most)
{
    size_t n = 1 + random_below(most);
    if (n > w->count - w->written) n = w->count - w->written;
    if (n == 0) return;
    const row *rows = w->all + w->written;
    w->written += n;
    if (n > 1 && random_below(8) == 0 && w->held_count < ARRAY_LEN(w->held)) w->held[w->held_count++] = rows[--n];
    write_rows(s, w, rows, n);
    if (w->held_count && random_below(40) == 0) {
        write_rows(s, w, w->held, w->held_count);
        w->held_count = 0;
    }
}

/* ---- what must come out ---- */

static int by_time_and_seq(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static bool is_held(const world *w, uint64_t seq)
{
    for (size_t i = 0; i < w->held_count; i++)
        if (w->held[i].seq == seq) return true;
    return false;
}

static row *rows_between(const world *w, int64_t from, int64_t to, size_t *count)
{
    row *found = mem_alloc(w->count * sizeof *found);
    *count = 0;
    for (size_t i = 0; i < w->written; i++)
        if (w->all[i].time >= from && w->all[i].time <= to && !is_held(w, i)) found[(*count)++] = w->all[i];
    if (*count) qsort(found, *count, sizeof *found, by_time_and_seq);
    return found;
}

static void check_series(store *s, const world *w, int64_t from, int64_t to, size_t points)
{
    size_t count;
    row *rows = rows_between(w, from, to, &count);
    series out;
    series_request request = {.from = from, .to = to, .points = points};
    assert_int_equal(query_series(s, w->info, &request, &out), STORE_OK);
    assert_true(out.points <= points);
    assert_int_equal(out.exact, count <= points);
    uint64_t total = 0;
    double sum = 0, wanted = 0, max = -1, wanted_max = -1;
    for (size_t i = 0; i < out.points; i++) {
        total += out.rows[i];
        sum += out.values[0].mean[i] * (double)out.rows[i];
        max = fmax(max, out.values[1].max[i]);
        if (i && !out.exact) assert_true(out.time[i] > out.time[i - 1]);
    }
    for (size_t i = 0; i < count; i++) {
        wanted += rows[i].values[0];
        wanted_max = fmax(wanted_max, rows[i].values[1]);
    }
    assert_int_equal(total, count);
    assert_true(fabs(sum - wanted) <= 1e-9 * wanted);
    assert_true(max == wanted_max);
    series_free(&out);
    free(rows);
}

/* Merges between two calls, if asked to. */
static void check_rows(files *f, const world *w, int64_t from, int64_t to, bool merging)
{
    size_t count, at = 0;
    row *rows = rows_between(w, from, to, &count);
    query_cursor cursor = {0};
    for (chunk *c;; chunk_free(c)) {
        assert_int_equal(query_rows(f->reader, &w->info->id, from, to, &cursor, &c), STORE_OK);
        if (!c) break;
        for (size_t i = 0; i < c->rows; i++, at++) {
            assert_true(at < count && c->time[i] == rows[at].time && c->seq[i] == rows[at].seq);
            assert_true(c->values[0][i] == rows[at].values[0]);
        }
        bool more;
        if (merging) assert_int_equal(merge_run(f->writer, &w->info->id, &more), STORE_OK);
    }
    assert_int_equal(at, count);
    free(rows);
}

static void check_all(files *f, const world *w)
{
    static const size_t POINTS[] = {1, 3, 50, 1200, 20000};
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        int64_t a = w->all[random_below(w->written)].time, b = w->all[random_below(w->written)].time;
        check_series(f->reader, w, INT64_MIN, INT64_MAX, POINTS[i]);
        check_series(f->reader, w, a < b ? a : b, a < b ? b : a, POINTS[i]);
    }
    check_rows(f, w, INT64_MIN, INT64_MAX, false);
}

static void merge_all(store *s, const world *w)
{
    for (bool more = true; more;) assert_int_equal(merge_run(s, &w->info->id, &more), STORE_OK);
}

static void while_rows_come_and_chunks_merge(void **state)
{
    (void)state;
    static const struct {
        size_t rows, most; /* in all; in a chunk at most */
    } runs[] = {{800, 3}, {4000, 40}, {30000, 700}};
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        random_state = (i + 1) * 7919;
        files f = files_make();
        world w = world_make(runs[i].rows);
        size_t next_check = 500;
        while (w.written < w.count) {
            write_some(f.writer, &w, runs[i].most);
            bool more;
            if (random_below(20) == 0) assert_int_equal(merge_run(f.writer, &w.info->id, &more), STORE_OK);
            if (w.written < next_check) continue;
            next_check += runs[i].rows / 4;
            check_all(&f, &w);
        }
        check_rows(&f, &w, w.all[w.count / 3].time, w.all[w.count / 2].time, false);
        check_rows(&f, &w, INT64_MIN, INT64_MAX, true);
        merge_all(f.writer, &w);
        check_all(&f, &w);
        world_free(&w);
        files_remove(&f);
    }
}

static bool note_level(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns, (void)count;
    uint32_t *highest = ctx;
    if (key->level > *highest) *highest = key->level;
    return true;
}

static uint32_t highest_level(store *s, const world *w)
{
    uint32_t highest = 0;
    assert_int_equal(store_cover(s, &w->info->id, INT64_MIN, INT64_MAX, INT64_MAX, note_level, &highest), STORE_OK);
    return highest;
}

/* Chunks that need no merging, one row of some held back. */
static void write_large_chunks(store *s, world *w)
{
    chunk *chunks[MERGE_FANOUT];
    size_t waiting = 0;
    while (w->written < w->count) {
        size_t n = STORE_SMALL < w->count - w->written ? STORE_SMALL : w->count - w->written;
        const row *rows = w->all + w->written;
        w->written += n;
        if (n > 1 && w->held_count < ARRAY_LEN(w->held) && random_below(20) == 0) {
            w->held[w->held_count++] = rows[n / 2];
            chunks[waiting++] = chunk_of(rows, n / 2);
            rows += n / 2 + 1;
            n -= n / 2 + 1;
        }
        if (n) chunks[waiting++] = chunk_of(rows, n);
        if (waiting < MERGE_FANOUT - 1) continue;
        write_chunks(s, w, chunks, waiting);
        waiting = 0;
    }
    if (waiting) write_chunks(s, w, chunks, waiting);
}

static void through_summaries_of_summaries(void **state)
{
    (void)state;
    random_state = 99;
    files f = files_make();
    world w = world_make((MERGE_FANOUT * MERGE_FANOUT + 100) * STORE_SMALL);
    int64_t third = w.all[w.count / 3].time;
    write_large_chunks(f.writer, &w);
    merge_all(f.writer, &w);
    assert_true(highest_level(f.reader, &w) >= 2);
    check_series(f.reader, &w, INT64_MIN, INT64_MAX, 1200);
    while (w.held_count) { /* they make holes in the summaries */
        w.held_count--;
        write_rows(f.writer, &w, &w.held[w.held_count], 1);
        if (w.held_count == 30) check_series(f.reader, &w, third, INT64_MAX, 100);
    }
    check_series(f.reader, &w, third, INT64_MAX, 5000);
    merge_all(f.writer, &w);
    check_series(f.reader, &w, INT64_MIN, third, 3);
    check_rows(&f, &w, INT64_MIN, INT64_MAX, false);
    world_free(&w);
    files_remove(&f);
}

static void a_run_that_is_not_there_is_missing(void **state)
{
    (void)state;
    files f = files_make();
    world w = world_make(1);
    series out;
    series_request request = {.from = 0, .to = 1, .points = 1};
    assert_int_equal(query_series(f.reader, w.info, &request, &out), STORE_MISSING);
    chunk *c;
    assert_int_equal(query_rows(f.reader, &w.info->id, 0, 1, &(query_cursor){0}, &c), STORE_MISSING);
    assert_null(c);
    world_free(&w);
    files_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_rows_come_and_chunks_merge),
        cmocka_unit_test(through_summaries_of_summaries),
        cmocka_unit_test(a_run_that_is_not_there_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
