/* SPDX-License-Identifier: MIT OR Unlicense
   test_chunk: rows in, columns and summaries out; every bit comes back from the bytes; damaged bytes are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RANDOM_SEED 88172645463325252u
#include "random.h"

#include "../server/store/chunk.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SECOND NS_PER_SECOND
#define START  INT64_C(1769860800000000000)

/* xorshift64*: the same numbers each time. */
static double random_unit(void)
{
    return (double)(random_u64() >> 11) * 0x1p-53;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- what columns may hold ---- */

static double some_integers(size_t i)
{
    return (double)(random_u64() % 2000) - 1000 + 0 * (double)i;
}
static double a_counter(size_t i)
{
    return (double)(i * 37);
}
static double decimals(size_t i)
{
    return (double)((int64_t)i * 7919 % 1000) / 10.0;
}
static double binary_units(size_t i)
{
    return (double)(i * 4096) / 0x1p30;
}
static double noise(size_t i)
{
    return random_unit() + 0 * (double)i;
}
static double any_bits(size_t i)
{
    uint64_t bits = random_u64() + i;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
static double nothing(size_t i)
{
    return i ? NAN : NAN;
}
static double constant(size_t i)
{
    return i ? 1 / 3.0 : 1 / 3.0;
}
static double corner_cases(size_t i)
{
    static const double all[] = {0.0,
                                 -0.0,
                                 NAN,
                                 INFINITY,
                                 -INFINITY,
                                 0x1p-1074,
                                 -0x1p-1074,
                                 0x1p53,
                                 0x1p63,
                                 -0x1p53,
                                 1.7976931348623157e308,
                                 -NAN,
                                 1e-9,
                                 0x1.fffffffffffffp52};
    return all[i % ARRAY_LEN(all)];
}
static double minus_zero_among_integers(size_t i)
{
    return i == 3 ? -0.0 : (double)i;
}
static double wave(size_t i)
{
    return sin((double)i * 0.01);
}

static double (*const KINDS[])(size_t) = {some_integers, a_counter, decimals, binary_units, noise,
                                          any_bits,      nothing,   constant, corner_cases, minus_zero_among_integers,
                                          wave};

static chunk *make_chunk(size_t rows, size_t columns)
{
    chunk *c = chunk_new(rows, columns);
    for (size_t i = 0; i < rows; i++) {
        c->time[i] = START + (int64_t)i * SECOND;
        c->seq[i] = 1000 + i;
    }
    for (size_t col = 0; col < columns; col++)
        for (size_t i = 0; i < rows; i++) c->values[col][i] = KINDS[col % ARRAY_LEN(KINDS)](i);
    chunk_summarise(c);
    return c;
}

static void assert_keys_equal(const chunk_key *a, const chunk_key *b)
{
    assert_true(a->first_time == b->first_time && a->last_time == b->last_time);
    assert_true(a->first_seq == b->first_seq && a->last_seq == b->last_seq);
    assert_true(a->rows == b->rows && a->level == b->level);
}

static void assert_rows_equal(const chunk *a, const chunk *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->columns, b->columns);
    assert_memory_equal(a->time, b->time, a->rows * sizeof *a->time);
    assert_memory_equal(a->seq, b->seq, a->rows * sizeof *a->seq);
    assert_keys_equal(&a->key, &b->key);
    for (size_t col = 0; col < a->columns; col++)
        assert_memory_equal(a->values[col], b->values[col], a->rows * sizeof(double));
}

static span span_of_buf(const buf *b)
{
    return (span){b->p, b->n};
}

static size_t assert_round_trip(const chunk *c)
{
    buf bytes = {0};
    chunk_encode(c, &bytes);
    chunk *back = chunk_decode(span_of_buf(&bytes), NULL, 0);
    assert_non_null(back);
    assert_rows_equal(c, back);
    chunk_free(back);
    size_t n = bytes.n;
    buf_free(&bytes);
    return n;
}

/* ---- summaries ---- */

static void a_summary_leaves_out_what_is_no_value(void **state)
{
    (void)state;
    summary s;
    summary_clear(&s);
    summary_add(&s, NAN);
    assert_int_equal(s.count, 0);
    assert_true(isnan(s.min) && isnan(s.max) && isnan(s.sum) && isnan(s.first) && isnan(s.last));
    const double values[] = {3, NAN, -1, 7, 2, NAN};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) summary_add(&s, values[i]);
    assert_int_equal(s.count, 4);
    assert_true(s.min == -1 && s.max == 7 && s.sum == 11 && s.first == 3 && s.last == 2);
}

