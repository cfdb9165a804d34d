/* SPDX-License-Identifier: MIT OR Unlicense
   reducer: rows and summaries into points. The range is cut into parts of equal width; a row counts in the part that its
   time lies in, a summary's rows in the part that their middle lies in. */
#include "query/reducer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One column's values within one part. */
typedef struct {
    uint64_t count;
    double sum, min, max;
} cell;

/* What a part really covers. */
typedef struct {
    int64_t first, last;
    uint64_t rows;
} cover;

struct reducer {
    grid grid;
    size_t points, columns; /* a point is a part of the grid */
    size_t kept;         /* rows, as long as they are no more than the points …           */
    int64_t *kept_time;  /* [points]                                                      */
    double *kept_values; /* [columns][points]                                             */
    cover *covers;       /* [points]; NULL until there are more rows than points          */
    cell *cells;         /* [columns][points]; ditto                                      */
};

/* ---- the grid ---- */

grid grid_of(int64_t from, int64_t to, size_t parts)
{
    grid g = {from, to, 0, parts ? parts : 1};
    uint64_t length = from <= to ? (uint64_t)to - (uint64_t)from : 0;
    g.width = length / g.parts;
    if (g.width < UINT64_MAX) g.width++;
    return g;
}

size_t grid_part(const grid *g, int64_t time)
{
    uint64_t part = ((uint64_t)time - (uint64_t)g->from) / g->width;
    return part < g->parts ? part : g->parts - 1;
}

int64_t grid_start(const grid *g, size_t part)
{
    return (int64_t)((uint64_t)g->from + part * g->width);
}

int64_t grid_end(const grid *g, size_t part)
{
    uint64_t start = (uint64_t)grid_start(g, part), left = (uint64_t)g->to - start;
    return part + 1 == g->parts || left < g->width ? g->to : (int64_t)(start + g->width - 1);
}

static int64_t middle(int64_t first, int64_t last)
{
    return (int64_t)((uint64_t)first + ((uint64_t)last - (uint64_t)first) / 2);
}

int64_t grid_width(const grid *g)
{
    return g->width < INT64_MAX ? (int64_t)g->width : INT64_MAX;
}

bool grid_takes_whole(const grid *g, const chunk_key *key, int64_t longest)
{
    bool inside = key->first_time >= g->from && key->last_time <= g->to;
    return key->level > 0 || (inside && (uint64_t)key->last_time - (uint64_t)key->first_time <= (uint64_t)longest);
}

size_t grid_part_of(const grid *g, const chunk_key *key)
{
    return grid_part(g, middle(key->first_time, key->last_time));
}

/* ---- parts ---- */

reducer *reducer_new(int64_t from, int64_t to, size_t points, size_t columns)
{
    reducer *r = mem_calloc(1, sizeof *r);
    r->grid = grid_of(from, to, points);
    r->points = r->grid.parts;
    r->columns = columns;
    r->kept_time = mem_alloc(r->points * sizeof *r->kept_time);
    r->kept_values = mem_alloc(r->points * columns * sizeof *r->kept_values);
    return r;
}

grid reducer_grid(const reducer *r)
{
    return r->grid;
}

int64_t reducer_width(const reducer *r)
{
    return grid_width(&r->grid);
}

static void widen(reducer *r, size_t part, int64_t first, int64_t last, uint64_t rows)
{
    cover *c = &r->covers[part];
    if (c->rows == 0 || first < c->first) c->first = first;
    if (c->rows == 0 || last > c->last) c->last = last;
    c->rows += rows;
}

static void add_values(cell *c, uint64_t count, double sum, double min, double max)
{
    if (count == 0) return;
    if (c->count == 0) {
        *c = (cell){count, sum, min, max};
        return;
    }
    c->count += count;
    c->sum += sum;
    if (min < c->min) c->min = min;
    if (max > c->max) c->max = max;
}

static void add_column(cell *c, const double *values, size_t count)
{
    cell here = {0, 0, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        double v = values[i];
        if (isnan(v)) continue;
        here.count++;
        here.sum += v;
        if (v < here.min) here.min = v;
        if (v > here.max) here.max = v;
    }
    add_values(c, here.count, here.sum, here.min, here.max);
}

/* Rows that one part takes, from row `i` of `rows` on; returns the row after them. */
static size_t add_rows_of_part(reducer *r, size_t i, size_t rows, const int64_t *time, const double *const *values)
{
    size_t part = grid_part(&r->grid, time[i]), end = i;
    int64_t start = grid_start(&r->grid, part), stop = grid_end(&r->grid, part), first = time[i], last = time[i];
    for (; end < rows && time[end] >= start && time[end] <= stop; end++) {
        if (time[end] < first) first = time[end];
        if (time[end] > last) last = time[end];
    }
    widen(r, part, first, last, end - i);
    for (size_t col = 0; col < r->columns; col++)
        if (values[col]) add_column(&r->cells[col * r->points + part], values[col] + i, end - i);
    return end;
}

