/* SPDX-License-Identifier: MIT OR Unlicense
   chunk: rows column by column, their summaries, and how chunks become one. The bytes are in chunk_bytes.c. */
#include "store/chunk.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- summary ---- */

void summary_clear(summary *s)
{
    *s = (summary){0, NAN, NAN, NAN, NAN, NAN};
}

void summary_add(summary *s, double value)
{
    if (isnan(value)) return;
    if (s->count++ == 0) {
        s->min = s->max = s->sum = s->first = s->last = value;
        return;
    }
    if (value < s->min) s->min = value;
    if (value > s->max) s->max = value;
    s->sum += value;
    s->last = value;
}

void summary_merge(summary *s, const summary *later)
{
    if (later->count == 0) return;
    if (s->count == 0) {
        *s = *later;
        return;
    }
    s->count += later->count;
    if (later->min < s->min) s->min = later->min;
    if (later->max > s->max) s->max = later->max;
    s->sum += later->sum;
    s->last = later->last;
}

/* The same as summary_add() of each, its state in registers. */
static summary summary_of(const double *v, size_t count)
{
    summary s;
    summary_clear(&s);
    size_t i = 0;
    while (i < count && isnan(v[i])) i++;
    if (i == count) return s;
    uint64_t n = 0;
    double min = v[i], max = min, last = min, sum = -0.0; /* the neutral one: 0.0 + -0.0 would be 0.0 */
    s.first = v[i];
    for (; i < count; i++) {
        double x = v[i];
        if (isnan(x)) continue;
        n++;
        min = x < min ? x : min;
        max = x > max ? x : max;
        sum += x;
        last = x;
    }
    s.count = n, s.min = min, s.max = max, s.sum = sum, s.last = last;
    return s;
}

/* ---- chunk ---- */

/* One piece of memory holds all of it, the widest members first so that each is aligned. */
chunk *chunk_new(size_t rows, size_t columns)
{
    size_t row = sizeof(int64_t) + sizeof(uint64_t) + columns * sizeof(double);
    chunk *c = mem_alloc(sizeof *c + columns * (sizeof(summary) + sizeof(double *)) + rows * row);
    memset(c, 0, sizeof *c);
    c->rows = rows;
    c->columns = columns;
    c->summaries = (summary *)(c + 1);
    int64_t *time = (int64_t *)(c->summaries + columns);
    uint64_t *seq = (uint64_t *)(time + rows);
    double *values = (double *)(seq + rows);
    c->values = (double **)(values + rows * columns);
    if (rows) {
        c->time = time;
        c->seq = seq;
    }
    for (size_t i = 0; i < columns; i++) {
        summary_clear(&c->summaries[i]);
        c->values[i] = values + i * rows;
    }
    return c;
}

void chunk_free(chunk *c)
{
    if (!c) return;
    row_histograms_free(&c->histograms);
    buf_free(&c->sums);
    free(c);
}

chunk_key chunk_key_of(const chunk *c)
{
    chunk_key k = {c->time[0], c->time[0], c->seq[0], c->seq[0], c->rows, 0};
    for (size_t i = 1; i < c->rows; i++) {
        if (c->time[i] < k.first_time) k.first_time = c->time[i];
        if (c->time[i] > k.last_time) k.last_time = c->time[i];
        if (c->seq[i] < k.first_seq) k.first_seq = c->seq[i];
        if (c->seq[i] > k.last_seq) k.last_seq = c->seq[i];
    }
    return k;
}

/* The rows' histograms, added up. */
static void add_up(chunk *c)
{
    c->sums.n = 0;
    if (c->histograms.count == 0) return;
    histogram_set sums = {0};
    for (size_t i = 0; i < c->histograms.count; i++)
        histogram_set_add(&sums, row_histograms_of(&c->histograms, c->histograms.each[i].row), c->columns);
    histogram_set_write(&sums, &c->sums);
    histogram_set_free(&sums);
}

void chunk_summarise(chunk *c)
{
    assert(c->rows > 0);
    c->key = chunk_key_of(c);
    for (size_t col = 0; col < c->columns; col++)
        c->summaries[col] = summary_of(c->values[col], c->values[col] ? c->rows : 0);
    add_up(c);
}

/* ---- many into one ---- */

/* Where a row comes from. */
typedef struct {
    int64_t time;
    uint64_t seq;
    size_t part, row;
} source;

