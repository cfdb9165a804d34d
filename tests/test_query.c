/* SPDX-License-Identifier: MIT OR Unlicense
   test_query: series and rows against a plain count of the same rows, however they lie in chunks and summaries. The
   store here is one in memory, which holds overlaps, holes and late chunks as the test wants them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 1
#include "random.h"

#include "../server/query/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store in memory ---- */

typedef struct {
    chunk *c;      /* of level > 0: no rows                      */
    size_t parent; /* index of the entry that stands for this    */
} entry;

#define NO_PARENT SIZE_MAX

struct store {
    entry *entries;
    size_t count;
    run_event *events;
    size_t event_count;
    bool snapshot;
    size_t chunks_read;
    size_t fail_at; /* the store_chunk() call that fails; 0: none */
};

static int by_key(const void *a, const void *b)
{
    const chunk_key *x = &(*(chunk *const *)a)->key, *y = &(*(chunk *const *)b)->key;
    if (x->first_time != y->first_time) return x->first_time < y->first_time ? -1 : 1;
    return (x->first_seq > y->first_seq) - (x->first_seq < y->first_seq);
}

static bool overlaps(const chunk_key *k, int64_t from, int64_t to)
{
    return k->first_time <= to && k->last_time >= from;
}

static store_status give(chunk **found, size_t count, store_entry_fn each, void *ctx)
{
    if (count) qsort(found, count, sizeof *found, by_key);
    for (size_t i = 0; i < count; i++) {
        /* A copy that is gone after the call. */
        summary *columns = mem_alloc(found[i]->columns * sizeof *columns);
        if (found[i]->columns) memcpy(columns, found[i]->summaries, found[i]->columns * sizeof *columns);
        bool on = each(ctx, &found[i]->key, columns, found[i]->columns);
        free(columns);
        if (!on) break;
    }
    free(found);
    return STORE_OK;
}

store_status store_entries(store *s, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                           void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    chunk **found = mem_alloc(s->count * sizeof *found);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].c->key.level == level && overlaps(&s->entries[i].c->key, from, to))
            found[n++] = s->entries[i].c;
    return give(found, n, each, ctx);
}

/* Whether a cover may take the entry itself. */
static bool fits(const chunk_key *k, int64_t from, int64_t to, int64_t longest)
{
    return k->level == 0 || (k->first_time >= from && k->last_time <= to && k->last_time - k->first_time <= longest);
}

store_status store_cover(store *s, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                         void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    chunk **found = mem_alloc(s->count * sizeof *found);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const chunk_key *k = &s->entries[i].c->key;
        bool covered = false;
        for (size_t p = s->entries[i].parent; p != NO_PARENT; p = s->entries[p].parent)
            covered |= fits(&s->entries[p].c->key, from, to, longest);
        if (!covered && overlaps(k, from, to) && fits(k, from, to, longest)) found[n++] = s->entries[i].c;
    }
    return give(found, n, each, ctx);
}

store_status store_chunk(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                         chunk **out)
{
    (void)id;
    assert_true(s->snapshot);
    if (++s->chunks_read == s->fail_at) return STORE_FAILED;
    for (size_t i = 0; i < s->count; i++) {
        const chunk *c = s->entries[i].c;
        if (c->key.level != 0 || c->key.first_time != key->first_time || c->key.first_seq != key->first_seq) continue;
        buf bytes = {0};
        chunk_encode(c, &bytes);
        *out = chunk_decode((span){bytes.p, bytes.n}, columns, count);
        assert_non_null(*out);
        (*out)->key = c->key;
        buf_free(&bytes);
        return STORE_OK;
    }
    return STORE_MISSING;
}

/* Its runs have no histograms; test_distribution has. */
store_status store_sums(store *s, const uuid *id, const chunk_key *keys, size_t count, store_sums_fn each, void *ctx)
{
    (void)id, (void)keys, (void)count, (void)each, (void)ctx;
    assert_true(s->snapshot);
    return STORE_OK;
}