static void merged_summaries_are_those_of_all_values(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 20; cut++) {
        summary whole, head, tail;
        summary_clear(&whole);
        summary_clear(&head);
        summary_clear(&tail);
        for (size_t i = 0; i < 20; i++) {
            double v = i % 3 ? (double)(random_u64() % 100) : NAN;
            summary_add(&whole, v);
            summary_add(i < cut ? &head : &tail, v);
        }
        summary_merge(&head, &tail);
        assert_int_equal(head.count, whole.count);
        assert_true(head.min == whole.min && head.max == whole.max && head.sum == whole.sum);
        assert_true(head.first == whole.first && head.last == whole.last);
    }
}

static void summaries_come_back(void **state)
{
    (void)state;
    chunk *c = make_chunk(100, ARRAY_LEN(KINDS));
    buf bytes = {0};
    summaries_encode(c->summaries, c->columns, &bytes);
    summary back[ARRAY_LEN(KINDS)];
    assert_int_equal(summaries_decode(span_of_buf(&bytes), back, ARRAY_LEN(back)), c->columns);
    for (size_t i = 0; i < c->columns; i++) {
        const summary *a = &c->summaries[i], *b = &back[i];
        assert_int_equal(a->count, b->count);
        assert_true(same_bits(a->min, b->min) && same_bits(a->max, b->max) && same_bits(a->first, b->first));
        assert_true(same_bits(a->last, b->last));
        assert_true(same_bits(a->sum, b->sum) || (isnan(a->sum) && isnan(b->sum)));
    }
    assert_int_equal(summaries_decode(span_of_buf(&bytes), back, 2), c->columns);
    for (size_t n = 0; n < bytes.n; n++)
        assert_int_equal(summaries_decode((span){bytes.p, n}, back, ARRAY_LEN(back)), -1);
    buf_append(&bytes, "", 1);
    assert_int_equal(summaries_decode(span_of_buf(&bytes), back, ARRAY_LEN(back)), -1);
    buf_free(&bytes);
    chunk_free(c);
}

static void summaries_of_one_row_are_small(void **state)
{
    (void)state;
    chunk *c = chunk_new(1, 2);
    c->time[0] = START;
    c->seq[0] = 0;
    c->values[0][0] = 0.1;
    c->values[1][0] = NAN;
    chunk_summarise(c);
    buf bytes = {0};
    summaries_encode(c->summaries, 2, &bytes);
    assert_int_equal(bytes.n, 1 + (1 + 1 + 8) + 1);
    buf_free(&bytes);
    chunk_free(c);
}

/* ---- rows to columns ---- */

static batch_part part_of(size_t rows, size_t columns, int64_t *time, uint64_t *seq, double *values)
{
    return (batch_part){.rows = rows, .columns = columns, .time = time, .seq = seq, .values = values};
}

static void a_part_becomes_columns(void **state)
{
    (void)state;
    int64_t time[] = {10, 20, 30, 40};
    uint64_t seq[] = {5, 6, 8, 9};
    double values[] = {0, 100, 1, NAN, 2, 102, 3, 103};
    batch_part p = part_of(4, 2, time, seq, values);
    chunk *c = chunk_from_part(&p, 1, 2);
    assert_int_equal(c->rows, 2);
    assert_int_equal(c->columns, 2);
    chunk_key key = {20, 30, 6, 8, 2, 0};
    assert_keys_equal(&c->key, &key);
    assert_true(c->values[0][0] == 1 && c->values[0][1] == 2 && isnan(c->values[1][0]) && c->values[1][1] == 102);
    assert_true(c->summaries[0].sum == 3 && c->summaries[1].count == 1 && c->summaries[1].first == 102);
    chunk_free(c);
}

