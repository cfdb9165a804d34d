/* SPDX-License-Identifier: MIT OR Unlicense
   answers: what the API answers from the store, in whole. */
#include "http/answers_internal.h"

#include <stdlib.h>
#include <string.h>

#include "query/latest.h"

/* ---- failing ---- */

void answer_fail(answer *a, int status, const char *sentence)
{
    a->status = status;
    a->body.n = 0;
    buf_text(&a->body, sentence);
}

bool answer_check(answer *a, store *s, store_status status)
{
    if (status == STORE_OK) return true;
    if (status == STORE_MISSING) {
        answer_fail(a, 404, "there is no such run");
    } else {
        log_limited(LOG_ERROR, "http: the store does not answer: %s", store_error(s));
        answer_fail(a, 503, "the store does not answer now; try again in a moment");
    }
    return false;
}

/* ---- all runs, by application ---- */

typedef struct {
    char *app;
    size_t order;    /* as the store told: newest first */
    size_t newest;   /* the least order of its application */
    size_t from, to; /* its JSON, in … */
} listed_run;

typedef struct {
    listed_run *runs;
    size_t count, room;
    buf json;
    int64_t now;
    bool deleted; /* those that were, instead of those that were not */
} run_list;

static bool list_run(void *ctx, const run_info *r)
{
    run_list *list = ctx;
    if ((r->deleted != 0) != list->deleted) return true;
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->runs = mem_resize(list->runs, list->room, sizeof list->runs[0]);
    }
    size_t from = list->json.n;
    emit_run(&list->json, r, list->now);
    list->runs[list->count] = (listed_run){mem_strdup(r->app), list->count, 0, from, list->json.n};
    list->count++;
    return true;
}

static int compare_sizes(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int by_app(const void *a, const void *b)
{
    const listed_run *x = a, *y = b;
    int order = strcmp(x->app, y->app);
    return order ? order : compare_sizes(x->order, y->order);
}

static int by_newest(const void *a, const void *b)
{
    const listed_run *x = a, *y = b;
    int order = compare_sizes(x->newest, y->newest);
    return order ? order : compare_sizes(x->order, y->order);
}

static bool same_app(const run_list *list, size_t i)
{
    return i > 0 && strcmp(list->runs[i].app, list->runs[i - 1].app) == 0;
}

static void group(run_list *list)
{
    qsort(list->runs, list->count, sizeof list->runs[0], by_app);
    for (size_t i = 0; i < list->count; i++)
        list->runs[i].newest = same_app(list, i) ? list->runs[i - 1].newest : list->runs[i].order;
    qsort(list->runs, list->count, sizeof list->runs[0], by_newest);
}

static void write_groups(const run_list *list, buf *out)
{
    buf_text(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        const listed_run *r = &list->runs[i];
        if (same_app(list, i)) {
            buf_text(out, ",\n");
        } else {
            buf_text(out, i ? "]},\n{\"app\":" : "{\"app\":");
            emit_string(out, r->app);
            buf_text(out, ",\"runs\":[\n");
        }
        buf_append(out, list->json.p + r->from, r->to - r->from);
    }
    buf_text(out, list->count ? "]}]\n" : "]\n");
}

void answer_apps(answer *a, store *s)
{
    run_list list = {.now = clock_wall(), .deleted = a->params.deleted};
    if (answer_check(a, s, store_runs(s, list_run, &list))) {
        if (list.count) group(&list);
        write_groups(&list, &a->body);
    }
    for (size_t i = 0; i < list.count; i++) free(list.runs[i].app);
    free(list.runs);
    buf_free(&list.json);
}

/* ---- one run ---- */

void answer_of_run(answer *a, store *s, void (*make)(answer *a, store *s, const run_info *r))
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    make(a, s, r);
    run_info_free(r);
}