store_status store_events(store *s, const uuid *id, int64_t from, int64_t to,
                          bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    for (size_t i = 0; i < s->event_count; i++)
        if (s->events[i].time <= to && s->events[i].until >= from && !each(ctx, &s->events[i])) break;
    return STORE_OK;
}

store_status store_snapshot_begin(store *s)
{
    assert_false(s->snapshot);
    s->snapshot = true;
    return STORE_OK;
}

void store_snapshot_end(store *s)
{
    assert_true(s->snapshot);
    s->snapshot = false;
}

static size_t store_add(store *s, chunk *c)
{
    s->entries = mem_resize(s->entries, s->count + 1, sizeof *s->entries);
    s->entries[s->count] = (entry){c, NO_PARENT};
    return s->count++;
}

static void store_clear(store *s)
{
    for (size_t i = 0; i < s->count; i++) chunk_free(s->entries[i].c);
    free(s->entries);
    *s = (store){0};
}

/* ---- a run's rows, and how they lie ---- */

#define COLUMNS 4 /* 0: never without a value; 1: often without; 2: never with; 3: joins in the middle */

typedef struct {
    int64_t time;
    uint64_t seq;
    double values[COLUMNS];
} row;

typedef struct {
    row *rows;
    size_t count, joined; /* the first row that has column 3 */
    store store;
    run_column columns[COLUMNS];
    run_info info;
} world;

typedef enum { GRID, JITTER, EQUAL_TIMES, BURSTS, STEPS_BACK, TIME_MODES } time_mode;

static int64_t next_time(time_mode mode, int64_t t)
{
    switch (mode) {
    case GRID: return t + 1000;
    case JITTER: return t + 500 + (int64_t)random_below(1000);
    case EQUAL_TIMES: return t + (random_below(5) ? 0 : 3000);
    case BURSTS: return t + (random_below(200) ? 10 : 1000000);
    case STEPS_BACK:
    case TIME_MODES: break;
    }
    return random_below(100) ? t + 1000 : t - (int64_t)random_below(300000);
}

static void make_rows(world *w, size_t count, time_mode mode)
{
    w->count = count;
    w->joined = random_below(count + 1);
    w->rows = mem_alloc(count * sizeof *w->rows);
    int64_t t = (int64_t)random_below(1000000) - 500000;
    uint64_t seq = random_below(1000);
    for (size_t i = 0; i < count; i++) {
        row *r = &w->rows[i];
        *r = (row){t, seq, {(double)random_below(100000), NAN, NAN, NAN}};
        if (random_below(3)) r->values[1] = (double)random_below(1000) - 500;
        if (i >= w->joined) r->values[3] = (double)i;
        t = next_time(mode, t);
        seq += random_below(20) ? 1 : 1 + random_below(5);
    }
}

static void add_rows(world *w, const row *rows, size_t count, bool wide)
{
    size_t columns = wide ? COLUMNS : COLUMNS - 1;
    batch_part p = {.rows = count, .columns = columns};
    p.time = mem_alloc(count * sizeof *p.time);
    p.seq = mem_alloc(count * sizeof *p.seq);
    p.values = mem_alloc(count * columns * sizeof *p.values);
    for (size_t i = 0; i < count; i++) {
        p.time[i] = rows[i].time;
        p.seq[i] = rows[i].seq;
        memcpy(p.values + i * columns, rows[i].values, columns * sizeof *p.values);
    }
    store_add(&w->store, chunk_from_part(&p, 0, count));
    free(p.time);
    free(p.seq);
    free(p.values);
}

