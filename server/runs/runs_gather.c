/* SPDX-License-Identifier: MIT OR Unlicense
   runs_gather: collects one run's new rows and events until they leave as a part of a batch. */
#include "runs/runs_gather.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void make_room(gather *g, size_t columns)
{
    size_t room = g->row_room ? 2 * g->row_room : g->expect;
    if (!room) room = 1;
    g->part.time = mem_resize(g->part.time, room, sizeof *g->part.time);
    g->part.seq = mem_resize(g->part.seq, room, sizeof *g->part.seq);
    g->part.values = mem_resize(g->part.values, room, columns * sizeof *g->part.values);
    g->row_room = room;
}

void gather_row(gather *g, size_t columns, uint64_t seq, int64_t time, const double *values, size_t count,
                span histograms)
{
    if (g->part.rows == g->row_room) make_room(g, columns);
    size_t row = g->part.rows++;
    if (row && seq < g->part.seq[row - 1]) g->unsorted = true;
    g->part.time[row] = time;
    g->part.seq[row] = seq;
    double *to = g->part.values + row * columns;
    if (count > columns) count = columns;
    if (count) memcpy(to, values, count * sizeof *to);
    for (size_t i = count; i < columns; i++) to[i] = NAN;
    row_histograms_add(&g->part.histograms, row, histograms);
    g->bytes += sizeof *g->part.time + sizeof *g->part.seq + columns * sizeof *to + histograms.n;
}

void gather_event(gather *g, run_event e)
{
    if (g->part.event_count == g->event_room) {
        g->event_room = g->event_room ? 2 * g->event_room : 1;
        g->part.events = mem_resize(g->part.events, g->event_room, sizeof e);
    }
    g->part.events[g->part.event_count++] = e;
    g->bytes += sizeof e + strlen(e.text) + 1;
}

/* ---- late rows go to their place ---- */

typedef struct {
    uint64_t seq;
    size_t row;
} place;

static int by_seq(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static void sort(batch_part *p, size_t columns)
{
    assert(p->histograms.count == 0);
    place *order = mem_alloc(p->rows * sizeof *order);
    for (size_t i = 0; i < p->rows; i++) order[i] = (place){p->seq[i], i};
    qsort(order, p->rows, sizeof *order, by_seq);
    int64_t *time = mem_alloc(p->rows * sizeof *time);
    double *values = mem_alloc(p->rows * columns * sizeof *values);
    for (size_t i = 0; i < p->rows; i++) {
        p->seq[i] = order[i].seq;
        time[i] = p->time[order[i].row];
        memcpy(values + i * columns, p->values + order[i].row * columns, columns * sizeof *values);
    }
    free(order);
    free(p->time);
    free(p->values);
    p->time = time;
    p->values = values;
}

batch_part gather_take(gather *g, size_t columns)
{
    batch_part part = g->part;
    part.columns = columns;
    if (g->unsorted) sort(&part, columns);
    *g = (gather){.expect = part.rows};
    return part;
}

void gather_free(gather *g)
{
    for (size_t i = 0; i < g->part.event_count; i++) free(g->part.events[i].text);
    free(g->part.events);
    free(g->part.time);
    free(g->part.seq);
    free(g->part.values);
    row_histograms_free(&g->part.histograms);
    *g = (gather){0};
}
