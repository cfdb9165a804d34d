/* SPDX-License-Identifier: MIT OR Unlicense
   query: a chart's series out of summaries and rows. */
#include "query/query.h"

#include "query/distribution.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows and summaries ---- */

/* What is needed at each entry of a cover. */
typedef struct {
    store *store;
    const run_info *run;
    int64_t from, to;
    const uint32_t *columns;
    size_t column_count;
    reducer *reducer;
    grid parts;                /* its points                                         */
    int64_t span;              /* an entry up to so long goes by its summary         */
    const summary **summaries; /* [column_count], the columns' of the entry at hand  */
    const double **values;     /* [column_count], ditto                              */
    store_status status;
} reading;

static void reduce_rows(reading *q, const chunk *c)
{
    for (size_t i = 0; i < q->column_count; i++)
        q->values[i] = q->columns[i] < c->columns ? c->values[q->columns[i]] : NULL;
    reducer_rows(q->reducer, c->rows, c->time, q->values);
}

static bool reduce_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    reading *q = ctx;
    if (grid_takes_whole(&q->parts, key, q->span)) {
        for (size_t i = 0; i < q->column_count; i++)
            q->summaries[i] = q->columns[i] < count ? &columns[q->columns[i]] : NULL;
        reducer_summary(q->reducer, key, q->summaries);
        return true;
    }
    chunk *c;
    q->status = store_chunk(q->store, &q->run->id, key, q->columns, q->column_count, &c);
    if (q->status != STORE_OK) return false;
    reduce_rows(q, c);
    chunk_free(c);
    return true;
}

/* A summary may be as long as two points: so there is at least one point for two that were asked for, and rows are
   read only where half as many chunks as points cover the range. */
static store_status reduce_cover(reading *q)
{
    int64_t width = reducer_width(q->reducer);
    q->span = width < INT64_MAX / 2 ? 2 * width : INT64_MAX;
    store_status status = store_cover(q->store, &q->run->id, q->from, q->to, q->span, reduce_entry, q);
    return status == STORE_OK ? q->status : status;
}

static store_status reduce_all_rows(reading *q)
{
    query_cursor cursor = {0};
    for (;;) {
        chunk *c;
        store_status status =
            query_rows_of(q->store, &q->run->id, q->from, q->to, q->columns, q->column_count, &cursor, &c);
        if (status != STORE_OK || !c) return status;
        reduce_rows(q, c);
        chunk_free(c);
    }
}

/* Adds up the rows of entries that lie in the range, until there are too many. */
typedef struct {
    int64_t from, to;
    uint64_t rows, enough;
} counting;

static bool count_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns;
    (void)count;
    counting *n = ctx;
    if (key->first_time >= n->from && key->last_time <= n->to) n->rows += key->rows;
    return n->rows <= n->enough;
}

/* Few rows are all read, in order, so that each can be a point; whether they really are that few shows when those of the
   chunks at the range's ends are cut off. */
static store_status reduce(reading *q, size_t points)
{
    counting n = {q->from, q->to, 0, points};
    store_status status = store_cover(q->store, &q->run->id, q->from, q->to, INT64_MAX, count_entry, &n);
    if (status != STORE_OK) return status;
    return n.rows <= points ? reduce_all_rows(q) : reduce_cover(q);
}

/* ---- gaps and marks ---- */

typedef struct {
    run_event *all;
    size_t count, room;
} events;

static run_event *events_add(events *e, const run_event *event, uint64_t count)
{
    if (e->count == e->room) {
        e->room = e->room ? 2 * e->room : 16;
        e->all = mem_resize(e->all, e->room, sizeof *e->all);
    }
    run_event *copy = &e->all[e->count++];
    *copy = *event;
    copy->count = count;
    copy->text = mem_strdup(event->text);
    return copy;
}

/* Events come by time. */
typedef struct {
    uint64_t width; /* of a point */
    events gaps, marks;
} thinning;

static bool near(const thinning *t, int64_t earlier, int64_t later)
{
    return later <= earlier || (uint64_t)later - (uint64_t)earlier < t->width;
}

