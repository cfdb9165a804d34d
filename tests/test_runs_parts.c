/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_parts: the parts of the registry, each alone: sequence numbers, names of columns, the hash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/runs/runs_columns.h"
#include "../server/runs/runs_hash.h"
#include "../server/runs/runs_seqs.h"

/* ---- sequence numbers ---- */

/* Rows in any order and number, against a plain table of what came. */
static void seqs_against_table(void **state)
{
    (void)state;
    enum { rows = 600, rounds = 200 };
    unsigned random = 1;
    for (int round = 0; round < rounds; round++) {
        seqs s = {0};
        bool came[rows] = {false};
        uint64_t highest = 0;
        for (int i = 0; i < rows; i++) {
            random = random * 1103515245 + 12345;
            uint64_t seq = (random >> 16) % (unsigned)(i + 20 < rows ? i + 20 : rows);
            int64_t time = (int64_t)seq;
            bool above = seq >= highest;
            seq_verdict v = seqs_take(&s, seq, &time, 0, 0);
            assert_int_equal(v, came[seq] ? SEQ_SEEN : above ? SEQ_NEW : SEQ_LATE);
            came[seq] = true;
            if (above) highest = seq + 1;
        }
        hole *gaps;
        size_t count = seqs_expire(&s, 0, &gaps);
        for (size_t i = 0; i < count; i++) {
            assert_true(gaps[i].first < gaps[i].end);
            assert_int_equal(gaps[i].after, gaps[i].end);
            if (gaps[i].first) assert_int_equal(gaps[i].before, gaps[i].first - 1);
            for (uint64_t q = gaps[i].first; q < gaps[i].end; q++) {
                assert_false(came[q]);
                came[q] = true;
            }
        }
        for (uint64_t q = 0; q < highest; q++) assert_true(came[q]);
        assert_null(s.holes);
        free(gaps);
    }
}

static void holes_bounded(void **state)
{
    (void)state;
    seqs s = {0};
    hole *gaps;
    for (uint64_t i = 0; i < SEQS_HOLES; i++) {
        int64_t time = 0;
        seqs_take(&s, 2 * i + 1, &time, 0, 100);
    }
    assert_int_equal(seqs_expire(&s, 99, &gaps), 0);
    assert_null(gaps);
    int64_t time = 0;
    seqs_take(&s, 10000, &time, 0, 100);
    assert_int_equal(seqs_expire(&s, 99, &gaps), 1);
    assert_int_equal(gaps[0].first, 0);
    free(gaps);
    seqs_free(&s);
}

/* ---- names ---- */

static void column_names(void **state)
{
    (void)state;
    hash_key key = {1, 2};
    static const struct {
        const char *in[5], *out[5];
        size_t clipped, renamed;
    } cases[] = {
        {{"a", "b"}, {"a", "b"}, 0, 0},
        {{"a", "a", "a"}, {"a", "a (2)", "a (3)"}, 0, 2},
        {{"a", "a (2)", "a"}, {"a", "a (2)", "a (3)"}, 0, 1},
        {{"a", "a", "a (2)"}, {"a", "a (2)", "a (2) (2)"}, 0, 2},
        {{"", ""}, {"", " (2)"}, 0, 1},
        {{"a\n", "a\t"}, {"a ", "a  (2)"}, 2, 1},
        {{"<b>'\"; drop table x"}, {"<b>'\"; drop table x"}, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        record_column in[5];
        size_t count = 0;
        for (; count < 5 && cases[i].in[count]; count++)
            in[count] = (record_column){.name = span_of(cases[i].in[count])};
        columns_changes changes;
        run_column *out = columns_make(in, count, 0, key, &changes);
        for (size_t k = 0; k < count; k++) assert_string_equal(out[k].name, cases[i].out[k]);
        assert_int_equal(changes.clipped, cases[i].clipped);
        assert_int_equal(changes.renamed, cases[i].renamed);
        columns_free(out, count);
    }
}

static void long_equal_names(void **state)
{
    (void)state;
    enum { size = 10000 };
    char *name = mem_alloc(size);
    memset(name, 'x', size);
    record_column *in = mem_calloc(MAX_COLUMNS, sizeof *in);
    for (size_t i = 0; i < MAX_COLUMNS; i++) in[i].name = (span){name, size};
    columns_changes changes;
    run_column *out = columns_make(in, MAX_COLUMNS, 0, hash_new_key(), &changes);
    assert_int_equal(changes.clipped, MAX_COLUMNS);
    assert_int_equal(changes.renamed, MAX_COLUMNS - 1);
    assert_int_equal(strlen(out[0].name), MAX_NAME_BYTES);
    assert_int_equal(strlen(out[1].name), MAX_NAME_BYTES);
    assert_string_equal(out[1].name + MAX_NAME_BYTES - 5, "x (2)");
    assert_string_equal(out[MAX_COLUMNS - 1].name + MAX_NAME_BYTES - 8, "x (4096)");
    columns_free(out, MAX_COLUMNS);
    free(in);
    free(name);
}

static void siphash(void **state) /* the vector of the paper's appendix A */
{
    (void)state;
    unsigned char bytes[15];
    for (unsigned char i = 0; i < sizeof bytes; i++) bytes[i] = i;
    hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    assert_true(hash_bytes(key, bytes, sizeof bytes) == 0xa129ca6149be45e5);
    hash_key a = hash_new_key(), b = hash_new_key();
    assert_true(a.k0 != b.k0 || a.k1 != b.k1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seqs_against_table), cmocka_unit_test(holes_bounded), cmocka_unit_test(column_names),
        cmocka_unit_test(long_equal_names),   cmocka_unit_test(siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