static void make_details(answer *a, store *s, const run_info *r)
{
    double *last = mem_calloc(r->column_count, sizeof *last);
    if (answer_check(a, s, latest_values(s, r, last))) {
        emit_run_details(&a->body, r, last, clock_wall());
        buf_text(&a->body, "\n");
    }
    free(last);
}

void answer_run(answer *a, store *s)
{
    answer_of_run(a, s, make_details);
}

/* ---- a run's series ---- */

bool answer_columns(answer *a, const run_info *r)
{
    bool *seen = mem_calloc(r->column_count, sizeof *seen), good = true;
    for (size_t i = 0; i < a->params.column_count && good; i++) {
        uint32_t column = a->params.columns[i];
        good = column < r->column_count && !seen[column];
        if (good) seen[column] = true;
    }
    free(seen);
    if (!good) answer_fail(a, 400, "columns: each must be an index into the run's columns, and none there twice");
    return good;
}

bool answer_range(answer *a, store *s, const run_info *r, emit_range *out)
{
    const params *p = &a->params;
    *out = (emit_range){p->from, p->to};
    if (!answer_check(a, s, query_range(s, r, &out->from, &out->to))) return false;
    if (p->last > 0 && out->to > INT64_MIN + p->last && out->to - p->last > out->from) out->from = out->to - p->last;
    return true;
}

void answer_name_columns(answer *a, const run_info *r, size_t count)
{
    params *p = &a->params;
    if (p->columns) return;
    p->column_count = count < r->column_count ? count : r->column_count;
    p->columns = mem_calloc(p->column_count, sizeof *p->columns);
    for (size_t i = 0; i < p->column_count; i++) p->columns[i] = (uint32_t)i;
}

static void make_series(answer *a, store *s, const run_info *r)
{
    emit_range range;
    if (a->params.first) answer_name_columns(a, r, a->params.first);
    if (!answer_columns(a, r) || !answer_range(a, s, r, &range)) return;
    series_request request = {range.from, range.to, a->params.points, a->params.columns, a->params.column_count};
    series result;
    if (!answer_check(a, s, query_series(s, r, &request, &result))) return;
    emit_series(&a->body, r, &result, &range);
    buf_text(&a->body, "\n");
    series_free(&result);
}

void answer_series(answer *a, store *s)
{
    answer_of_run(a, s, make_series);
}

/* ---- the server itself ---- */

void answer_ready(answer *a, store *s)
{
    run_info *r = NULL;
    store_status status = store_run(s, &(uuid){{0}}, &r);
    if (status == STORE_OK) run_info_free(r);
    if (status == STORE_MISSING) status = STORE_OK;
    if (answer_check(a, s, status)) buf_text(&a->body, "ok\n");
}

typedef struct {
    run_info **runs;
    size_t count, room;
    int64_t now;
} live_list;

static bool list_live(void *ctx, const run_info *r)
{
    live_list *list = ctx;
    if (r->deleted || run_state_at(r, list->now) != RUN_LIVE) return true;
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->runs = mem_resize(list->runs, list->room, sizeof list->runs[0]);
    }
    list->runs[list->count++] = run_info_copy(r);
    return true;
}

static void write_live(buf *out, store *s, const run_info *r)
{
    double *last = mem_calloc(r->column_count, sizeof *last);
    if (latest_values(s, r, last) == STORE_OK) metrics_run(out, r, last);
    free(last);
}

/* A store that does not answer is a metric, not an error: the server's own counters are wanted then most. */
void answer_metrics(answer *a, store *s)
{
    live_list list = {.now = clock_wall()};
    metrics_sources sources = *a->metrics;
    sources.store_answers = store_runs(s, list_live, &list) == STORE_OK;
    metrics_server(&a->body, &sources);
    for (size_t i = 0; i < list.count; i++) {
        write_live(&a->body, s, list.runs[i]);
        run_info_free(list.runs[i]);
    }
    free(list.runs);
    metrics_end(&a->body);
}