/* Pieces of random length in order of seq; if `late`, of a piece some rows come by themselves. */
static void lay_chunks(world *w, size_t longest, bool late)
{
    row *held = mem_alloc(w->count * sizeof *held), *piece = mem_alloc(w->count * sizeof *piece);
    for (size_t i = 0; i < w->count;) {
        size_t n = 1 + random_below(longest), kept = 0, left = 0;
        bool wide = i >= w->joined;
        if (n > w->count - i) n = w->count - i;
        if (!wide && n > w->joined - i) n = w->joined - i;
        for (size_t k = i; k < i + n; k++) {
            if (late && random_below(4) == 0)
                held[left++] = w->rows[k];
            else
                piece[kept++] = w->rows[k];
        }
        if (kept) add_rows(w, piece, kept, wide);
        if (left) add_rows(w, held, left, wide);
        i += n;
    }
    free(held);
    free(piece);
}

/* One entry a level above for entries `members`, by the order of their keys. */
static void sum_up(world *w, const size_t *members, size_t count)
{
    size_t columns = 0;
    for (size_t i = 0; i < count; i++)
        if (w->store.entries[members[i]].c->columns > columns) columns = w->store.entries[members[i]].c->columns;
    chunk *sum = chunk_new(0, columns);
    sum->key = w->store.entries[members[0]].c->key;
    sum->key.level++;
    sum->key.rows = 0;
    size_t parent = store_add(&w->store, sum);
    for (size_t i = 0; i < count; i++) {
        entry *e = &w->store.entries[members[i]];
        e->parent = parent;
        if (e->c->key.first_seq < sum->key.first_seq) sum->key.first_seq = e->c->key.first_seq;
        if (e->c->key.last_seq > sum->key.last_seq) sum->key.last_seq = e->c->key.last_seq;
        if (e->c->key.last_time > sum->key.last_time) sum->key.last_time = e->c->key.last_time;
        sum->key.rows += e->c->key.rows;
        for (size_t col = 0; col < e->c->columns; col++) summary_merge(&sum->summaries[col], &e->c->summaries[col]);
    }
}

typedef struct {
    chunk *c;
    size_t index;
} keyed;

/* Groups of neighbours of a level get an entry above: the newest have none, and with `holes` others have none either
   (then an entry further up may stand for what lies before and behind a hole, and overlap what lies in it). */
static void lay_level(world *w, uint32_t level, size_t longest, bool holes)
{
    keyed *all = mem_alloc(w->store.count * sizeof *all);
    size_t *members = mem_alloc(longest * sizeof *members), count = 0;
    for (size_t i = 0; i < w->store.count; i++)
        if (w->store.entries[i].c->key.level == level) all[count++] = (keyed){w->store.entries[i].c, i};
    if (count) qsort(all, count, sizeof *all, by_key);
    size_t newest = random_below(count);
    for (size_t i = 0; i < count;) {
        size_t n = 1 + random_below(longest);
        if (n > count - i) n = count - i;
        for (size_t k = 0; k < n; k++) members[k] = all[i + k].index;
        if (holes ? random_below(3) > 0 : i + n <= newest) sum_up(w, members, n);
        i += n;
    }
    free(members);
    free(all);
}

static void name_columns(world *w)
{
    static char name[] = "c", unit[] = "";
    for (size_t i = 0; i < COLUMNS; i++) w->columns[i] = (run_column){name, unit, COLUMN_GAUGE};
    w->info.columns = w->columns;
    w->info.column_count = COLUMNS;
}

static void world_make(world *w, size_t rows, time_mode mode, bool late)
{
    *w = (world){0};
    make_rows(w, rows, mode);
    lay_chunks(w, 1 + random_below(300), late);
    uint32_t levels = (uint32_t)random_below(4);
    for (uint32_t level = 0; level < levels; level++) lay_level(w, level, 8, late);
    name_columns(w);
}

static void world_free(world *w)
{
    store_clear(&w->store);
    free(w->rows);
}

/* ---- what must come out ---- */