static bool take_event(void *ctx, const run_event *e)
{
    thinning *t = ctx;
    events *kept = e->kind == EVENT_GAP ? &t->gaps : &t->marks;
    run_event *last = kept->count ? &kept->all[kept->count - 1] : NULL;
    uint64_t count = e->kind == EVENT_GAP ? e->count : 1;
    if (last && near(t, last->until, e->time)) {
        last->count += count;
        if (e->kind == EVENT_GAP && e->until > last->until) last->until = e->until;
    } else
        events_add(kept, e, count);
    return true;
}

static store_status read_events(store *s, const uuid *id, const series_request *r, int64_t width, series *out)
{
    thinning t = {.width = (uint64_t)width};
    store_status status = store_events(s, id, r->from, r->to, take_event, &t);
    out->gaps = t.gaps.all;
    out->gap_count = t.gaps.count;
    out->marks = t.marks.all;
    out->mark_count = t.marks.count;
    return status;
}

/* ---- the whole ---- */

static uint32_t *columns_of(const series_request *request, const run_info *run, size_t *count)
{
    *count = request->columns ? request->column_count : run->column_count;
    uint32_t *columns = mem_alloc(*count * sizeof *columns);
    for (size_t i = 0; i < *count; i++) columns[i] = request->columns ? request->columns[i] : (uint32_t)i;
    return columns;
}

static size_t points_of(const series_request *request, size_t columns)
{
    size_t points = request->points, most = columns ? SERIES_MAX_VALUES / columns : QUERY_MAX_POINTS;
    if (points > QUERY_MAX_POINTS) points = QUERY_MAX_POINTS;
    if (points > most) points = most;
    return points ? points : 1;
}

static store_status read_series(store *s, const run_info *run, const series_request *request, series *out)
{
    size_t count;
    uint32_t *columns = columns_of(request, run, &count);
    size_t points = points_of(request, count);
    reading q = {
        .store = s, .run = run, .from = request->from, .to = request->to, .columns = columns, .column_count = count};
    q.reducer = reducer_new(q.from, q.to, points, count);
    q.summaries = mem_alloc(count * sizeof *q.summaries);
    q.values = mem_alloc(count * sizeof *q.values);
    int64_t width = reducer_width(q.reducer);
    q.parts = reducer_grid(q.reducer);

    store_status status = q.from <= q.to ? reduce(&q, points) : STORE_OK;
    reducer_finish(q.reducer, out);
    out->columns = columns;
    if (status == STORE_OK) status = distribution_correct(s, run, &q.parts, q.span, out);
    if (status == STORE_OK && q.from <= q.to) status = read_events(s, &run->id, request, width, out);
    free(q.summaries);
    free(q.values);
    return status;
}

store_status query_series(store *s, const run_info *run, const series_request *request, series *out)
{
    *out = (series){0};
    store_status status = store_snapshot_begin(s);
    if (status != STORE_OK) return status;
    status = read_series(s, run, request, out);
    store_snapshot_end(s);
    if (status != STORE_OK) series_free(out);
    return status;
}

/* ---- where a run lies ---- */

static bool take_first_time(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns, (void)count;
    *(int64_t *)ctx = key->first_time;
    return false;
}

static bool take_first_event(void *ctx, const run_event *e)
{
    *(int64_t *)ctx = e->time;
    return false;
}

/* A mark may be made, and rows may be lost, before the first row. */
static store_status begin_with_events(store *s, const run_info *run, int64_t *from)
{
    if (run->started >= *from) return STORE_OK;
    store_status status = store_events(s, &run->id, run->started, *from - 1, take_first_event, from);
    if (*from < run->started) *from = run->started;
    return status;
}

store_status query_range(store *s, const run_info *run, int64_t *from, int64_t *to)
{
    if (*from == INT64_MIN) {
        *from = run->started;
        store_status status = store_entries(s, &run->id, 0, INT64_MIN, INT64_MAX, take_first_time, from);
        if (status == STORE_OK) status = begin_with_events(s, run, from);
        if (status != STORE_OK) return status;
        if (*from > *to) *from = *to;
    }
    if (*to == INT64_MAX) *to = run->last > *from ? run->last : *from;
    return STORE_OK;
}
