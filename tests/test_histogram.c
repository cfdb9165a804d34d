/* SPDX-License-Identifier: MIT OR Unlicense
   test_histogram: percentiles are those of the values within the error that is stated; what is added up has lost nothing; bytes
   come back, and those that are ill-formed are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 88172645463325252u
#include "random.h"

#include "../server/base/bytes.h"
#include "../server/base/histogram.h"

#include <stdlib.h>

/* ---- buckets ---- */

static void a_bucket_is_no_wider_than_stated(void **state)
{
    (void)state;
    for (double v = 1e-300; v < 1e300; v *= 1.0009) {
        uint32_t b = histogram_bucket(v);
        assert_true(histogram_least(b) <= v && v < histogram_least(b + 1));
        assert_true(b < HISTOGRAM_BUCKETS);
        assert_true(fabs(histogram_middle(b) - v) <= v / 256);
    }
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(-1), 0);
    assert_int_equal(histogram_bucket(NAN), 0);
    assert_int_equal(histogram_bucket(0x1.fffffffffffffp1023), HISTOGRAM_BUCKETS - 1);
}

/* ---- one histogram ---- */

static void count_value(histogram *h, double v)
{
    histogram_bin bin = {histogram_bucket(v), 1};
    histogram_add(h, &(histogram){&bin, 1, 0});
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Times as functions take: most short, some a thousand times as long. */
static double some_time(void)
{
    double u = (double)(random_u64() >> 11) * 0x1p-53;
    return 1e-6 * (1 + u) / (1.0001 - u);
}

static void ranks_are_those_of_the_values(void **state)
{
    (void)state;
    static const double shares[] = {0, 0.01, 0.5, 0.9, 0.99, 0.999, 1};
    enum { COUNT = 20000 };
    double *values = malloc(COUNT * sizeof *values), sum = 0;
    histogram h = {0};
    for (size_t i = 0; i < COUNT; i++) {
        count_value(&h, values[i] = some_time());
        sum += values[i];
    }
    qsort(values, COUNT, sizeof *values, by_value);
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        size_t rank = (size_t)ceil(shares[i] * COUNT);
        double exact = values[rank ? rank - 1 : 0];
        assert_true(fabs(histogram_rank(&h, shares[i]) - exact) <= exact / 256);
    }
    assert_int_equal(histogram_total(&h), COUNT);
    assert_true(fabs(histogram_mean(&h) * COUNT - sum) <= sum / 256);
    histogram_free(&h);
    free(values);
}

static void of_nothing_there_is_no_rank(void **state)
{
    (void)state;
    histogram h = {0};
    assert_true(isnan(histogram_rank(&h, 0.5)) && isnan(histogram_mean(&h)));
    assert_int_equal(histogram_total(&h), 0);
}

static void counts_saturate(void **state)
{
    (void)state;
    histogram_bin bins[] = {{5, UINT64_MAX - 1}, {9, 7}};
    histogram h = {0};
    for (int i = 0; i < 3; i++) histogram_add(&h, &(histogram){bins, 2, 0});
    assert_int_equal(h.bins[0].count, UINT64_MAX);
    assert_int_equal(h.bins[1].count, 21);
    assert_int_equal(histogram_total(&h), UINT64_MAX);
    assert_true(histogram_rank(&h, 0.5) == histogram_middle(5));
    histogram_free(&h);
}

/* ---- sets of them, and their bytes ---- */

/* [column][bucket] */
typedef struct {
    uint64_t counts[7][400];
} plain;

static void random_set(plain *sum, buf *out)
{
    plain one = {{{0}}};
    histogram_set set = {0};
    for (size_t k = random_below(30); k > 0; k--) {
        size_t column = random_below(7), bucket = random_below(400), count = 1 + random_below(1000);
        one.counts[column][bucket] += count;
        sum->counts[column][bucket] += count;
    }
    for (uint32_t column = 0; column < 7; column++) {
        histogram h = {.bins = malloc(400 * sizeof *h.bins), .room = 400};
        for (uint32_t bucket = 0; bucket < 400; bucket++)
            if (one.counts[column][bucket])
                h.bins[h.count++] = (histogram_bin){bucket * 600, one.counts[column][bucket]};
        if (h.count) {
            set.all = realloc(set.all, (set.count + 1) * sizeof *set.all);
            set.all[set.count].column = column * 500;
            set.all[set.count++].of = h;
        } else {
            free(h.bins);
        }
    }
    histogram_set_write(&set, out);
    histogram_set_free(&set);
}

static void assert_is(const histogram *h, const uint64_t *counts)
{
    size_t k = 0;
    for (uint32_t bucket = 0; bucket < 400; bucket++) {
        if (!counts[bucket]) continue;
        assert_true(k < h->count);
        assert_int_equal(h->bins[k].bucket, bucket * 600);
        assert_int_equal(h->bins[k++].count, counts[bucket]);
    }
    assert_int_equal(k, h->count);
}

