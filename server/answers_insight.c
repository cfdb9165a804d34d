/* SPDX-License-Identifier: MIT OR Unlicense
   answers_insight: what the API answers about a run's columns as a whole. */
#include <stdlib.h>

#include "answers_internal.h"
#include "drift_run.h"
#include "emit_drift.h"

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
