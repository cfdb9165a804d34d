/* SPDX-License-Identifier: MIT OR Unlicense
   test_order: rows that come early, late, twice, in slices or never leave in order, each once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../server/runs/order.h"

/* What left: rows are checked for order and content, gaps are added up. */
typedef struct {
    uint64_t next, rows, lost, words;
} heard;

/* Row `seq` as the client sampled it: so that its content can be checked anywhere. */
static int64_t time_of(uint64_t seq)
{
    return (int64_t)(seq * 1000);
}

static double value_of(uint64_t seq, uint32_t column)
{
    return (double)seq * 1000 + column;
}

/* Of histograms, where it would be a column: bytes which are no number, that must leave as they came. */
static double word_of(uint64_t seq, uint32_t cell)
{
    uint64_t bits = UINT64_C(0x7ff0000000000000) + seq * 10000 + cell;
    double word;
    memcpy(&word, &bits, sizeof word);
    return word;
}

static void put_cell(double *to, uint64_t seq, uint32_t columns, uint32_t cell)
{
    double value = value_of(seq, cell), word = word_of(seq, cell);
    memcpy(to, cell < columns ? &value : &word, sizeof *to);
}

static void hear_row(void *ctx, uint64_t seq, int64_t time, const double *values, size_t columns, span histograms)
{
    heard *h = ctx;
    assert_int_equal(seq, h->next);
    assert_int_equal(time, time_of(seq));
    for (uint32_t i = 0; i < columns; i++) assert_true(values[i] == value_of(seq, i));
    h->words += histograms.n / 8;
    assert_int_equal(histograms.n % 8, 0);
    for (uint32_t i = 0; i < histograms.n / 8; i++) {
        double word = word_of(seq, (uint32_t)columns + i);
        assert_memory_equal(histograms.p + 8 * i, &word, sizeof word);
    }
    h->next++;
    h->rows++;
}

static void hear_gap(void *ctx, uint64_t first, uint64_t count)
{
    heard *h = ctx;
    assert_int_equal(first, h->next);
    assert_true(count > 0);
    h->next += count;
    h->lost += count;
}

/* Hands `count` rows from `seq` to the order: cells [first, first + slice) of `columns` and `words`. */
static order_result give_cells(order *o, heard *h, uint64_t kept, uint64_t seq, uint32_t count, uint32_t columns,
                               uint32_t words, uint32_t first, uint32_t slice)
{
    int64_t *time = calloc(count + 1, sizeof *time);
    double *values = calloc((size_t)count * slice + 1, sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        time[i] = time_of(seq + i);
        for (uint32_t c = 0; c < slice; c++) put_cell(&values[i * slice + c], seq + i, columns, first + c);
    }
    order_result r = order_take(o,
                                &(record_rows){.kept = kept,
                                               .next = seq + count,
                                               .columns = columns,
                                               .words = words,
                                               .first = first,
                                               .slice = slice,
                                               .count = count,
                                               .seq = seq,
                                               .time = time,
                                               .values = values},
                                SIZE_MAX, &(order_sink){hear_row, hear_gap, h});
    free(time);
    free(values);
    assert_int_equal(order_next(o), h->next);
    return r;
}

static order_result give_slice(order *o, heard *h, uint64_t kept, uint64_t seq, uint32_t count, uint32_t columns,
                               uint32_t first, uint32_t slice)
{
    return give_cells(o, h, kept, seq, count, columns, 0, first, slice);
}

static order_result give(order *o, heard *h, uint64_t kept, uint64_t seq, uint32_t count)
{
    return give_slice(o, h, kept, seq, count, 3, 0, 3);
}

static void in_order(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    order_result r = give(o, &h, 0, 0, 16);
    assert_true(r.news && !r.repeat && !r.hole && !r.full);
    r = give(o, &h, 0, 8, 16);
    assert_true(r.news && r.repeat && !r.hole);
    r = give(o, &h, 0, 8, 16);
    assert_true(!r.news && r.repeat);
    assert_int_equal(h.rows, 24);
    assert_int_equal(order_bytes(o), 0);
    order_free(o);
}

static void early_rows_wait(void **state)
{
    (void)state;
    heard h = {.next = 100};
    order *o = order_new(100);
    order_result r = give(o, &h, 0, 110, 10);
    assert_true(!r.news && r.hole);
    give(o, &h, 0, 130, 5);
    order_range holes[4];
    assert_int_equal(order_holes(o, holes, 4), 2);
    assert_int_equal(holes[0].first, 100);
    assert_int_equal(holes[0].count, 10);
    assert_int_equal(holes[1].first, 120);
    assert_int_equal(holes[1].count, 10);
    assert_int_equal(order_top(o), 135);
    give(o, &h, 0, 100, 10);
    assert_int_equal(h.next, 120);
    give(o, &h, 0, 119, 12);
    assert_int_equal(h.next, 135);
    assert_int_equal(h.lost, 0);
    assert_int_equal(order_bytes(o), 0);
    order_free(o);
}

static void dropped_rows_are_gaps(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    give(o, &h, 0, 5, 2);   /* waits for 0 … 4 */
    give(o, &h, 10, 10, 1); /* 0 … 4 and 7 … 9 will never come; 5, 6 are there */
    assert_int_equal(h.rows, 3);
    assert_int_equal(h.lost, 8);
    assert_int_equal(h.next, 11);
    give(o, &h, 10, 7, 3); /* too late: they are counted as lost already */
    assert_int_equal(h.rows, 3);
    order_result r = give(o, &h, UINT64_C(1) << 62, UINT64_C(1) << 62, 1); /* no loop over what nobody has */
    assert_true(r.news);
    assert_int_equal(h.rows + h.lost, (UINT64_C(1) << 62) + 1);
    order_free(o);
}

