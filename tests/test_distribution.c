/* SPDX-License-Identifier: MIT OR Unlicense
   test_distribution: percentiles of any part of a run are those of all its values, whatever chunks and summaries they come out of,
   while rows come late and chunks are merged. Against every store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 20261128
#include "random.h"
#include "store_sample.h"

#include "../server/query/distribution.h"
#include "../server/query/query.h"
#include "../server/store/merge.h"

enum { F_MEAN, F_P50, F_P99, F_MAX, OTHER, G_MEAN, G_P999, COLUMNS };

static const struct {
    const char *name;
    column_kind kind;
} NAMES[COLUMNS] = {{"f_mean", COLUMN_HISTOGRAM}, {"f_p50", COLUMN_GAUGE},  {"f_p99", COLUMN_GAUGE},  {"f_max", COLUMN_GAUGE},
                    {"other", COLUMN_GAUGE},      {"g_mean", COLUMN_HISTOGRAM}, {"g_p999", COLUMN_GAUGE}};

static run_info *make_run(void)
{
    run_info *r = sample_run(1);
    for (size_t i = 0; i < r->column_count; i++) {
        free(r->columns[i].name);
        free(r->columns[i].unit);
    }
    free(r->columns);
    r->column_count = COLUMNS;
    r->columns = mem_calloc(COLUMNS, sizeof *r->columns);
    for (size_t i = 0; i < COLUMNS; i++)
        r->columns[i] = (run_column){mem_strdup(NAMES[i].name), mem_strdup("s"), NAMES[i].kind};
    return r;
}

/* ---- what functions took: f is called some times before each row, g before every tenth ---- */

typedef struct {
    double f[40], g[5];
    size_t f_count, g_count;
} calls;

static double some_time(void)
{
    return 1e-6 * (double)(1 + random_below(1000)) * (random_below(50) ? 1 : 100);
}

static calls *make_calls(size_t rows)
{
    calls *all = mem_calloc(rows, sizeof *all);
    for (size_t i = 0; i < rows; i++) {
        all[i].f_count = random_below(ARRAY_LEN(all[i].f));
        all[i].g_count = i % 10 == 0 ? random_below(ARRAY_LEN(all[i].g)) : 0;
        for (size_t k = 0; k < all[i].f_count; k++) all[i].f[k] = some_time();
        for (size_t k = 0; k < all[i].g_count; k++) all[i].g[k] = 10 * some_time();
    }
    return all;
}

static void count_values(histogram *h, const double *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        histogram_bin bin = {histogram_bucket(v[i]), 1};
        histogram_add(h, &(histogram){&bin, 1, 0});
    }
}

static void put_values(const histogram *h, double *out, size_t columns, const double *shares)
{
    for (size_t i = 0; i < columns; i++)
        out[i] = shares[i] < 0 ? histogram_mean(h) : histogram_rank(h, shares[i]);
}

/* The row as a client tells it: of each function mean, percentiles and histogram since the row before. */
static void make_row(const calls *c, double *values, buf *bytes)
{
    histogram_set set = {0};
    histogram f = {0}, g = {0};
    count_values(&f, c->f, c->f_count);
    count_values(&g, c->g, c->g_count);
    put_values(&f, values + F_MEAN, 4, (const double[]){-1, 0.5, 0.99, 1});
    values[OTHER] = 7;
    put_values(&g, values + G_MEAN, 2, (const double[]){-1, 0.999});
    set.all = mem_calloc(2, sizeof *set.all);
    if (f.count) {
        set.all[set.count].column = F_MEAN;
        set.all[set.count++].of = f;
    }
    if (g.count) {
        set.all[set.count].column = G_MEAN;
        set.all[set.count++].of = g;
    }
    histogram_set_write(&set, bytes);
    histogram_set_free(&set);
}

static void put_rows(store *s, const run_info *r, const calls *all, uint64_t first, size_t rows)
{
    batch_part p = {.rows = rows, .columns = COLUMNS};
    p.time = mem_alloc(rows * sizeof *p.time);
    p.seq = mem_alloc(rows * sizeof *p.seq);
    p.values = mem_alloc(rows * COLUMNS * sizeof *p.values);
    for (size_t i = 0; i < rows; i++) {
        buf bytes = {0};
        p.seq[i] = first + i;
        p.time[i] = sample_time(first + i);
        make_row(&all[first + i], p.values + i * COLUMNS, &bytes);
        row_histograms_add(&p.histograms, i, (span){bytes.p, bytes.n});
        buf_free(&bytes);
    }
    chunk *c = chunk_from_part(&p, 0, rows);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_ok(s, store_write(s, &change, 1));
    chunk_free(c);
    row_histograms_free(&p.histograms);
    free(p.time);
    free(p.seq);
    free(p.values);
}

