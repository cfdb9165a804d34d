/* SPDX-License-Identifier: MIT OR Unlicense
   order: a window of early rows above the next one that is due. */
#include "runs/order.h"

#include <stdlib.h>
#include <string.h>

/* A row that came early, perhaps not yet whole. */
typedef struct {
    int64_t time;
    uint32_t columns, missing; /* columns that have not come                                  */
    double *values;            /* NULL: the slot is empty                                     */
    uint8_t *have;             /* a bit a column, only while some are missing: else NULL      */
} early;

struct order {
    uint64_t next, top;
    size_t bytes;
    early *slots; /* row n is in slot n % ORDER_ROWS, next <= n < next + ORDER_ROWS; NULL while nothing waits */
    size_t used;
};

order *order_new(uint64_t next)
{
    order *o = mem_calloc(1, sizeof *o);
    o->next = o->top = next;
    return o;
}

static size_t early_bytes(const early *e)
{
    return e->columns * sizeof(double) + (e->have ? (e->columns + 7) / 8 : 0);
}

static void early_clear(order *o, early *e)
{
    if (!e->values) return;
    o->bytes -= early_bytes(e);
    free(e->values);
    free(e->have);
    *e = (early){0};
    if (--o->used) return;
    free(o->slots);
    o->slots = NULL;
}

void order_free(order *o)
{
    if (!o) return;
    for (size_t i = 0; o->slots && i < ORDER_ROWS; i++) early_clear(o, &o->slots[i]);
    free(o);
}

static early *slot_of(const order *o, uint64_t seq)
{
    return o->slots && seq < o->top ? &o->slots[seq % ORDER_ROWS] : NULL;
}

static bool is_whole(const early *e)
{
    return e && e->values && !e->missing;
}

/* Hands on the whole rows that are next in turn. */
static bool release(order *o, const order_sink *sink)
{
    bool any = false;
    for (early *e; is_whole(e = slot_of(o, o->next)); any = true) {
        sink->row(sink->ctx, o->next++, e->time, e->values, e->columns);
        early_clear(o, e);
    }
    return any;
}

/* Settles everything below `kept`: what is not whole by now will never come. Past `top` there is nothing to look at,
   so the cost is bounded by the window, whatever the number says. */
static bool settle(order *o, uint64_t kept, const order_sink *sink)
{
    bool any = kept > o->next;
    while (o->next < kept) {
        if (release(o, sink)) continue;
        uint64_t first = o->next;
        while (o->next < kept && o->next < o->top && !is_whole(slot_of(o, o->next))) {
            early *e = slot_of(o, o->next++);
            if (e) early_clear(o, e);
        }
        if (o->next >= o->top) o->next = o->top = kept;
        sink->gap(sink->ctx, first, o->next - first);
    }
    return release(o, sink) || any;
}

static bool has_column(const early *e, uint32_t column)
{
    return !e->have || (e->have[column / 8] >> column % 8 & 1);
}

/* Adds columns [first, first + slice) to an early row; false if all had come before. */
static bool early_fill(order *o, early *e, const double *values, uint32_t first, uint32_t slice)
{
    bool news = false;
    for (uint32_t i = 0; i < slice; i++) {
        uint32_t column = first + i;
        if (has_column(e, column)) continue;
        e->values[column] = values[i];
        e->have[column / 8] |= (uint8_t)(1 << column % 8);
        e->missing--;
        news = true;
    }
    if (!e->missing && e->have) {
        o->bytes -= early_bytes(e);
        free(e->have);
        e->have = NULL;
        o->bytes += early_bytes(e);
    }
    return news;
}

static void early_begin(order *o, early *e, int64_t time, uint32_t columns)
{
    *e = (early){.time = time, .columns = columns, .missing = columns};
    e->values = mem_alloc(columns * sizeof(double));
    e->have = mem_calloc((columns + 7) / 8, 1);
    o->bytes += early_bytes(e);
    o->used++;
}

static bool has_room(const order *o, uint32_t columns, size_t room)
{
    size_t bytes = o->bytes + columns * sizeof(double);
    return bytes <= ORDER_BYTES && bytes + ORDER_ROWS * sizeof *o->slots <= room;
}

/* A row, or a slice of one, that cannot leave yet. */
static void keep(order *o, const record_rows *rows, size_t room, uint32_t i, order_result *result)
{
    uint64_t seq = rows->seq + i;
    early *e = o->slots ? &o->slots[seq % ORDER_ROWS] : NULL;
    bool fresh = !e || !e->values;
    /* The row that is next in turn is taken even when the room is used up, or nothing would ever leave. */
    if (seq - o->next >= ORDER_ROWS || (fresh && seq != o->next && !has_room(o, rows->columns, room))) {
        result->full = true;
        return;
    }
    if (fresh) {
        if (!o->slots) o->slots = mem_calloc(ORDER_ROWS, sizeof *o->slots);
        e = &o->slots[seq % ORDER_ROWS];
        early_begin(o, e, rows->time[i], rows->columns);
    }
    if (e->columns != rows->columns) return; /* contradicts what came before: the first word counts */
    if (!early_fill(o, e, rows->values + (size_t)i * rows->slice, rows->first, rows->slice)) result->repeat = true;
    if (seq >= o->top) o->top = seq + 1;
    if (seq > o->next) result->hole = true;
}

order_result order_take(order *o, const record_rows *rows, size_t room, const order_sink *sink)
{
    order_result result = {.news = settle(o, rows->kept, sink)};
    for (uint32_t i = 0; i < rows->count; i++) {
        uint64_t seq = rows->seq + i;
        if (seq < o->next) {
            result.repeat = true;
        } else if (seq == o->next && rows->slice == rows->columns && !(slot_of(o, seq) && slot_of(o, seq)->values)) {
            sink->row(sink->ctx, seq, rows->time[i], rows->values + (size_t)i * rows->slice, rows->columns);
            if (++o->next > o->top) o->top = o->next;
            release(o, sink);
            result.news = true;
        } else {
            keep(o, rows, room, i, &result);
            result.news |= release(o, sink);
        }
    }
    return result;
}

void order_skip(order *o, uint64_t next, const order_sink *sink)
{
    for (; o->next < next && o->next < o->top; o->next++) {
        early *e = slot_of(o, o->next);
        if (e) early_clear(o, e);
    }
    if (o->next < next) o->next = o->top = next;
    release(o, sink);
}

void order_close(order *o, uint64_t next, const order_sink *sink)
{
    settle(o, next > o->top ? next : o->top, sink);
}

uint64_t order_next(const order *o)
{
    return o->next;
}

uint64_t order_top(const order *o)
{
    return o->top;
}

size_t order_holes(const order *o, order_range *out, size_t max)
{
    size_t n = 0;
    for (uint64_t seq = o->next; seq < o->top && n < max;) {
        uint64_t first = seq;
        while (seq < o->top && !is_whole(slot_of(o, seq))) seq++;
        if (seq > first) out[n++] = (order_range){first, seq - first};
        while (seq < o->top && is_whole(slot_of(o, seq))) seq++;
    }
    return n;
}

size_t order_bytes(const order *o)
{
    return o->bytes + (o->slots ? ORDER_ROWS * sizeof *o->slots : 0);
}