static void rows_are_put_in_order_of_time(void **state)
{
    (void)state;
    int64_t time[] = {30, 40, 10, 20, 20};
    uint64_t seq[] = {0, 1, 2, 3, 4};
    double values[] = {0, 1, 2, 3, 4};
    batch_part p = part_of(5, 1, time, seq, values);
    chunk *c = chunk_from_part(&p, 0, 5);
    const uint64_t order[] = {2, 3, 4, 0, 1};
    assert_memory_equal(c->seq, order, sizeof order);
    for (size_t i = 0; i < 5; i++) assert_true(c->values[0][i] == (double)order[i]);
    chunk_key key = {10, 40, 0, 4, 5, 0};
    assert_keys_equal(&c->key, &key);
    assert_true(c->summaries[0].first == 2 && c->summaries[0].last == 1);
    chunk_free(c);
}

/* ---- merge ---- */

static void merged_rows_come_once_and_in_order(void **state)
{
    (void)state;
    int64_t time_a[] = {10, 30, 50}, time_b[] = {10, 20, 30, 40};
    uint64_t seq_a[] = {1, 3, 5}, seq_b[] = {0, 2, 3, 4};
    double values_a[] = {1, 3, 5}, values_b[] = {0, -1, 2, -2, 333, -3, 4, -4};
    batch_part a = part_of(3, 1, time_a, seq_a, values_a), b = part_of(4, 2, time_b, seq_b, values_b);
    chunk *parts[] = {chunk_from_part(&a, 0, 3), chunk_from_part(&b, 0, 4)};
    chunk *c = chunk_merge(parts, 2);
    assert_int_equal(c->rows, 6);
    assert_int_equal(c->columns, 2);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(c->seq[i], i);
        assert_true(c->values[0][i] == (double)i); /* of the two rows with seq 3 the first part's */
    }
    assert_true(isnan(c->values[1][1]) && isnan(c->values[1][3]) && c->values[1][4] == -4);
    chunk_key key = {10, 50, 0, 5, 6, 0};
    assert_keys_equal(&c->key, &key);
    assert_int_equal(c->summaries[1].count, 3);
    chunk_free(c);
    chunk_free(parts[0]);
    chunk_free(parts[1]);
}

static void chunks_in_a_row_merge_to_their_rows(void **state)
{
    (void)state;
    chunk *whole = make_chunk(300, 4), *parts[3];
    for (size_t p = 0; p < 3; p++) {
        parts[p] = chunk_new(100, 4);
        memcpy(parts[p]->time, whole->time + p * 100, 100 * sizeof *whole->time);
        memcpy(parts[p]->seq, whole->seq + p * 100, 100 * sizeof *whole->seq);
        for (size_t col = 0; col < 4; col++)
            memcpy(parts[p]->values[col], whole->values[col] + p * 100, 100 * sizeof(double));
        chunk_summarise(parts[p]);
    }
    chunk *merged = chunk_merge(parts, 3);
    assert_rows_equal(whole, merged);
    for (size_t p = 0; p < 3; p++) chunk_free(parts[p]);
    chunk_free(merged);
    chunk_free(whole);
}

/* ---- bytes ---- */

static void every_bit_comes_back(void **state)
{
    (void)state;
    static const size_t ROWS[] = {1, 2, 3, 4, 17, 256, 1000, CHUNK_ROWS, 5000};
    for (size_t r = 0; r < ARRAY_LEN(ROWS); r++) {
        chunk *c = make_chunk(ROWS[r], 2 * ARRAY_LEN(KINDS));
        assert_round_trip(c);
        chunk_free(c);
    }
}