static int by_seq(const void *a, const void *b)
{
    const source *x = a, *y = b;
    if (x->seq != y->seq) return x->seq < y->seq ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

static int by_time(const void *a, const void *b)
{
    const source *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Rows mostly come in order already: looking costs little, sorting much. */
static bool rising_seq(const source *s, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (s[i - 1].seq >= s[i].seq) return false;
    return true;
}

static bool rising_time(const source *s, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (by_time(&s[i - 1], &s[i]) > 0) return false;
    return true;
}

/* Each seq once, the first part's row winning; then by (time, seq). Returns how many are left. */
static size_t sort_sources(source *s, size_t count)
{
    if (!rising_seq(s, count)) {
        qsort(s, count, sizeof *s, by_seq);
        size_t kept = 0;
        for (size_t i = 0; i < count; i++)
            if (kept == 0 || s[kept - 1].seq != s[i].seq) s[kept++] = s[i];
        count = kept;
    }
    if (!rising_time(s, count)) qsort(s, count, sizeof *s, by_time);
    return count;
}

static double value_at(const chunk *c, size_t column, size_t row)
{
    return column < c->columns && c->values[column] ? c->values[column][row] : NAN;
}

static bool is_read(chunk *const *parts, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++)
        if (column < parts[i]->columns && parts[i]->values[column]) return true;
    return false;
}

chunk *chunk_merge(chunk *const *parts, size_t count)
{
    size_t rows = 0, columns = 0;
    for (size_t i = 0; i < count; i++) {
        rows += parts[i]->rows;
        if (parts[i]->columns > columns) columns = parts[i]->columns;
    }
    source *from = mem_alloc(rows * sizeof *from), *next = from;
    for (size_t i = 0; i < count; i++)
        for (size_t row = 0; row < parts[i]->rows; row++)
            *next++ = (source){parts[i]->time[row], parts[i]->seq[row], i, row};
    rows = sort_sources(from, rows);

    chunk *c = chunk_new(rows, columns);
    for (size_t i = 0; i < rows; i++) {
        c->time[i] = from[i].time;
        c->seq[i] = from[i].seq;
    }
    for (size_t col = 0; col < columns; col++) {
        if (!is_read(parts, count, col)) c->values[col] = NULL;
        for (size_t i = 0; c->values[col] && i < rows; i++)
            c->values[col][i] = value_at(parts[from[i].part], col, from[i].row);
    }
    for (size_t i = 0; i < rows; i++)
        row_histograms_add(&c->histograms, i, row_histograms_of(&parts[from[i].part]->histograms, from[i].row));
    free(from);
    chunk_summarise(c);
    return c;
}

void chunk_keep_rows(chunk *c, bool (*keep)(const void *ctx, const chunk *c, size_t row), const void *ctx)
{
    row_histograms *h = &c->histograms;
    size_t rows = 0, at = 0, kept = 0;
    for (size_t i = 0; i < c->rows; i++) {
        bool has = at < h->count && h->each[at].row == i;
        at += has;
        if (!keep(ctx, c, i)) continue;
        if (has) {
            h->each[kept] = h->each[at - 1];
            h->each[kept++].row = rows;
        }
        c->time[rows] = c->time[i];
        c->seq[rows] = c->seq[i];
        for (size_t col = 0; rows < i && col < c->columns; col++)
            if (c->values[col]) c->values[col][rows] = c->values[col][i];
        rows++;
    }
    c->rows = rows;
    h->count = kept;
}

static bool chunk_in_order(const chunk *c)
{
    for (size_t i = 1; i < c->rows; i++)
        if (c->time[i - 1] > c->time[i] || (c->time[i - 1] == c->time[i] && c->seq[i - 1] > c->seq[i])) return false;
    return true;
}

chunk *chunk_from_part(const batch_part *p, size_t from, size_t rows)
{
    chunk *c = chunk_new(rows, p->columns);
    memcpy(c->time, p->time + from, rows * sizeof *c->time);
    memcpy(c->seq, p->seq + from, rows * sizeof *c->seq);
    for (size_t col = 0; col < p->columns; col++) {
        const double *value = p->values + from * p->columns + col;
        double *to = c->values[col];
        for (size_t i = 0; i < rows; i++, value += p->columns) to[i] = *value;
    }
    for (size_t i = 0; p->histograms.count && i < rows; i++)
        row_histograms_add(&c->histograms, i, row_histograms_of(&p->histograms, from + i));
    if (chunk_in_order(c)) {
        chunk_summarise(c);
        return c;
    }
    chunk *sorted = chunk_merge(&c, 1); /* the clock stepped back */
    chunk_free(c);
    return sorted;
}
