/* SPDX-License-Identifier: MIT OR Unlicense
   answers_insight: what the API answers about a run's columns as a whole. */
#include <stdlib.h>

#include "http/answers_internal.h"
#include "http/emit_correlation.h"
#include "http/emit_distribution.h"
#include "http/emit_drift.h"
#include "insight/drift_run.h"
#include "query/query.h"

static void make_drift(answer *a, store *s, const run_info *r)
{
    emit_range range;
    if (!answer_columns(a, r) || !answer_range(a, s, r, &range)) return;
    answer_name_columns(a, r, r->column_count);
    const params *p = &a->params;
    drift *found = mem_calloc(p->column_count, sizeof *found);
    if (answer_check(a, s, drift_run(s, r, range.from, range.to, p->columns, p->column_count, found)))
        emit_drift(&a->body, r, p->columns, found, p->column_count, &range);
    free(found);
}

void answer_drift(answer *a, store *s)
{
    answer_of_run(a, s, make_drift);
}

/* ---- histograms ---- */

#define HISTOGRAM_POINTS 1000
#define HISTOGRAM_CELLS  (UINT32_C(1) << 17) /* points × columns; a request for more gets fewer points */

/* All that are histograms, if none were named. */
static bool name_histograms(answer *a, const run_info *r)
{
    params *p = &a->params;
    bool named = p->columns;
    size_t kept = 0;
    answer_name_columns(a, r, r->column_count);
    for (size_t i = 0; i < p->column_count; i++) {
        if (r->columns[p->columns[i]].kind == COLUMN_HISTOGRAM)
            p->columns[kept++] = p->columns[i];
        else if (named)
            answer_fail(a, 400, "columns: each must be one whose kind is histogram");
    }
    p->column_count = kept;
    return a->status == 200;
}

static void make_histogram(answer *a, store *s, const run_info *r)
{
    emit_range range;
    distribution found;
    if (!answer_columns(a, r) || !name_histograms(a, r) || !answer_range(a, s, r, &range)) return;
    const params *p = &a->params;
    size_t most = HISTOGRAM_CELLS / (p->column_count ? p->column_count : 1);
    if (most > HISTOGRAM_POINTS) most = HISTOGRAM_POINTS;
    grid g = grid_of(range.from, range.to, p->points < most ? p->points : most);
    if (!answer_check(a, s, store_snapshot_begin(s))) return;
    store_status status = distribution_of(s, r, &g, grid_width(&g), p->columns, p->column_count, &found);
    store_snapshot_end(s);
    if (!answer_check(a, s, status)) return;
    emit_distribution(&a->body, r, p->columns, &found);
    distribution_free(&found);
}

void answer_histogram(answer *a, store *s)
{
    answer_of_run(a, s, make_histogram);
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
    answer_name_columns(a, r, r->column_count);
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
    answer_of_run(a, s, make_correlation);
}
