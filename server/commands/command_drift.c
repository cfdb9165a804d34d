/* SPDX-License-Identifier: MIT OR Unlicense
   command_drift: mnemic drift RUN: a table of verdicts, and a status for a CI job. */
#include "commands/commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "insight/drift_run.h"
#include "insight/drift_table.h"
#include "query/query.h"
#include "store/find_run.h"

enum { STEADY = 0, DRIFTS = 1, USAGE = 2, UNREADABLE = 3 };

typedef struct {
    const config *config;
    store *store;
    run_info *run;
    int64_t from, to;
    uint32_t *columns;
    drift_row *rows; /* [count], as `columns` */
    double *limits;  /* [count]: per hour; NaN: none */
    size_t count;
    buf why;
} job;

static int refuse(job *j, int status)
{
    command_failed(&j->why);
    return status;
}

/* ---- what was asked for ---- */

/* The piece before the next comma; false at the end. */
static bool next_piece(const char **list, span *out)
{
    if (!*list || !**list) return false;
    const char *comma = strchrnul(*list, ',');
    *out = (span){*list, (size_t)(comma - *list)};
    *list = *comma ? comma + 1 : comma;
    return true;
}

static bool find_column(job *j, span name, uint32_t *out)
{
    for (size_t i = 0; i < j->run->column_count; i++)
        if (span_eq(name, span_of(j->run->columns[i].name))) {
            *out = (uint32_t)i;
            return true;
        }
    buf_printf(&j->why, "the run has no column '%.*s'", (int)name.n, name.p);
    return false;
}

static drift_row *add_column(job *j, uint32_t column)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->columns[i] == column) return &j->rows[i];
    const run_column *c = &j->run->columns[column];
    j->columns[j->count] = column;
    j->limits[j->count] = NAN;
    j->rows[j->count] = (drift_row){.name = c->name, .unit = c->unit, .kind = c->kind};
    return &j->rows[j->count++];
}

/* NAME=SLOPE or NAME=SLOPE/h; a name may hold '=', a slope does not. */
static bool read_limit(job *j, span text)
{
    const char *equals = memrchr(text.p, '=', text.n);
    char *end = NULL;
    double slope = equals ? strtod(equals + 1, &end) : NAN;
    uint32_t column;
    if (equals && end > equals + 1 && strncmp(end, "/h", 2) == 0) end += 2;
    if (!equals || end == equals + 1 || end != text.p + text.n || !isfinite(slope)) {
        buf_printf(&j->why, "--fail-above: '%.*s' is not of the form COLUMN=SLOPE/h, as memory_use=0.5/h",
                   (int)text.n, text.p);
        return false;
    }
    if (!find_column(j, (span){text.p, (size_t)(equals - text.p)}, &column)) return false;
    j->limits[add_column(j, column) - j->rows] = slope;
    return true;
}

static bool read_columns(job *j)
{
    const char *names = j->config->columns, *limits = j->config->fail_above;
    span piece;
    uint32_t column;
    for (size_t i = 0; !names && i < j->run->column_count; i++) add_column(j, (uint32_t)i);
    while (next_piece(&names, &piece)) {
        if (!find_column(j, piece, &column)) return false;
        add_column(j, column);
    }
    while (next_piece(&limits, &piece))
        if (!read_limit(j, piece)) return false;
    return true;
}

static bool read_time(job *j, const char *option, const char *text, int64_t *out)
{
    if (!text || when_time(text, j->run->started, out)) return true;
    buf_printf(&j->why, "%s: '%s' is neither a time as 2026-01-31T12:00 (UTC) nor one since the run began, as 30m",
               option, text);
    return false;
}

static bool read_range(job *j)
{
    const config *c = j->config;
    int64_t last;
    j->from = INT64_MIN;
    j->to = j->run->last;
    if (!read_time(j, "--from", c->from, &j->from) || !read_time(j, "--to", c->to, &j->to)) return false;
    if (c->last && !when_duration(c->last, &last)) {
        buf_printf(&j->why, "--last: '%s' is no length of time, as 90s, 30m, 2h or 7d", c->last);
        return false;
    }
    if (c->last && __builtin_sub_overflow(j->to, last, &j->from)) j->from = INT64_MIN;
    if (j->from <= j->to) return true;
    buf_text(&j->why, "--from lies behind --to, or behind the run's end");
    return false;
}

/* ---- the verdict on the whole ---- */

/* With limits only what they are set for decides; a limit below 0 is one for what falls. */
static bool fails(const job *j, size_t i)
{
    const drift *d = &j->rows[i].drift;
    bool drifts = d->verdict == DRIFT_RISING || d->verdict == DRIFT_FALLING;
    if (!j->config->fail_above) return drifts;
    return drifts && (j->limits[i] >= 0 ? d->slope > j->limits[i] : d->slope < j->limits[i]);
}

static int report(job *j)
{
    char id[UUID_TEXT];
    buf text = {0};
    int status = STEADY;
    for (size_t i = 0; i < j->count; i++) {
        j->rows[i].failed = fails(j, i);
        if (j->rows[i].failed) status = DRIFTS;
    }
    uuid_format(&j->run->id, id);
    buf_printf(&text, "%s %s, %s\n", j->run->app, id, run_state_name(run_state_at(j->run, clock_wall())));
    drift_table(&text, j->rows, j->count);
    fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    return fflush(stdout) == 0 ? status : UNREADABLE;
}

static int judge(job *j)
{
    drift *found = mem_calloc(j->count, sizeof *found);
    store_status status = query_range(j->store, j->run, &j->from, &j->to);
    if (status == STORE_OK) status = drift_run(j->store, j->run, j->from, j->to, j->columns, j->count, found);
    for (size_t i = 0; i < j->count; i++) j->rows[i].drift = found[i];
    free(found);
    if (status == STORE_OK) return report(j);
    buf_printf(&j->why, "the store cannot be read: %s", store_error(j->store));
    return refuse(j, UNREADABLE);
}

static int run(job *j)
{
    j->store = store_open(j->config->store, STORE_READ, &j->why);
    if (!j->store || !find_run(j->store, j->config->words[0], &j->run, &j->why)) return refuse(j, UNREADABLE);
    size_t room = j->run->column_count;
    j->columns = mem_alloc(room * sizeof *j->columns);
    j->rows = mem_alloc(room * sizeof *j->rows);
    j->limits = mem_alloc(room * sizeof *j->limits);
    return read_columns(j) && read_range(j) ? judge(j) : refuse(j, USAGE);
}

int command_drift(const config *c)
{
    job j = {.config = c};
    int status = run(&j);
    free(j.columns);
    free(j.rows);
    free(j.limits);
    run_info_free(j.run);
    if (j.store) store_close(j.store);
    return status;
}