/* ---- what must come out ---- */

static bool same_histogram(const histogram *a, const histogram *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->bins[i].bucket != b->bins[i].bucket || a->bins[i].count != b->bins[i].count) return false;
    return true;
}

static void sum_up(const distribution *d, size_t column, histogram *out)
{
    for (size_t part = 0; part < d->grid.parts; part++) histogram_add(out, &d->of[column][part]);
}

static distribution read_parts(store *s, const run_info *r, int64_t from, int64_t to, size_t parts, int64_t longest)
{
    static const uint32_t columns[] = {F_MEAN, G_MEAN};
    distribution d;
    grid g = grid_of(from, to, parts);
    assert_ok(s, store_snapshot_begin(s));
    assert_ok(s, distribution_of(s, r, &g, longest, columns, 2, &d));
    store_snapshot_end(s);
    return d;
}

/* In every cut of [first, last] into parts all calls are there, each once; and if rows are read, in their own part. */
static void check_parts(store *s, const run_info *r, const calls *all, size_t first, size_t last)
{
    int64_t from = sample_time(first), to = sample_time(last);
    histogram f = {0}, g = {0};
    for (size_t i = first; i <= last; i++) {
        count_values(&f, all[i].f, all[i].f_count);
        count_values(&g, all[i].g, all[i].g_count);
    }
    for (size_t parts = 1; parts <= 1000; parts *= 10) {
        for (int rows = 0; rows < 2; rows++) {
            distribution d = read_parts(s, r, from, to, parts, rows ? 0 : (to - from) / (int64_t)parts);
            histogram sum_f = {0}, sum_g = {0};
            sum_up(&d, 0, &sum_f);
            sum_up(&d, 1, &sum_g);
            assert_true(same_histogram(&sum_f, &f) && same_histogram(&sum_g, &g));
            for (size_t part = 0; rows && part < parts; part += 1 + parts / 7) {
                histogram own = {0};
                for (size_t i = first; i <= last; i++)
                    if (grid_part(&d.grid, sample_time(i)) == part) count_values(&own, all[i].f, all[i].f_count);
                assert_true(same_histogram(&d.of[0][part], &own));
                histogram_free(&own);
            }
            histogram_free(&sum_f);
            histogram_free(&sum_g);
            distribution_free(&d);
        }
    }
    histogram_free(&f);
    histogram_free(&g);
}

static void merge_all(store *s, const run_info *r)
{
    for (bool more = true; more;) assert_ok(s, merge_run(s, &r->id, &more));
}

static void all_calls_are_there_once(void **state)
{
    store *s = ((stored_place *)*state)->s;
    enum { ROWS = 6000 };
    run_info *r = make_run();
    calls *all = make_calls(ROWS);
    size_t late = 3000;
    for (size_t at = 0; at < ROWS;) {
        size_t n = 1 + random_below(random_below(5) ? 20 : 600);
        if (at <= late && at + n > late) {
            if (late > at) put_rows(s, r, all, at, late - at);
            at = late + 1;
            continue;
        }
        if (n > ROWS - at) n = ROWS - at;
        put_rows(s, r, all, at, n);
        at += n;
    }
    put_rows(s, r, all, late, 1);
    check_parts(s, r, all, 0, ROWS - 1);
    merge_all(s, r);
    check_parts(s, r, all, 0, ROWS - 1);
    check_parts(s, r, all, 1234, 4321);
    check_parts(s, r, all, 2999, 3001);
    free(all);
    run_info_free(r);
}