static void slices_make_rows(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    give_slice(o, &h, 0, 1, 1, 300, 100, 100);
    give_slice(o, &h, 0, 0, 1, 300, 0, 100);
    give_slice(o, &h, 0, 1, 1, 300, 200, 100);
    order_result r = give_slice(o, &h, 0, 1, 1, 300, 100, 100);
    assert_true(r.repeat);
    give_slice(o, &h, 0, 1, 1, 300, 0, 100);
    assert_int_equal(h.rows, 0);
    give_slice(o, &h, 0, 0, 1, 300, 200, 100);
    assert_int_equal(h.rows, 0);
    give_slice(o, &h, 0, 0, 1, 300, 50, 150); /* cut elsewhere, overlapping */
    assert_int_equal(h.rows, 2);
    assert_int_equal(order_bytes(o), 0);
    order_free(o);
}

/* Whole and at once, whole but early, and in slices that end among the columns, between, and among the words. */
static void histograms_go_with_their_row(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    order_result r = give_cells(o, &h, 0, 0, 1, 3, 5, 0, 8);
    assert_true(r.news && !r.hole);
    assert_int_equal(h.words, 5);
    give_cells(o, &h, 0, 2, 1, 3, 1, 0, 4);
    give_cells(o, &h, 0, 3, 1, 0, 2, 0, 2); /* no columns */
    assert_int_equal(h.rows, 1);
    for (uint32_t first = 0; first < 8; first += 2) give_cells(o, &h, 0, 1, 1, 3, 5, first, 2);
    assert_int_equal(h.rows, 4);
    assert_int_equal(h.words, 5 + 5 + 1 + 2);
    give_cells(o, &h, 0, 4, 1, 3, 5, 3, 5);
    r = give_cells(o, &h, 0, 4, 1, 3, 5, 2, 6); /* overlapping */
    assert_true(!r.news && !r.repeat);
    give_cells(o, &h, 0, 4, 1, 3, 5, 0, 3);
    assert_int_equal(h.words, 18);
    assert_int_equal(order_bytes(o), 0);
    order_free(o);
}

/* Another number of words, or none, for a row of which a part has come, changes nothing of it. */
static void contradicting_words_are_left(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    give_cells(o, &h, 0, 0, 1, 3, 5, 0, 4);
    give_cells(o, &h, 0, 0, 1, 3, 4, 4, 3);
    give_cells(o, &h, 0, 0, 1, 3, 6, 4, 5);
    give_cells(o, &h, 0, 0, 1, 4, 4, 4, 4);
    give_cells(o, &h, 0, 0, 1, 3, 4, 0, 7); /* though it were whole */
    give_slice(o, &h, 0, 0, 1, 3, 0, 3);
    assert_int_equal(h.rows, 0);
    give_cells(o, &h, 0, 0, 1, 3, 5, 4, 4);
    assert_int_equal(h.rows, 1);
    assert_int_equal(h.words, 5);
    order_free(o);
}

static void words_take_room(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    order_result r = {0};
    for (uint64_t seq = 1; seq < 1000; seq++) r = give_cells(o, &h, 0, seq, 1, 3, 4000, 0, 100);
    assert_true(r.full);
    assert_true(order_bytes(o) < 2 * ORDER_BYTES);
    order_free(o);
}

static void room_is_bounded(void **state)
{
    (void)state;
    heard h = {0};
    order *o = order_new(0);
    order_result r = give(o, &h, 0, ORDER_ROWS, 1);
    assert_true(r.full && !r.hole);
    for (uint64_t seq = 1; seq < 3000; seq++) r = give_slice(o, &h, 0, seq, 1, 1000, 0, 500);
    assert_true(r.full);
    assert_true(order_bytes(o) < 2 * ORDER_BYTES);
    give_slice(o, &h, 0, 0, 1, 1000, 0, 500); /* the one in turn is always taken */
    give_slice(o, &h, 0, 0, 1, 1000, 500, 500);
    assert_int_equal(h.rows, 1);
    order_close(o, 3000, &(order_sink){hear_row, hear_gap, &h});
    assert_int_equal(h.rows + h.lost, 3000);
    assert_int_equal(order_bytes(o), 0);
    order_free(o);
}

/* Random datagrams over a random network against the one thing that must hold: in order, once, and the sums agree. */
static void random_network(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++) {
        srand(seed);
        heard h = {0};
        order *o = order_new(0);
        uint64_t kept = 0, sampled = 500;
        for (int i = 0; i < 400; i++) {
            uint64_t seq = kept + (uint64_t)rand() % (sampled - kept + 1);
            uint32_t count = (uint32_t)rand() % 20;
            if (seq + count > sampled) count = (uint32_t)(sampled - seq);
            if (rand() % 4) {
                give(o, &h, kept, seq, count);
            } else if (count) {
                uint32_t words = seq % 3 ? 0 : (uint32_t)seq % 7, first = (uint32_t)rand() % (3 + words);
                give_cells(o, &h, kept, seq, 1, 3, words, first, 1 + (uint32_t)rand() % (3 + words - first));
            }
            if (rand() % 20 == 0) kept += (uint64_t)rand() % (sampled - kept + 1) / 4;
        }
        order_close(o, sampled, &(order_sink){hear_row, hear_gap, &h});
        assert_int_equal(h.next, sampled);
        assert_int_equal(h.rows + h.lost, sampled);
        order_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(early_rows_wait),
        cmocka_unit_test(dropped_rows_are_gaps),
        cmocka_unit_test(slices_make_rows),
        cmocka_unit_test(histograms_go_with_their_row),
        cmocka_unit_test(contradicting_words_are_left),
        cmocka_unit_test(words_take_room),
        cmocka_unit_test(room_is_bounded),
        cmocka_unit_test(random_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
