/* SPDX-License-Identifier: MIT OR Unlicense
   test_decode_binary: the layouts of WIRE.md's binary wire that bring columns, rows and histograms, each up to its limits and
   one beyond. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "../server/base/bytes.h"
#include "../server/ingest/decode.h"

enum { COLUMNS = 2, ROWS = 3, ROW = 6 };

/* A datagram with rows or one with histograms; `number`: what stands for rows or words. */
typedef struct {
    int kind;
    uint64_t kept, next;
    uint32_t columns, first, slice, number;
    uint64_t seq;
    int64_t time;
    size_t cells; /* that follow, behind a time in front of each `slice` of them */
    int cut;      /* bytes too few, or (negative) too many                       */
} message;

/* A cell's bytes, wherever it is sent: an infinity's in every fourth. */
static uint64_t cell_of(size_t cell)
{
    return cell % 4 == 3 ? UINT64_C(0x7ff0000000000000) : bits_of(1.5 + (double)cell);
}

static uint8_t *put_head(uint8_t *p, int kind)
{
    static const uint8_t run[16] = {1};
    memcpy(p, "\xD0\x10\x01", 3);
    p[3] = (uint8_t)kind;
    memcpy(p + 4, run, sizeof run);
    return p + 20;
}

static size_t write_message(const message *m, uint8_t *out)
{
    uint8_t *p = put_head(out, m->kind);
    p = store_uint(p, m->kept, 8);
    p = store_uint(p, m->next, 8);
    p = store_uint(p, UINT64_MAX, 8); /* an offset of -1 */
    p = store_uint(p, m->columns, 2);
    p = store_uint(p, m->first, 2);
    p = store_uint(p, m->slice, 2);
    p = store_uint(p, m->number, 2);
    p = store_uint(p, m->seq, 8);
    if (!m->slice) p = store_uint(p, (uint64_t)m->time, m->kind == ROW || m->number ? 8 : 0);
    for (size_t i = 0; i < m->cells; i++) {
        if (i % m->slice == 0) p = store_uint(p, (uint64_t)m->time, 8);
        p = store_uint(p, cell_of(m->first + i % m->slice), 8);
    }
    return (size_t)((p - out) - m->cut);
}

/* What became of it; its arrays live until the next. */
static void keep(void *ctx, const record *r)
{
    *(record *)ctx = *r;
}

static decode_result decode(const message *m, record *r)
{
    static uint8_t bytes[70000];
    memset(bytes, 0, sizeof bytes);
    return decode_datagram(bytes, write_message(m, bytes), keep, r);
}

static void check_cells(const record_rows *rows)
{
    for (uint32_t i = 0; i < rows->count * rows->slice; i++) {
        uint32_t cell = rows->first + i % rows->slice;
        uint64_t bits = cell_of(cell);
        uint8_t bytes[8];
        store_u64(bytes, bits);
        if (cell >= rows->columns)
            assert_memory_equal(&rows->values[i], bytes, sizeof bytes); /* as it came, an infinity or not */
        else
            assert_true(cell % 4 == 3 ? isnan(rows->values[i]) : bits_of(rows->values[i]) == bits);
    }
}