/* ---- series ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of a reduced series each point's percentile is that of its calls, which a mean of percentiles is far from. */
static void percentiles_are_not_averaged(void **state)
{
    store *s = ((stored_place *)*state)->s;
    enum { ROWS = 64 * 1024 + 500, POINTS = 5 };
    static const uint32_t columns[] = {F_P99, OTHER, F_MAX, F_MEAN, G_P999};
    run_info *r = make_run();
    calls *all = make_calls(ROWS);
    for (size_t at = 0; at < ROWS; at += 1024) put_rows(s, r, all, at, ROWS - at < 1024 ? ROWS - at : 1024);
    merge_all(s, r);
    series out;
    series_request request = {sample_time(0), sample_time(ROWS - 1), POINTS, columns, ARRAY_LEN(columns)};
    assert_ok(s, query_series(s, r, &request, &out));
    assert_int_equal(out.points, POINTS);
    double *values = mem_alloc((size_t)ROWS * ARRAY_LEN(all->f) * sizeof *values);
    for (size_t point = 0, row = 0; point < POINTS; point++) {
        size_t n = 0;
        double sum = 0, max = 0;
        for (size_t end = row + out.rows[point]; row < end; row++)
            for (size_t k = 0; k < all[row].f_count; k++) sum += values[n++] = all[row].f[k];
        qsort(values, n, sizeof *values, by_value);
        double p99 = values[(size_t)ceil(0.99 * (double)n) - 1];
        max = values[n - 1];
        assert_true(fabs(out.values[0].mean[point] - p99) <= p99 / 128);
        assert_true(out.values[1].mean[point] == 7);
        assert_true(fabs(out.values[2].mean[point] - max) <= max / 128);
        assert_true(out.values[2].mean[point] == out.values[2].max[point]);
        assert_true(fabs(out.values[3].mean[point] - sum / (double)n) <= sum / (double)n / 128);
        assert_true(out.values[4].mean[point] >= out.values[4].min[point]);
    }
    free(values);
    series_free(&out);
    free(all);
    run_info_free(r);
}

static void few_rows_are_as_they_are(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = make_run();
    calls *all = make_calls(50);
    put_rows(s, r, all, 0, 50);
    series out;
    series_request request = {sample_time(0), sample_time(49), 100, NULL, 0};
    assert_ok(s, query_series(s, r, &request, &out));
    assert_true(out.exact);
    for (size_t i = 0; i < 50; i++) {
        double values[COLUMNS];
        buf bytes = {0};
        make_row(&all[i], values, &bytes);
        buf_free(&bytes);
        for (size_t col = 0; col < COLUMNS; col++)
            assert_true(isnan(values[col]) ? isnan(out.values[col].mean[i]) : out.values[col].mean[i] == values[col]);
    }
    series_free(&out);
    free(all);
    run_info_free(r);
}

/* ---- which columns tell of which histogram ---- */

static void views(void **state)
{
    (void)state;
    static const struct {
        const char *before, *name;
        view_kind kind;
        double share;
    } rows[] = {
        {"f_mean", "f_p50", VIEW_RANK, 0.5},  {"f_mean", "f_p999", VIEW_RANK, 0.999}, {"f_mean", "f_max", VIEW_MAX, 0},
        {"f_mean", "f_p9", VIEW_NONE, 0},     {"f_mean", "f_p", VIEW_NONE, 0},        {"f_mean", "f_pxx", VIEW_NONE, 0},
        {"f_mean", "g_p50", VIEW_NONE, 0},    {"f_mean", "f", VIEW_NONE, 0},          {"f_mean", "f_p50x", VIEW_NONE, 0},
        {"mean", "_p50", VIEW_NONE, 0},       {"_mean", "_p50", VIEW_RANK, 0.5},      {"f_means", "f_p50", VIEW_NONE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char before[20], name[20], unit[] = "s";
        snprintf(before, sizeof before, "%s", rows[i].before);
        snprintf(name, sizeof name, "%s", rows[i].name);
        run_column columns[] = {{before, unit, COLUMN_HISTOGRAM}, {unit, unit, COLUMN_GAUGE}, {name, unit, COLUMN_GAUGE}};
        run_info r = {.columns = columns, .column_count = 3};
        distribution_view v = distribution_view_of(&r, 2);
        if (v.kind != rows[i].kind || fabs(v.share - rows[i].share) > 1e-12) fail_msg("%s", rows[i].name);
        assert_int_equal(distribution_view_of(&r, 0).kind, VIEW_MEAN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_calls_are_there_once),
        TEST(percentiles_are_not_averaged),
        TEST(few_rows_are_as_they_are),
        cmocka_unit_test(views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
