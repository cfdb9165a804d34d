/* SPDX-License-Identifier: MIT OR Unlicense
   histogram: sorted lists of buckets, and their bytes. Lists, since a function's times fall into some dozens of the 262,000
   buckets there are; and memory is bounded by the bytes that came. */
#include "base/histogram.h"

#include <stdlib.h>

#include "base/bytes.h"

/* ---- buckets ---- */

uint32_t histogram_bucket(double value)
{
    return value > 0 ? (uint32_t)(bits_of(value) >> HISTOGRAM_SHIFT) : 0;
}

double histogram_least(uint32_t bucket)
{
    return of_bits((uint64_t)bucket << HISTOGRAM_SHIFT);
}

double histogram_middle(uint32_t bucket)
{
    return of_bits(((uint64_t)bucket << HISTOGRAM_SHIFT) + (UINT64_C(1) << (HISTOGRAM_SHIFT - 1)));
}

/* ---- one histogram ---- */

void histogram_free(histogram *h)
{
    free(h->bins);
    *h = (histogram){0};
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What two sorted lists have together, from their ends on, so that it needs no room but the first one's own. */
static void add_from_end(histogram *to, const histogram *h, size_t together)
{
    size_t i = to->count, k = h->count;
    for (size_t at = together; k > 0;) {
        const histogram_bin *a = i ? &to->bins[i - 1] : NULL, *b = &h->bins[k - 1];
        if (a && a->bucket == b->bucket) {
            to->bins[--at] = (histogram_bin){a->bucket, plus(a->count, b->count)};
            i--, k--;
        } else if (a && a->bucket > b->bucket) {
            to->bins[--at] = *a;
            i--;
        } else {
            to->bins[--at] = *b;
            k--;
        }
    }
    to->count = together;
}

static size_t count_together(const histogram *a, const histogram *b)
{
    size_t both = 0;
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        uint32_t x = a->bins[i].bucket, y = b->bins[k].bucket;
        both += x == y;
        i += x <= y;
        k += y <= x;
    }
    return a->count + b->count - both;
}

void histogram_add(histogram *to, const histogram *h)
{
    size_t together = count_together(to, h);
    if (together > to->room) {
        to->room = together > 2 * to->room ? together : 2 * to->room;
        to->bins = mem_resize(to->bins, to->room, sizeof *to->bins);
    }
    add_from_end(to, h, together);
}

uint64_t histogram_total(const histogram *h)
{
    uint64_t total = 0;
    for (size_t i = 0; i < h->count; i++) total = plus(total, h->bins[i].count);
    return total;
}

double histogram_rank(const histogram *h, double p)
{
    double wanted = p * (double)histogram_total(h);
    uint64_t below = 0;
    for (size_t i = 0; i < h->count; i++) {
        below = plus(below, h->bins[i].count);
        if ((double)below >= wanted) return histogram_middle(h->bins[i].bucket);
    }
    return h->count ? histogram_middle(h->bins[h->count - 1].bucket) : NAN;
}

double histogram_mean(const histogram *h)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < h->count; i++) {
        sum += histogram_middle(h->bins[i].bucket) * (double)h->bins[i].count;
        count += (double)h->bins[i].count;
    }
    return count > 0 ? sum / count : NAN;
}

/* ---- those of several columns, and their bytes ---- */

void histogram_set_free(histogram_set *h)
{
    for (size_t i = 0; i < h->count; i++) histogram_free(&h->all[i].of);
    free(h->all);
    *h = (histogram_set){0};
}

/* The column's, made if there is none; `hint` is where it is looked for first. */
static histogram *histogram_of(histogram_set *h, uint32_t column, size_t *hint)
{
    size_t i = *hint;
    while (i < h->count && h->all[i].column < column) i++;
    *hint = i + 1;
    if (i < h->count && h->all[i].column == column) return &h->all[i].of;
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 8;
        h->all = mem_resize(h->all, h->room, sizeof *h->all);
    }
    memmove(&h->all[i + 1], &h->all[i], (h->count - i) * sizeof *h->all);
    h->all[i].column = column;
    h->all[i].of = (histogram){0};
    h->count++;
    return &h->all[i].of;
}

void histogram_set_write(const histogram_set *h, buf *out)
{
    uint32_t next = 0;
    for (size_t i = 0; i < h->count; i++) {
        const histogram *of = &h->all[i].of;
        put_varint(out, h->all[i].column - next + 1);
        next = h->all[i].column + 1;
        put_varint(out, of->count);
        uint32_t bucket = 0;
        for (size_t k = 0; k < of->count; k++) {
            put_varint(out, of->bins[k].bucket - bucket);
            bucket = of->bins[k].bucket + 1;
            put_varint(out, of->bins[k].count);
        }
    }
}

