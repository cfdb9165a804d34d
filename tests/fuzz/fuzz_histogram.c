/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_histogram: any bytes as the histograms of a row, the first two as how many columns there are. A reader that was written
   after server/WIRE.md alone must find the same in them, or as little; and what is written of them is read as the same. */
#include "server/base/histogram.h"

#include "must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the other reader ---- */

typedef struct {
    uint64_t column, bucket, count;
} bin;

typedef struct {
    bin bins[65536];
    size_t n, length; /* of the bytes, without the zeros behind */
} reading;

typedef struct {
    const uint8_t *p, *end;
    bool good;
} source;

static uint64_t number(source *s)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (!s->good || s->p == s->end || shift > 63) {
            s->good = false;
            return 0;
        }
        v |= (uint64_t)(*s->p & 127) << shift;
        if (*s->p++ < 128) return v;
    }
}

static void read_column(source *s, uint64_t column, reading *out)
{
    uint64_t buckets = number(s), bucket = 0;
    s->good &= buckets > 0;
    for (uint64_t i = 0; s->good && i < buckets; i++) {
        uint64_t step = number(s);
        s->good &= step < HISTOGRAM_BUCKETS - bucket;
        bucket += step;
        bin b = {column, bucket++, number(s)};
        s->good &= b.count > 0;
        if (s->good) out->bins[out->n++] = b;
        s->good &= bucket < HISTOGRAM_BUCKETS || i + 1 == buckets;
    }
}

static bool read_all(const uint8_t *data, size_t size, uint64_t columns, reading *out)
{
    source s = {data, data + size, true};
    uint64_t next = 0; /* 1 + the column before */
    out->n = 0;
    while (s.good && s.p < s.end && *s.p) {
        uint64_t step = number(&s);
        s.good &= step > 0 && step <= columns - next;
        next += step;
        if (s.good) read_column(&s, next - 1, out);
    }
    out->length = (size_t)(s.p - data);
    for (; s.p < s.end; s.p++) s.good &= *s.p == 0;
    return s.good;
}

/* ---- the two compared ---- */

static void check_one(uint32_t column, const histogram *h, const bin *expected, uint64_t factor)
{
    for (size_t i = 0; i < h->count; i++) {
        uint64_t count;
        if (__builtin_mul_overflow(expected[i].count, factor, &count)) count = UINT64_MAX;
        MUST(expected[i].column == column && h->bins[i].bucket == expected[i].bucket && h->bins[i].count == count);
    }
    if (histogram_total(h) > UINT64_C(1) << 53) return; /* beyond that shares are not exact */
    double least = histogram_rank(h, 0), middle = histogram_rank(h, 0.5), most = histogram_rank(h, 1);
    MUST(least <= middle && middle <= most && most <= histogram_least(h->bins[h->count - 1].bucket + 1));
    double mean = histogram_mean(h); /* of the greatest there is infinite */
    MUST(mean >= least * 0.99 && (mean <= most * 1.01 || isinf(mean)));
}

static void check(const histogram_set *set, const reading *expected, uint64_t factor)
{
    size_t n = 0;
    for (size_t i = 0; i < set->count; n += set->all[i++].of.count)
        check_one(set->all[i].column, &set->all[i].of, &expected->bins[n], factor);
    MUST(n == expected->n);
}

static void check_written(const histogram_set *set, const reading *expected, size_t columns)
{
    static reading again;
    buf out = {0};
    histogram_set_write(set, &out);
    MUST(out.n <= expected->length && (out.n > 0) == (set->count > 0));
    if (out.n == 0) return;
    MUST(histogram_set_length((span){out.p, out.n}, columns) == out.n);
    MUST(read_all((const uint8_t *)out.p, out.n, columns, &again));
    MUST(again.n == expected->n && memcmp(again.bins, expected->bins, again.n * sizeof *again.bins) == 0);
    buf_free(&out);
}

/* One column's histogram is wanted. */
typedef struct {
    uint32_t column;
    histogram *to;
} wanted;

static histogram *wanted_of(void *ctx, uint32_t column)
{
    const wanted *w = ctx;
    return column == w->column ? w->to : NULL;
}

static void check_picked(const histogram_set *set, span bytes)
{
    for (size_t i = 0; i < set->count && i < 8; i++) {
        histogram one = {0}, none = {0};
        histogram_set_pick(bytes, wanted_of, &(wanted){set->all[i].column, &one});
        MUST(one.count == set->all[i].of.count);
        MUST(memcmp(one.bins, set->all[i].of.bins, one.count * sizeof *one.bins) == 0);
        histogram_set_pick(bytes, wanted_of, &(wanted){4096, &none});
        MUST(none.count == 0);
        histogram_free(&one);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static reading expected;
    if (size < 2 || size > 65536) return 0;
    size_t columns = ((size_t)data[0] | (size_t)data[1] << 8) % 4096 + 1;
    span bytes = {(const char *)data + 2, size - 2};
    bool good = read_all(data + 2, size - 2, columns, &expected);
    histogram_set set = {0};
    MUST(histogram_set_length(bytes, columns) == (good ? expected.length : 0));
    MUST(histogram_set_add(&set, bytes, columns) == good);
    if (good) {
        check(&set, &expected, 1);
        check_written(&set, &expected, columns);
        check_picked(&set, bytes);
        MUST(histogram_set_add(&set, bytes, columns));
        check(&set, &expected, 2);
    }
    histogram_set_free(&set);
    return 0;
}