static void the_largest_and_the_smallest_come_back(void **state)
{
    (void)state;
    chunk *c = make_chunk(CHUNK_MAX_ROWS, 2);
    assert_round_trip(c);
    chunk_free(c);
    c = make_chunk(1, MAX_COLUMNS);
    assert_round_trip(c);
    chunk_free(c);
    c = make_chunk(5, 0);
    assert_round_trip(c);
    chunk_free(c);
}

static void any_times_and_seqs_come_back(void **state)
{
    (void)state;
    chunk *c = make_chunk(100, 1);
    for (size_t i = 0; i < c->rows; i++) {
        c->time[i] = (int64_t)random_u64();
        c->seq[i] = random_u64();
    }
    c->time[0] = INT64_MIN;
    c->time[1] = INT64_MAX;
    c->seq[0] = UINT64_MAX;
    c->seq[1] = 0;
    chunk_summarise(c);
    assert_round_trip(c);
    chunk_free(c);
}

static size_t bytes_of_one_column(size_t rows, double (*kind)(size_t))
{
    chunk *c = make_chunk(rows, 1);
    for (size_t i = 0; i < rows; i++) c->values[0][i] = kind(i);
    size_t n = assert_round_trip(c);
    chunk_free(c);
    return n;
}

static void what_says_little_takes_little(void **state)
{
    (void)state;
    chunk *c = make_chunk(CHUNK_ROWS, 0);
    assert_in_range(assert_round_trip(c), 1, CHUNK_ROWS / 33); /* times on a grid: 0.03 bytes a row */
    chunk_free(c);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, constant), 1, 60);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, nothing), 1, 60);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, a_counter), 1, 60);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, decimals), 1, 2 * CHUNK_ROWS);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, some_integers), 1, 2 * CHUNK_ROWS);
    assert_in_range(bytes_of_one_column(CHUNK_ROWS, any_bits), 1, 8 * CHUNK_ROWS + 60); /* never much more than raw */
    assert_in_range(bytes_of_one_column(1, noise), 1, 40);
}

/* Made by hand from the layout: what is in people's files must stay readable. */
static void the_layout_stays(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        1,    3,    2,                                        /* version, rows, columns                    */
        4,    3,    6,    25,                                 /* sizes of the blocks                       */
        16,   20,   0xc8, 1,                                  /* times: deltas of 10, from 100             */
        16,   2,    14,                                       /* seqs: deltas of 1, from 7                 */
        4,    1,    9,    2,    0,    7,                      /* tenths, one byte each above -5: -3 -5 2   */
        0,    0,    0,    0,    0,    0,    0,    0xf8, 0x7f, /* raw doubles: NaN                          */
        0,    0,    0,    0,    0,    0,    0,    0x80,       /* -0.0                                      */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f,
    };
    static const double first[] = {-0.3, -0.5, 0.2}, second[] = {NAN, -0.0, 1.7976931348623157e308};
    chunk *c = chunk_decode((span){(const char *)golden, sizeof golden}, NULL, 0);
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(c->time[i], 100 + 10 * (int)i);
        assert_int_equal(c->seq[i], 7 + i);
        assert_true(same_bits(c->values[0][i], first[i]));
        assert_true(same_bits(c->values[1][i], second[i]));
    }
    buf bytes = {0};
    chunk_encode(c, &bytes);
    assert_int_equal(bytes.n, sizeof golden);
    assert_memory_equal(bytes.p, golden, sizeof golden);
    buf_free(&bytes);
    chunk_free(c);
}

