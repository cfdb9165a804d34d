/* SPDX-License-Identifier: MIT OR Unlicense
   order: a window of early rows above the next one that is due. */
#include "runs/order.h"

#include <stdlib.h>
#include <string.h>

/* A row that came early, perhaps not yet whole. */
typedef struct {
    int64_t time;
    uint32_t columns, words; /* so many cells                                               */
    uint32_t missing;        /* cells that have not come                                    */
    double *values;          /* NULL: the slot is empty                                     */
    uint8_t *have;           /* a bit a cell, only while some are missing: else NULL        */
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

static uint32_t early_cells(const early *e)
{
    return e->columns + e->words;
}

static size_t early_bytes(const early *e)
{
    return early_cells(e) * sizeof(double) + (e->have ? (early_cells(e) + 7) / 8 : 0);
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

static void hand_on(const order_sink *sink, uint64_t seq, int64_t time, const double *cells, uint32_t columns,
                    uint32_t words)
{
    sink->row(sink->ctx, seq, time, cells, columns, (span){(const char *)(cells + columns), words * sizeof *cells});
}

/* Hands on the whole rows that are next in turn. */
static bool release(order *o, const order_sink *sink)
{
    bool any = false;
    for (early *e; is_whole(e = slot_of(o, o->next)); any = true) {
        hand_on(sink, o->next++, e->time, e->values, e->columns, e->words);
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

static bool has_cell(const early *e, uint32_t cell)
{
    return !e->have || (e->have[cell / 8] >> cell % 8 & 1);
}

/* Adds cells [first, first + slice) to an early row; false if all had come before. */
static bool early_fill(order *o, early *e, const double *values, uint32_t first, uint32_t slice)
{
    bool news = false;
    for (uint32_t i = 0; i < slice; i++) {
        uint32_t cell = first + i;
        if (has_cell(e, cell)) continue;
        memcpy(&e->values[cell], &values[i], sizeof *values); /* a word is no number: some machines would change it */
        e->have[cell / 8] |= (uint8_t)(1 << cell % 8);
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

static void early_begin(order *o, early *e, int64_t time, uint32_t columns, uint32_t words)
{
    *e = (early){.time = time, .columns = columns, .words = words, .missing = columns + words};
    e->values = mem_alloc(early_cells(e) * sizeof(double));
    e->have = mem_calloc((early_cells(e) + 7) / 8, 1);
    o->bytes += early_bytes(e);
    o->used++;
}

static bool has_room(const order *o, uint32_t cells, size_t room)
{
    size_t bytes = o->bytes + cells * sizeof(double);
    return bytes <= ORDER_BYTES && bytes + ORDER_ROWS * sizeof *o->slots <= room;
}

/* A row, or a slice of one, that cannot leave yet. */
static void keep(order *o, const record_rows *rows, size_t room, uint32_t i, order_result *result)
{
    uint64_t seq = rows->seq + i;
    early *e = o->slots ? &o->slots[seq % ORDER_ROWS] : NULL;
    bool fresh = !e || !e->values;
    /* The row that is next in turn is taken even when the room is used up, or nothing would ever leave. */
    if (seq - o->next >= ORDER_ROWS || (fresh && seq != o->next && !has_room(o, rows->columns + rows->words, room))) {
        result->full = true;
        return;
    }
    if (fresh) {
        if (!o->slots) o->slots = mem_calloc(ORDER_ROWS, sizeof *o->slots);
        e = &o->slots[seq % ORDER_ROWS];
        early_begin(o, e, rows->time[i], rows->columns, rows->words);
    }
    /* What contradicts what came before is left: the first telling counts. */
    if (e->columns != rows->columns || e->words != rows->words) return;
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
        } else if (seq == o->next && rows->slice == rows->columns + rows->words &&
                   !(slot_of(o, seq) && slot_of(o, seq)->values)) {
            hand_on(sink, seq, rows->time[i], rows->values + (size_t)i * rows->slice, rows->columns, rows->words);
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