/* ---- rows as points, while they are few ---- */

static void keep_row(reducer *r, size_t i, const int64_t *time, const double *const *values)
{
    r->kept_time[r->kept] = time[i];
    for (size_t col = 0; col < r->columns; col++)
        r->kept_values[col * r->points + r->kept] = values[col] ? values[col][i] : NAN;
    r->kept++;
}

/* There are too many: what is kept goes into the parts. */
static void begin_parts(reducer *r)
{
    r->covers = mem_calloc(r->points, sizeof *r->covers);
    r->cells = mem_calloc(r->points * r->columns, sizeof *r->cells);
    const double **values = mem_alloc(r->columns * sizeof *values);
    for (size_t col = 0; col < r->columns; col++) values[col] = r->kept_values + col * r->points;
    for (size_t i = 0; i < r->kept;) i = add_rows_of_part(r, i, r->kept, r->kept_time, values);
    free(values);
    r->kept = 0;
}

void reducer_rows(reducer *r, size_t rows, const int64_t *time, const double *const *values)
{
    for (size_t i = 0; i < rows;) {
        if (time[i] < r->grid.from || time[i] > r->grid.to) {
            i++;
        } else if (r->covers) {
            i = add_rows_of_part(r, i, rows, time, values);
        } else if (r->kept < r->points) {
            keep_row(r, i++, time, values);
        } else
            begin_parts(r);
    }
}

void reducer_summary(reducer *r, const chunk_key *key, const summary *const *columns)
{
    if (!r->covers) begin_parts(r);
    size_t part = grid_part_of(&r->grid, key);
    widen(r, part, key->first_time, key->last_time, key->rows);
    for (size_t col = 0; col < r->columns; col++) {
        const summary *s = columns[col];
        if (s) add_values(&r->cells[col * r->points + part], s->count, s->sum, s->min, s->max);
    }
}

/* ---- points ---- */

static void finish_rows(const reducer *r, series *out)
{
    out->exact = true;
    out->points = r->kept;
    out->time = mem_alloc(r->kept * sizeof *out->time);
    out->rows = mem_alloc(r->kept * sizeof *out->rows);
    memcpy(out->time, r->kept_time, r->kept * sizeof *out->time);
    for (size_t i = 0; i < r->kept; i++) out->rows[i] = 1;
    for (size_t col = 0; col < r->columns; col++) {
        double *v = mem_alloc(r->kept * sizeof *v);
        memcpy(v, r->kept_values + col * r->points, r->kept * sizeof *v);
        out->values[col] = (series_column){v, v, v};
    }
}

/* The middle of what a part covers. It lies within the part by itself, unless chunks that came late overlap others;
   holding it there keeps times rising then too. */
static int64_t point_time(const reducer *r, size_t part)
{
    int64_t time = middle(r->covers[part].first, r->covers[part].last);
    int64_t start = grid_start(&r->grid, part), end = grid_end(&r->grid, part);
    return time < start ? start : time > end ? end : time;
}

static void finish_column(const reducer *r, size_t col, size_t points, series_column *out)
{
    double *v = mem_alloc(3 * points * sizeof *v);
    *out = (series_column){v, v + points, v + 2 * points};
    for (size_t part = 0, n = 0; part < r->points; part++) {
        if (r->covers[part].rows == 0) continue;
        const cell *c = &r->cells[col * r->points + part];
        out->mean[n] = c->count ? c->sum / (double)c->count : NAN;
        out->min[n] = c->count ? c->min : NAN;
        out->max[n] = c->count ? c->max : NAN;
        n++;
    }
}

static void finish_parts(const reducer *r, series *out)
{
    size_t n = 0;
    out->time = mem_alloc(r->points * sizeof *out->time);
    out->rows = mem_alloc(r->points * sizeof *out->rows);
    for (size_t part = 0; part < r->points; part++) {
        if (r->covers[part].rows == 0) continue;
        out->time[n] = point_time(r, part);
        out->rows[n++] = r->covers[part].rows;
    }
    out->exact = false;
    out->points = n;
    for (size_t col = 0; col < r->columns; col++) finish_column(r, col, n, &out->values[col]);
}

void reducer_finish(reducer *r, series *out)
{
    out->column_count = r->columns;
    out->values = mem_alloc(r->columns * sizeof *out->values);
    if (r->covers)
        finish_parts(r, out);
    else
        finish_rows(r, out);
    free(r->kept_time);
    free(r->kept_values);
    free(r->covers);
    free(r->cells);
    free(r);
}

static void events_free(run_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) free(events[i].text);
    free(events);
}

void series_free(series *out)
{
    for (size_t col = 0; col < out->column_count; col++) free(out->values[col].mean); /* one piece for the three */
    free(out->values);
    free(out->time);
    free(out->rows);
    free(out->columns);
    events_free(out->gaps, out->gap_count);
    events_free(out->marks, out->mark_count);
    *out = (series){0};
}