/* The next of a list that rises, `gap` above the least that it can be, which is `*next`. */
static uint32_t rising(reader *r, uint64_t gap, uint64_t *next, uint64_t bound)
{
    if (r->bad || *next >= bound || gap >= bound - *next) {
        r->bad = true;
        return 0;
    }
    uint64_t value = *next + gap;
    *next = value + 1;
    return (uint32_t)value;
}

/* A list of buckets, into `out` if that is not NULL. */
static void get_histogram(reader *r, histogram *out)
{
    uint64_t count = get_varint(r), next = 0;
    if (count == 0 || count > (size_t)(r->end - r->p) / 2) r->bad = true; /* each takes two bytes at least */
    if (r->bad) return;
    if (out && count > out->room) {
        out->room = count;
        out->bins = mem_resize(out->bins, out->room, sizeof *out->bins);
    }
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        histogram_bin bin = {.bucket = rising(r, get_varint(r), &next, HISTOGRAM_BUCKETS)};
        bin.count = get_varint(r);
        if (bin.count == 0) r->bad = true;
        if (out) out->bins[i] = bin;
    }
    if (out) out->count = r->bad ? 0 : count;
}

/* Calls `column` for each column; the callee reads its list of buckets. `*length`: the bytes without the zeros at the end. */
static bool each_histogram(span bytes, size_t columns, void (*column)(void *ctx, uint32_t column, reader *r), void *ctx,
                           size_t *length)
{
    reader r = reader_of(bytes);
    for (uint64_t next = 0; !r.bad && r.p < r.end && *r.p;) {
        uint64_t step = get_varint(&r);
        uint32_t number = rising(&r, step - 1, &next, columns);
        if (!r.bad) column(ctx, number, &r);
    }
    *length = bytes.n - (size_t)(r.end - r.p);
    for (; r.p < r.end; r.p++) r.bad |= *r.p != 0;
    return !r.bad;
}

typedef struct {
    histogram_set *to;
    size_t hint;
    histogram read;
} adding;

static void add_column(void *ctx, uint32_t column, reader *r)
{
    adding *a = ctx;
    get_histogram(r, &a->read);
    if (!r->bad) histogram_add(histogram_of(a->to, column, &a->hint), &a->read);
}

bool histogram_set_add(histogram_set *to, span bytes, size_t columns)
{
    adding a = {.to = to};
    size_t length;
    bool good = each_histogram(bytes, columns, add_column, &a, &length);
    histogram_free(&a.read);
    return good;
}

static void skip_column(void *ctx, uint32_t column, reader *r)
{
    (void)ctx, (void)column;
    get_histogram(r, NULL);
}

size_t histogram_set_length(span bytes, size_t columns)
{
    size_t length;
    return each_histogram(bytes, columns, skip_column, NULL, &length) ? length : 0;
}

typedef struct {
    histogram *(*of)(void *ctx, uint32_t column);
    void *ctx;
    histogram read;
} picking;

static void pick_column(void *ctx, uint32_t column, reader *r)
{
    picking *p = ctx;
    histogram *to = p->of(p->ctx, column);
    get_histogram(r, to ? &p->read : NULL);
    if (!r->bad && to) histogram_add(to, &p->read);
}

void histogram_set_pick(span bytes, histogram *(*of)(void *ctx, uint32_t column), void *ctx)
{
    picking p = {.of = of, .ctx = ctx};
    size_t length;
    each_histogram(bytes, UINT32_MAX, pick_column, &p, &length);
    histogram_free(&p.read);
}

/* ---- the bytes of many rows ---- */

void row_histograms_free(row_histograms *h)
{
    free(h->each);
    buf_free(&h->bytes);
    *h = (row_histograms){0};
}

void row_histograms_add(row_histograms *h, size_t row, span bytes)
{
    if (bytes.n == 0) return;
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 8;
        h->each = mem_resize(h->each, h->room, sizeof *h->each);
    }
    h->each[h->count].row = row;
    h->each[h->count].at = h->bytes.n;
    h->each[h->count++].n = bytes.n;
    buf_append(&h->bytes, bytes.p, bytes.n);
}

void row_histograms_join(row_histograms *h, size_t rows, row_histograms *later)
{
    for (size_t i = 0; i < later->count; i++) {
        span bytes = {later->bytes.p + later->each[i].at, later->each[i].n};
        row_histograms_add(h, rows + later->each[i].row, bytes);
    }
    row_histograms_free(later);
}

span row_histograms_of(const row_histograms *h, size_t row)
{
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->each[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == h->count || h->each[low].row != row) return (span){NULL, 0};
    return (span){h->bytes.p + h->each[low].at, h->each[low].n};
}