static int by_time_and_seq(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static row *rows_between(const world *w, int64_t from, int64_t to, size_t *count)
{
    row *found = mem_alloc(w->count * sizeof *found);
    *count = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->rows[i].time >= from && w->rows[i].time <= to) found[(*count)++] = w->rows[i];
    if (*count) qsort(found, *count, sizeof *found, by_time_and_seq);
    return found;
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* A point against the rows it stands for. */
static void check_point(const series *s, size_t point, const row *rows)
{
    size_t n = s->rows[point];
    for (size_t col = 0; col < s->column_count; col++) {
        double sum = 0, min = NAN, max = NAN;
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            double v = rows[i].values[s->columns[col]];
            if (isnan(v)) continue;
            sum += v;
            if (count == 0 || v < min) min = v;
            if (count == 0 || v > max) max = v;
            count++;
        }
        assert_true(same(s->values[col].min[point], min));
        assert_true(same(s->values[col].max[point], max));
        /* Integers below 2^53: sums are exact in any order. */
        assert_true(same(s->values[col].mean[point], count ? sum / (double)count : NAN));
    }
}

static void check_times(const series *s)
{
    for (size_t i = 1; i < s->points; i++)
        assert_true(s->exact ? s->time[i] >= s->time[i - 1] : s->time[i] > s->time[i - 1]);
}

/* All rows once, and the first column's sum, least and greatest as a whole. */
static void check_totals(const series *s, const row *rows, size_t count)
{
    uint64_t total = 0;
    double sum = 0, min = INFINITY, max = -INFINITY, want_sum = 0, want_min = INFINITY, want_max = -INFINITY;
    for (size_t i = 0; i < s->points; i++) {
        assert_true(s->rows[i] > 0);
        total += s->rows[i];
        sum += s->values[0].mean[i] * (double)s->rows[i];
        min = fmin(min, s->values[0].min[i]);
        max = fmax(max, s->values[0].max[i]);
    }
    for (size_t i = 0; i < count; i++) {
        want_sum += rows[i].values[0];
        want_min = fmin(want_min, rows[i].values[0]);
        want_max = fmax(want_max, rows[i].values[0]);
    }
    assert_int_equal(total, count);
    assert_true(fabs(sum - want_sum) <= 1e-9 * fabs(want_sum));
    assert_true(min == want_min && max == want_max);
}

/* Where chunks do not overlap, points are runs of rows in order. */
static void check_series(const series *s, const row *rows, size_t count, size_t points, bool overlapping)
{
    assert_true(s->points <= points);
    check_times(s);
    check_totals(s, rows, count);
    assert_int_equal(s->exact, count <= points);
    if (s->exact) assert_int_equal(s->points, count);
    if (overlapping && !s->exact) return;
    for (size_t i = 0, at = 0; i < s->points; at += s->rows[i++]) {
        check_point(s, i, rows + at);
        int64_t first = rows[at].time, last = rows[at + s->rows[i] - 1].time;
        assert_int_equal(s->time[i], first + (last - first) / 2);
    }
}

static void ask(world *w, int64_t from, int64_t to, size_t points, bool overlapping)
{
    size_t count;
    row *rows = rows_between(w, from, to, &count);
    series s;
    series_request request = {.from = from, .to = to, .points = points};
    assert_int_equal(query_series(&w->store, &w->info, &request, &s), STORE_OK);
    assert_int_equal(s.column_count, COLUMNS);
    check_series(&s, rows, count, points, overlapping);
    series_free(&s);
    free(rows);
}

static void ask_much(world *w, bool overlapping)
{
    int64_t low = w->count ? w->rows[0].time : 0, high = low;
    for (size_t i = 0; i < w->count; i++) {
        if (w->rows[i].time < low) low = w->rows[i].time;
        if (w->rows[i].time > high) high = w->rows[i].time;
    }
    static const size_t POINTS[] = {1, 2, 7, 100, 1200, 20000};
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        ask(w, low, high, POINTS[i], overlapping);
        ask(w, INT64_MIN, INT64_MAX, POINTS[i], overlapping);
        int64_t from = low + (int64_t)random_below((size_t)(high - low) + 1);
        int64_t to = from + (int64_t)random_below((size_t)(high - from) + 1);
        ask(w, from, to, POINTS[i], overlapping);
        ask(w, from, from, POINTS[i], overlapping);
        ask(w, from, from - 1, POINTS[i], overlapping);
    }
}

