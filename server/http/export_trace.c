/* SPDX-License-Identifier: MIT OR Unlicense
   export_trace: a run for Perfetto and chrome://tracing, as JSON of the Trace Event Format (Google, "Trace Event Format",
   2016). A counter track for each column, marks as instants, what was lost as slices.

   Times there are microseconds in numbers that readers may take for doubles: since 1970 they would lose what lies below
   a quarter of one. So time 0 is where the run begins, which `otherData` tells. */
#include "http/export_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "http/emit.h"

/* ---- times ---- */

/* From one time to another, whatever a clock made of them: the difference of any two fits. */
static void put_us(buf *out, int64_t from, int64_t to)
{
    uint64_t ns = to < from ? (uint64_t)from - (uint64_t)to : (uint64_t)to - (uint64_t)from;
    buf_printf(out, "%s%" PRIu64 ".%03" PRIu64, to < from ? "-" : "", ns / 1000, ns % 1000);
}

static void put_at(const export *e, buf *out, int64_t time)
{
    buf_text(out, ",\"ts\":");
    put_us(out, e->origin, time);
}

/* ---- what the run is ---- */

/* {"ph":"M",…}, of the process or of one of its tracks. */
static void put_name(buf *out, const char *what, int track, const char *name)
{
    buf_printf(out, "{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":", track, what);
    emit_string(out, name);
    buf_text(out, "}}");
}

static void put_head(const export *e, buf *out)
{
    char id[UUID_TEXT];
    uuid_format(&e->run->id, id);
    buf_printf(out, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"run\":\"%s\",\"app\":", id);
    emit_string(out, e->run->app);
    buf_printf(out, ",\"origin_ns\":\"%" PRId64 "\"},\n\"traceEvents\":[\n", e->origin);
    put_name(out, "process_name", 0, e->run->app);
    buf_text(out, ",\n");
    put_name(out, "thread_name", 1, "marks");
    buf_text(out, ",\n");
    put_name(out, "thread_name", 2, "lost rows");
}

/* ,\n{"ph":"C","pid":1,"name":"memory (MB)","ts": … */
static void make_labels(export *e)
{
    for (size_t i = 0; i < e->run->column_count; i++) {
        const run_column *c = &e->run->columns[i];
        buf name = {0};
        buf_printf(&name, c->unit[0] ? "%s (%s)" : "%s", c->name, c->unit);
        buf_text(&e->labels[i], ",\n{\"ph\":\"C\",\"pid\":1,\"name\":");
        emit_string(&e->labels[i], name.p);
        buf_free(&name);
    }
}

/* ---- marks and gaps ---- */

typedef struct {
    const export *e;
    buf *out;
} writing;

static bool put_event(void *ctx, const run_event *v)
{
    const writing *w = ctx;
    if (v->kind == EVENT_MARK) {
        buf_text(w->out, ",\n{\"ph\":\"i\",\"s\":\"p\",\"pid\":1,\"tid\":1,\"cat\":\"mark\",\"name\":");
        emit_string(w->out, v->text);
        put_at(w->e, w->out, v->time);
        buf_text(w->out, "}");
        return true;
    }
    buf_printf(w->out, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"cat\":\"gap\",\"name\":\"%" PRIu64 " lost\"",
               v->count);
    put_at(w->e, w->out, v->time);
    buf_text(w->out, ",\"dur\":");
    put_us(w->out, v->time, v->until);
    buf_printf(w->out, ",\"args\":{\"rows\":%" PRIu64 "}}", v->count);
    return true;
}

/* ---- the whole ---- */

store_status trace_begin(export *e, store *s, buf *out)
{
    int64_t last = INT64_MAX;
    e->origin = INT64_MIN;
    store_status status = query_range(s, e->run, &e->origin, &last);
    if (status != STORE_OK) return status;
    if (e->run->started < e->origin) e->origin = e->run->started;
    make_labels(e);
    put_head(e, out);
    return store_events(s, &e->run->id, e->from, e->to, put_event, &(writing){e, out});
}

/* A column without a value says nothing: its track goes on as before, as there is no way to end it for a while. */
void trace_row(export *e, buf *out)
{
    for (size_t i = 0; i < e->run->column_count; i++) {
        double v = export_value(e, i);
        if (!isfinite(v)) continue;
        buf_append(out, e->labels[i].p, e->labels[i].n);
        put_at(e, out, e->chunk->time[e->row]);
        buf_text(out, ",\"args\":{\"value\":");
        buf_double(out, v);
        buf_text(out, "}}");
    }
}

void trace_end(buf *out)
{
    buf_text(out, "\n]}\n");
}
