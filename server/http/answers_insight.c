/* SPDX-License-Identifier: MIT OR Unlicense
   answers_insight: what the API answers about a run's columns as a whole. */
#include <stdlib.h>

#include "http/answers_internal.h"
#include "http/emit_correlation.h"
#include "http/emit_drift.h"
#include "insight/drift_run.h"
#include "query/query.h"

/* All columns, if none were named. */
static void name_columns(answer *a, const run_info *r)
{
    if (a->params.columns) return;
    a->params.columns = mem_alloc(r->column_count * sizeof *a->params.columns);
    a->params.column_count = r->column_count;
    for (size_t i = 0; i < r->column_count; i++) a->params.columns[i] = (uint32_t)i;
}

static void make_drift(answer *a, store *s, const run_info *r)
{
    emit_range range;
    if (!answer_columns(a, r) || !answer_range(a, s, r, &range)) return;
    name_columns(a, r);
    const params *p = &a->params;
    drift *found = mem_calloc(p->column_count, sizeof *found);
    if (answer_check(a, s, drift_run(s, r, range.from, range.to, p->columns, p->column_count, found)))
        emit_drift(&a->body, r, p->columns, found, p->column_count, &range);
    free(found);
}

void answer_drift(answer *a, store *s)
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    make_drift(a, s, r);
    run_info_free(r);
}

/* ---- correlation ---- */

static void correlate(answer *a, const run_info *r, const emit_range *range, series *found)
{
    const params *p = &a->params;
    const double **columns = mem_alloc(p->column_count * sizeof *columns);
    for (size_t i = 0; i < p->column_count; i++) {
        correlation_prepare(found->time, found->values[i].mean, found->points, r->columns[p->columns[i]].kind,
                            p->differenced);
        columns[i] = found->values[i].mean;
    }
    correlation c;
    correlation_of(columns, p->column_count, found->points, &c);
    correlated of = {r, p->columns, *range, found->points, found->exact, p->differenced};
    emit_correlation(&a->body, &c, &of);
    correlation_free(&c);
    free(columns);
}

static void make_correlation(answer *a, store *s, const run_info *r)
{
    emit_range range;
    series found;
    if (!answer_columns(a, r) || !answer_range(a, s, r, &range)) return;
    name_columns(a, r);
    if (a->params.column_count > CORRELATION_COLUMNS) {
        answer_fail(a, 400, "columns: at most 256 can be correlated at a time; name those");
        return;
    }
    series_request request = {range.from, range.to, CORRELATION_POINTS, a->params.columns, a->params.column_count};
    if (!answer_check(a, s, query_series(s, r, &request, &found))) return;
    correlate(a, r, &range, &found);
    series_free(&found);
}

void answer_correlation(answer *a, store *s)
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    make_correlation(a, s, r);
    run_info_free(r);
}