static void points_are_the_rows_they_stand_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_state = seed * 7919;
        world w;
        world_make(&w, random_below(3000), (time_mode)(seed % STEPS_BACK), false);
        /* Equal times may lie in two chunks; those then touch, and which of the rows is whose is not to be seen. */
        ask_much(&w, seed % STEPS_BACK == EQUAL_TIMES);
        world_free(&w);
    }
}

static void overlapping_chunks_count_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_state = seed * 104729;
        world w;
        world_make(&w, random_below(3000), (time_mode)(seed % TIME_MODES), true);
        ask_much(&w, true);
        world_free(&w);
    }
}

static void only_the_columns_asked_for(void **state)
{
    (void)state;
    random_state = 5;
    world w;
    world_make(&w, 2000, GRID, false);
    const uint32_t columns[] = {3, 0, 9};
    series s;
    series_request request = {
        .from = INT64_MIN, .to = INT64_MAX, .points = 50, .columns = columns, .column_count = 3};
    assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
    assert_int_equal(s.column_count, 3);
    assert_memory_equal(s.columns, columns, sizeof columns);
    for (size_t i = 0; i < s.points; i++) {
        assert_true(s.values[1].mean[i] >= 0);
        assert_true(isnan(s.values[2].mean[i]) && isnan(s.values[2].min[i]) && isnan(s.values[2].max[i]));
    }
    series_free(&s);

    request.column_count = 0;
    assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
    assert_int_equal(s.column_count, 0);
    uint64_t rows = 0;
    for (size_t i = 0; i < s.points; i++) rows += s.rows[i];
    assert_int_equal(rows, 2000);
    series_free(&s);
    world_free(&w);
}

static void the_number_of_points_has_bounds(void **state)
{
    (void)state;
    random_state = 6;
    world w;
    world_make(&w, 1000, GRID, false);
    series s;
    series_request request = {.from = INT64_MIN, .to = INT64_MAX, .points = 0};
    assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
    assert_int_equal(s.points, 1);
    assert_int_equal(s.rows[0], 1000);
    series_free(&s);

    uint32_t *columns = mem_calloc(8192, sizeof *columns);
    request = (series_request){
        .from = INT64_MIN, .to = INT64_MAX, .points = SIZE_MAX, .columns = columns, .column_count = 8192};
    assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
    assert_in_range(s.points, 1, SERIES_MAX_VALUES / 8192);
    series_free(&s);
    free(columns);
    world_free(&w);
}

static void a_long_view_reads_no_rows(void **state)
{
    (void)state;
    random_state = 7;
    world w = {0};
    make_rows(&w, 20000, GRID);
    lay_chunks(&w, 1, false);
    lay_level(&w, 0, 64, false);
    name_columns(&w);
    ask(&w, INT64_MIN, INT64_MAX, 10, false);
    assert_int_equal(w.store.chunks_read, 0);
    world_free(&w);
}

static void a_failing_store_is_told_of(void **state)
{
    (void)state;
    random_state = 8;
    world w;
    world_make(&w, 3000, JITTER, true);
    for (size_t points = 100; points < 20000; points *= 100)
        for (size_t at = 1; at < 10; at++) {
            w.store.chunks_read = 0;
            w.store.fail_at = at;
            series s;
            series_request request = {.from = w.rows[0].time, .to = w.rows[w.count - 1].time, .points = points};
            store_status status = query_series(&w.store, &w.info, &request, &s);
            assert_int_equal(status, w.store.chunks_read >= at ? STORE_FAILED : STORE_OK);
            assert_false(w.store.snapshot);
            series_free(&s);
        }
    query_cursor cursor = {0};
    w.store.chunks_read = 0;
    w.store.fail_at = 3;
    store_status status = STORE_OK;
    for (chunk *c = NULL; status == STORE_OK; chunk_free(c))
        status = query_rows(&w.store, &w.info.id, INT64_MIN, INT64_MAX, &cursor, &c);
    assert_int_equal(status, STORE_FAILED);
    world_free(&w);
}

