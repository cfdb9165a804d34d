/* SPDX-License-Identifier: MIT OR Unlicense
   histogram: how often values of each size came, exact in their numbers, and in the values within 0.4 %; histograms are
   added up without a further error, so that the percentiles of any time can be told. Pure.

   A bucket holds the values >= 0 whose doubles have the same sign, exponent and first seven binary digits: their bits
   shifted right by HISTOGRAM_SHIFT are its number. So each is at most 1/128 of its least value wide, as in HdrHistogram
   (http://hdrhistogram.org), but without bounds and for any unit.

   The bytes of a row's histograms, on the wire and in the store, by column: varint column minus the one before (the first: its
   number plus 1); varint buckets; each, by bucket: varint bucket minus the one before, minus 1 (the first: its number);
   varint count, at least 1. A zero in place of a column ends them. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "base/base.h"

#define HISTOGRAM_SHIFT   45
#define HISTOGRAM_BUCKETS (UINT32_C(2047) << 7) /* from there on would be infinity */

uint32_t histogram_bucket(double value);        /* of a finite one; below 0: as 0              */
double histogram_least(uint32_t bucket);        /* its least value; of the one behind it: its end */
double histogram_middle(uint32_t bucket);

typedef struct {
    uint32_t bucket;
    uint64_t count;                             /* saturates */
} histogram_bin;

/* Zero-initialise; histogram_free(). */
typedef struct {
    histogram_bin *bins;                        /* by bucket, rising; none is empty */
    size_t count, room;
} histogram;

void histogram_free(histogram *h);
void histogram_add(histogram *to, const histogram *h);
uint64_t histogram_total(const histogram *h);
/* By nearest rank: the least value that at least the share `p`, 0 … 1, of all does not exceed. NaN if there is none. */
double histogram_rank(const histogram *h, double p);
double histogram_mean(const histogram *h);

/* Those of several columns. Zero-initialise; histogram_set_free(). */
typedef struct {
    struct {
        uint32_t column;
        histogram of;
    } *all;                                     /* by column, rising */
    size_t count, room;
} histogram_set;

void histogram_set_free(histogram_set *h);
void histogram_set_write(const histogram_set *h, buf *out);       /* nothing if there are none */
/* Adds what the bytes hold; zeros may follow them. false: they are ill-formed, or tell of a column that is not below
   `columns`, and what was added is anything. */
bool histogram_set_add(histogram_set *to, span bytes, size_t columns);
/* How many of `bytes` the histograms take, without the zeros that follow; 0: ill-formed, as above. */
size_t histogram_set_length(span bytes, size_t columns);
/* Adds those of well-formed bytes, each to the histogram that `of` gives for its column; NULL: it is not wanted. */
void histogram_set_pick(span bytes, histogram *(*of)(void *ctx, uint32_t column), void *ctx);

/* ---- the bytes of many rows, of which few have any ---- */

/* Zero-initialise; row_histograms_free(). */
typedef struct {
    struct {
        size_t row, at, n;
    } *each;                                    /* by row, rising; at … at + n of bytes */
    size_t count, room;
    buf bytes;
} row_histograms;

void row_histograms_free(row_histograms *h);
/* Rows come in rising order; of no bytes nothing is kept. */
void row_histograms_add(row_histograms *h, size_t row, span bytes);
/* Takes those of rows that follow the first `rows`; `later` is empty afterwards. */
void row_histograms_join(row_histograms *h, size_t rows, row_histograms *later);
span row_histograms_of(const row_histograms *h, size_t row); /* empty: it has none */

#endif
