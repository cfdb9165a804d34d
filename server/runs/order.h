/* SPDX-License-Identifier: MIT OR Unlicense
   order: puts the rows of one run that come by the binary wire into order. They arrive early, late, twice, in slices or
   never; they leave in order of their number, each once, and what will never come leaves as a gap. So everything below
   order_next() is settled, and that one number is all that a restart has to remember. Pure. */
#ifndef ORDER_H
#define ORDER_H

#include "ingest/record.h"

/* Bounds of what may wait for an earlier row, in one run. More is not taken: the client sends it again. */
#define ORDER_ROWS  16384
#define ORDER_BYTES (1 << 20)

typedef struct order order;

/* Called in order of `seq`, during order_take(), order_skip() and order_close(). */
typedef struct {
    /* `histograms`: a row's words, 8 bytes each; empty: it has none. */
    void (*row)(void *ctx, uint64_t seq, int64_t time, const double *values, size_t columns, span histograms);
    void (*gap)(void *ctx, uint64_t first, uint64_t count);
    void *ctx;
} order_sink;

typedef struct {
    uint64_t first, count;
} order_range;

/* What a datagram changed; several may be true. */
typedef struct {
    bool news;   /* something left                                                */
    bool repeat; /* something in it had come before                               */
    bool hole;   /* something in it is early: what lies before it is missing      */
    bool full;   /* something in it was not taken for want of room                */
} order_result;

order *order_new(uint64_t next); /* everything below is settled already */
void order_free(order *o);       /* NULL is fine */
/* The rows of one datagram, which satisfies decode's promise: kept <= seq, seq + count <= next, first + slice <= columns +
   words. `room`: what order_bytes() may grow to for the sake of rows that are early; ORDER_BYTES bounds it in any case. */
order_result order_take(order *o, const record_rows *rows, size_t room, const order_sink *sink);
/* Everything below `next` is settled by somebody else: what waits of it goes, what follows it leaves. */
void order_skip(order *o, uint64_t next, const order_sink *sink);
/* No more will come: hands on what there is below `next`, the rest is gaps. */
void order_close(order *o, uint64_t next, const order_sink *sink);

uint64_t order_next(const order *o);                                  /* every row below is settled              */
uint64_t order_top(const order *o);                                   /* 1 + the highest row that came           */
size_t order_holes(const order *o, order_range *out, size_t max);     /* missing between the two, the first ones */
size_t order_bytes(const order *o);                                   /* of memory, for rows that wait           */

#endif
