/* SPDX-License-Identifier: MIT OR Unlicense
   test_query: series against a plain count of the same rows, however they lie in chunks and summaries; gaps and
   marks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "query_world.h"

/* ---- what must come out ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_the_rows_they_stand_for), cmocka_unit_test(overlapping_chunks_count_once),
        cmocka_unit_test(only_the_columns_asked_for),         cmocka_unit_test(the_number_of_points_has_bounds),
        cmocka_unit_test(a_long_view_reads_no_rows),          cmocka_unit_test(a_failing_store_is_told_of),
        cmocka_unit_test(gaps_are_joined_and_marks_thinned),  cmocka_unit_test(no_more_marks_than_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