/* ---- gaps and marks ---- */

static void gaps_are_joined_and_marks_thinned(void **state)
{
    (void)state;
    static char a[] = "a", b[] = "b", c[] = "c", none[] = "";
    run_event all[] = {
        {EVENT_GAP, -50, 5, 1, 3, none},   {EVENT_MARK, 0, 0, 0, 0, a},     {EVENT_GAP, 10, 12, 2, 4, none},
        {EVENT_MARK, 60, 60, 1, 0, b},     {EVENT_MARK, 99, 99, 2, 0, b},   {EVENT_MARK, 100, 100, 3, 0, c},
        {EVENT_GAP, 112, 113, 3, 5, none}, {EVENT_MARK, 999, 999, 4, 0, a}, {EVENT_MARK, 1000, 1000, 5, 0, a},
    };
    world w = {0};
    w.store.events = all;
    w.store.event_count = ARRAY_LEN(all);
    series s;
    series_request request = {.from = 0, .to = 999, .points = 10}; /* 100 ns a point */
    assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
    assert_int_equal(s.points, 0);
    assert_int_equal(s.gap_count, 2);
    assert_true(s.gaps[0].time == -50 && s.gaps[0].until == 12 && s.gaps[0].count == 7);
    assert_true(s.gaps[1].time == 112 && s.gaps[1].until == 113 && s.gaps[1].count == 5);
    assert_int_equal(s.mark_count, 3);
    assert_string_equal(s.marks[0].text, "a");
    assert_int_equal(s.marks[0].count, 3);
    assert_string_equal(s.marks[1].text, "c");
    assert_int_equal(s.marks[1].count, 1);
    assert_int_equal(s.marks[2].time, 999);
    series_free(&s);
    w.store.event_count = 0;
    world_free(&w);
}

static void no_more_marks_than_points(void **state)
{
    (void)state;
    enum { MARKS = 5000 };
    static char text[] = "m";
    run_event *all = mem_alloc(MARKS * sizeof *all);
    for (size_t i = 0; i < MARKS; i++) all[i] = (run_event){EVENT_MARK, (int64_t)i * 3, (int64_t)i * 3, i, 0, text};
    world w = {0};
    w.store.events = all;
    w.store.event_count = MARKS;
    for (size_t points = 1; points < 4000; points = points * 3 / 2 + 1) {
        series s;
        series_request request = {.from = 0, .to = 3 * MARKS, .points = points};
        assert_int_equal(query_series(&w.store, &w.info, &request, &s), STORE_OK);
        assert_in_range(s.mark_count, 1, points);
        uint64_t count = 0;
        for (size_t i = 0; i < s.mark_count; i++) count += s.marks[i].count;
        assert_int_equal(count, MARKS);
        series_free(&s);
    }
    free(all);
}

/* ---- rows ---- */

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
        cmocka_unit_test(points_are_the_rows_they_stand_for), cmocka_unit_test(overlapping_chunks_count_once),
        cmocka_unit_test(only_the_columns_asked_for),         cmocka_unit_test(the_number_of_points_has_bounds),
        cmocka_unit_test(a_long_view_reads_no_rows),          cmocka_unit_test(a_failing_store_is_told_of),
        cmocka_unit_test(gaps_are_joined_and_marks_thinned),  cmocka_unit_test(no_more_marks_than_points),
        cmocka_unit_test(every_row_comes_once_and_in_order),  cmocka_unit_test(rows_of_chunks_that_all_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