static void good_rows_with_histograms(void **state)
{
    (void)state;
    static const message good[] = {
        {.kind = ROW, .next = 9, .columns = 3, .slice = 7, .number = 4, .seq = 8, .time = 5, .cells = 7},
        {.kind = ROW, .next = 9, .columns = 3, .slice = 2, .number = 4, .seq = 8, .time = 5, .cells = 2},
        {.kind = ROW, .next = 9, .columns = 3, .first = 1, .slice = 4, .number = 4, .seq = 8, .cells = 4},
        {.kind = ROW, .next = 9, .columns = 3, .first = 3, .slice = 4, .number = 4, .seq = 8, .cells = 4},
        {.kind = ROW, .next = 9, .columns = 3, .first = 6, .slice = 1, .number = 4, .seq = 8, .cells = 1},
        {.kind = ROW, .kept = 8, .next = 9, .slice = 1, .number = 1, .seq = 8, .cells = 1}, /* no columns */
        {.kind = ROW, .next = UINT64_C(1) << 62, .slice = 1, .number = 1, .cells = 1},
        {.kind = ROW, .next = 1, .columns = MAX_COLUMNS, .slice = 4088, .number = MAX_WORDS, .cells = 4088},
        {.kind = ROW,
         .next = 1,
         .columns = MAX_COLUMNS,
         .first = MAX_COLUMNS + MAX_WORDS - 1,
         .slice = 1,
         .number = MAX_WORDS,
         .cells = 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        record r = {.kind = RECORD_END};
        assert_int_equal(decode(&good[i], &r), DECODE_OK);
        assert_int_equal(r.kind, RECORD_ROWS);
        assert_int_equal(r.rows.kept, good[i].kept);
        assert_int_equal(r.rows.next, good[i].next);
        assert_int_equal(r.rows.offset, -1);
        assert_int_equal(r.rows.columns, good[i].columns);
        assert_int_equal(r.rows.words, good[i].number);
        assert_int_equal(r.rows.first, good[i].first);
        assert_int_equal(r.rows.slice, good[i].slice);
        assert_int_equal(r.rows.count, 1);
        assert_int_equal(r.rows.seq, good[i].seq);
        assert_int_equal(r.rows.time[0], good[i].time);
        check_cells(&r.rows);
    }
}

static void bad_rows_with_histograms(void **state)
{
    (void)state;
    static const struct {
        message of;
        decode_result why;
    } bad[] = {
        /* no words, and one too many */
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 3, .cells = 3}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .slice = 1, .number = MAX_WORDS + 1, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .slice = 1, .number = UINT16_MAX, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = MAX_COLUMNS + 1, .slice = 1, .number = 1, .cells = 1}, DECODE_COLUMNS},
        /* a slice of nothing, and past the end */
        {{.kind = ROW, .next = 1, .columns = 3, .number = 4}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .first = 7, .number = 4}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 8, .number = 4, .cells = 8}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .first = 4, .slice = 4, .number = 4, .cells = 4}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .first = UINT16_MAX, .slice = 1, .number = 4, .cells = 1},
         DECODE_LENGTH},
        /* numbers of rows that contradict each other, or are none */
        {{.kind = ROW, .next = 8, .slice = 1, .number = 1, .seq = 8, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .kept = 9, .next = 9, .slice = 1, .number = 1, .seq = 8, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = (UINT64_C(1) << 62) + 1, .slice = 1, .number = 1, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = UINT64_MAX, .slice = 1, .number = 1, .seq = UINT64_MAX, .cells = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .slice = 1, .number = 1, .time = -1, .cells = 1}, DECODE_LENGTH},
        /* another length than the fields say; two rows */
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 7, .number = 4, .cells = 7, .cut = 1}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 7, .number = 4, .cells = 7, .cut = -1}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 7, .number = 4, .cells = 14}, DECODE_LENGTH},
        {{.kind = ROW, .next = 1, .columns = 3, .slice = 7, .number = 4, .cells = 7, .cut = 72 - 15}, DECODE_LENGTH},
        {{.kind = ROW, .cut = 20}, DECODE_COLUMNS}, /* not even its head */
        {{.kind = ROW + 1, .next = 1, .slice = 1, .number = 1, .cells = 1}, DECODE_MESSAGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        record r = {.kind = RECORD_END};
        if (decode(&bad[i].of, &r) != bad[i].why) fail_msg("%zu is not refused as it should be", i);
        assert_int_equal(r.kind, RECORD_END);
    }
}

static void rows_have_no_words(void **state)
{
    (void)state;
    static const message good[] = {
        {.kind = ROWS, .next = 5, .columns = 3, .slice = 3, .number = 5, .cells = 15},
        {.kind = ROWS, .next = 5, .columns = 8, .first = 3, .slice = 5, .number = 5, .cells = 25},
        {.kind = ROWS, .next = 5, .columns = 3, .slice = 3, .number = 0, .seq = 5}, /* a heartbeat */
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        record r = {.kind = RECORD_END};
        assert_int_equal(decode(&good[i], &r), DECODE_OK);
        assert_int_equal(r.rows.count, good[i].number);
        assert_int_equal(r.rows.words, 0);
        check_cells(&r.rows);
    }
    record r;
    assert_int_equal(
        decode(&(message){.kind = ROWS, .next = 1, .columns = 3, .first = 1, .slice = 3, .number = 1, .cells = 3},
               &r),
        DECODE_LENGTH);
}

/* A kind that a later version adds is shown as a level, so that its rows are good. */
static void kinds_of_columns(void **state)
{
    (void)state;
    static const struct {
        unsigned byte;
        column_kind kind;
    } kinds[] = {
        {0, COLUMN_GAUGE}, {1, COLUMN_COUNTER}, {2, COLUMN_HISTOGRAM}, {3, COLUMN_GAUGE}, {255, COLUMN_GAUGE}};
    uint8_t bytes[100], *p = put_head(bytes, COLUMNS);
    p = store_uint(store_uint(p, 7, 2), ARRAY_LEN(kinds), 2);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        p = store_uint(store_uint(store_uint(p, kinds[i].byte, 1), 1, 1), 2, 1);
        memcpy(p, "sab", 3);
        p += 3;
    }
    record r = {.kind = RECORD_END};
    assert_int_equal(decode_datagram(bytes, (size_t)(p - bytes), keep, &r), DECODE_OK);
    assert_int_equal(r.names.first, 7);
    assert_int_equal(r.names.count, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(r.names.columns[i].kind, kinds[i].kind);
        assert_true(span_eq(r.names.columns[i].name, span_of("ab")) &&
                    span_eq(r.names.columns[i].unit, span_of("s")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_rows_with_histograms),
        cmocka_unit_test(bad_rows_with_histograms),
        cmocka_unit_test(rows_have_no_words),
        cmocka_unit_test(kinds_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