static void only_columns_asked_for_are_read(void **state)
{
    (void)state;
    chunk *c = make_chunk(500, 6);
    buf bytes = {0};
    chunk_encode(c, &bytes);
    const uint32_t columns[] = {4, 1, 4, 77};
    chunk *back = chunk_decode(span_of_buf(&bytes), columns, ARRAY_LEN(columns));
    assert_non_null(back);
    for (size_t col = 0; col < 6; col++) {
        if (col == 1 || col == 4)
            assert_memory_equal(back->values[col], c->values[col], 500 * sizeof(double));
        else
            assert_null(back->values[col]);
    }
    chunk_free(back);
    back = chunk_decode(span_of_buf(&bytes), columns, 0);
    assert_non_null(back);
    assert_memory_equal(back->time, c->time, 500 * sizeof *c->time);
    for (size_t col = 0; col < 6; col++) assert_null(back->values[col]);
    chunk_free(back);
    buf_free(&bytes);
    chunk_free(c);
}

static void damaged_bytes_are_refused_or_harmless(void **state)
{
    (void)state;
    chunk *c = make_chunk(200, ARRAY_LEN(KINDS));
    buf bytes = {0};
    chunk_encode(c, &bytes);
    chunk_free(c);
    for (size_t n = 0; n < bytes.n; n++) assert_null(chunk_decode((span){bytes.p, n}, NULL, 0));
    for (size_t i = 0; i < bytes.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
            chunk_free(chunk_decode(span_of_buf(&bytes), NULL, 0));
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
        }
    buf_append(&bytes, "", 1);
    assert_null(chunk_decode(span_of_buf(&bytes), NULL, 0));
    buf_free(&bytes);
}

static void lying_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t n;
    } lies[] = {
        {"no bytes", {0}, 0},
        {"another version", {2, 1, 0, 2, 2, 0, 0, 0, 0}, 9},
        {"no rows", {1, 0, 0, 2, 2, 0, 0, 0, 0}, 9},
        {"65,537 rows", {1, 0x81, 0x80, 4, 0, 2, 2, 0, 0, 0, 0}, 11},
        {"2^63 rows", {1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0}, 12},
        {"a varint without end", {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 13},
        {"4,097 columns", {1, 1, 0x81, 0x20, 2, 2}, 6},
        {"more columns than bytes", {1, 1, 9, 2, 2, 0, 0, 0, 0}, 9},
        {"a block longer than the rest", {1, 1, 0, 2, 3, 0, 0, 0, 0}, 9},
        {"9 bytes a number", {1, 1, 0, 11, 2, 9, 0, 0, 0}, 9},
    };
    static const uint8_t truth[] = {1, 1, 0, 2, 2, 0, 0, 0, 0};
    chunk *c = chunk_decode((span){(const char *)truth, sizeof truth}, NULL, 0);
    assert_non_null(c);
    chunk_free(c);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        c = chunk_decode((span){(const char *)lies[i].bytes, lies[i].n}, NULL, 0);
        if (c) fail_msg("%s was believed", lies[i].what);
    }
}

static void *encode_and_decode(void *chunk_of_all)
{
    for (int i = 0; i < 20; i++) assert_round_trip(chunk_of_all);
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    (void)state;
    chunk *c = make_chunk(CHUNK_ROWS, 8);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encode_and_decode, c), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) pthread_join(threads[i], NULL);
    chunk_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_summary_leaves_out_what_is_no_value),
        cmocka_unit_test(merged_summaries_are_those_of_all_values),
        cmocka_unit_test(summaries_come_back),
        cmocka_unit_test(summaries_of_one_row_are_small),
        cmocka_unit_test(a_part_becomes_columns),
        cmocka_unit_test(rows_are_put_in_order_of_time),
        cmocka_unit_test(merged_rows_come_once_and_in_order),
        cmocka_unit_test(chunks_in_a_row_merge_to_their_rows),
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(the_largest_and_the_smallest_come_back),
        cmocka_unit_test(any_times_and_seqs_come_back),
        cmocka_unit_test(what_says_little_takes_little),
        cmocka_unit_test(the_layout_stays),
        cmocka_unit_test(only_columns_asked_for_are_read),
        cmocka_unit_test(damaged_bytes_are_refused_or_harmless),
        cmocka_unit_test(lying_headers_are_refused),
        cmocka_unit_test(threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