static histogram *picked_of(void *ctx, uint32_t column)
{
    return column % 500 == 0 ? (histogram *)ctx + column / 500 : NULL;
}

static void what_is_added_up_has_lost_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        plain sum = {{{0}}};
        histogram_set all = {0};
        histogram picked[7] = {{0}};
        for (size_t k = random_below(20); k > 0; k--) {
            buf bytes = {0};
            random_set(&sum, &bytes);
            size_t length = bytes.n;
            for (size_t zeros = random_below(9); zeros > 0; zeros--) put_u8(&bytes, 0);
            assert_int_equal(histogram_set_length((span){bytes.p, bytes.n}, 3001), length);
            assert_true(histogram_set_add(&all, (span){bytes.p, bytes.n}, 3001));
            histogram_set_pick((span){bytes.p, bytes.n}, picked_of, picked);
            buf_free(&bytes);
        }
        for (size_t i = 0; i < all.count; i++) assert_is(&all.all[i].of, sum.counts[all.all[i].column / 500]);
        for (size_t c = 0; c < 7; c++) {
            assert_is(&picked[c], sum.counts[c]);
            histogram_free(&picked[c]);
        }
        histogram_set_free(&all);
    }
}

static void what_is_ill_formed_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t n, length; /* 0: refused */
    } rows[] = {
        {"a column, a bucket", "\x01\x01\x05\x01", 4, 4},
        {"zeros behind", "\x01\x01\x05\x01\0\0\0\0", 8, 4},
        {"the last column", "\x0a\x01\x05\x01", 4, 4},
        {"a column too many", "\x0b\x01\x05\x01", 4, 0},
        {"two columns", "\x01\x01\x05\x01\x09\x01\x00\x7f", 8, 8},
        {"the second too high", "\x01\x01\x05\x01\x0a\x01\x00\x7f", 8, 0},
        {"no buckets", "\x01\x00", 2, 0},
        {"buckets cut off", "\x01\x02\x05\x01", 4, 0},
        {"a count of zero", "\x01\x01\x05\x00", 4, 0},
        {"a count cut off", "\x01\x01\x05\x80", 4, 0},
        {"something behind the end", "\x01\x01\x05\x01\0\x01", 6, 0},
        {"the highest bucket", "\x01\x01\xff\xfe\x0f\x01", 6, 6},
        {"one higher", "\x01\x01\x80\xff\x0f\x01", 6, 0},
        {"a bucket behind the highest", "\x01\x02\xff\xfe\x0f\x01\x00\x01", 8, 0},
        {"a long way of writing zero", "\x80\x00\x01\x05\x01", 5, 0},
        {"more buckets than bytes", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05\x01", 13, 0},
        {"a count of all bits", "\x01\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, 13},
        {"nothing", "", 0, 0},
        {"only zeros", "\0\0", 2, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t *exact = malloc(rows[i].n ? rows[i].n : 1); /* so that ASan sees a read behind them */
        memcpy(exact, rows[i].bytes, rows[i].n);
        span bytes = {(const char *)exact, rows[i].n};
        histogram_set set = {0};
        if (histogram_set_length(bytes, 10) != rows[i].length) fail_msg("%s", rows[i].what);
        bool none = rows[i].n == 0 || rows[i].bytes[0] == 0;
        if (histogram_set_add(&set, bytes, 10) != (rows[i].length > 0 || none)) fail_msg("%s: added", rows[i].what);
        histogram_set_free(&set);
        free(exact);
    }
}

/* ---- the bytes of many rows ---- */

static void few_of_many_rows_have_some(void **state)
{
    (void)state;
    row_histograms h = {0};
    for (size_t row = 0; row < 1000; row++)
        row_histograms_add(&h, row, row % 7 == 3 ? span_of(row % 2 ? "odd" : "even") : span_of(""));
    for (size_t row = 0; row < 1100; row++) {
        span expected = row % 7 == 3 && row < 1000 ? span_of(row % 2 ? "odd" : "even") : span_of("");
        assert_true(span_eq(row_histograms_of(&h, row), expected));
    }
    row_histograms_free(&h);
    assert_int_equal(row_histograms_of(&h, 3).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_is_no_wider_than_stated), cmocka_unit_test(ranks_are_those_of_the_values),
        cmocka_unit_test(of_nothing_there_is_no_rank),      cmocka_unit_test(counts_saturate),
        cmocka_unit_test(what_is_added_up_has_lost_nothing), cmocka_unit_test(what_is_ill_formed_is_refused),
        cmocka_unit_test(few_of_many_rows_have_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
