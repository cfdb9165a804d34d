/* SPDX-License-Identifier: MIT OR Unlicense
   metrics: what the server counts and the live runs' newest values, as OpenMetrics 1.0 text. Pure. */
#include "http/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* ---- families ---- */

static void family(buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# TYPE mnemic_%s %s\n# HELP mnemic_%s %s\n", name, type, name, help);
}

static void counter(buf *out, const char *name, const _Atomic uint64_t *value, const char *help)
{
    family(out, name, "counter", help);
    buf_printf(out, "mnemic_%s_total %" PRIu64 "\n", name, atomic_load(value));
}

static void gauge(buf *out, const char *name, uint64_t value, const char *help)
{
    family(out, name, "gauge", help);
    buf_printf(out, "mnemic_%s %" PRIu64 "\n", name, value);
}

/* ---- the server's parts ---- */

static void ingest_part(buf *out, const ingest_stats *s)
{
    counter(out, "datagrams", &s->datagrams, "datagrams received");
    counter(out, "datagram_bytes", &s->bytes, "bytes received in datagrams");
    counter(out, "records", &s->records, "records decoded from datagrams");
    counter(out, "datagrams_overflowed", &s->overflows, "datagrams the kernel dropped because its buffer was full");
    family(out, "datagrams_refused", "counter", "datagrams refused, by what is wrong with them");
    for (int r = DECODE_OK + 1; r < DECODE_RESULTS; r++)
        buf_printf(out, "mnemic_datagrams_refused_total{reason=\"%s\"} %" PRIu64 "\n",
                   decode_result_name((decode_result)r), atomic_load(&s->refused[r]));
    family(out, "datagrams_ignored", "counter",
           "datagrams ignored because they are not sealed with the server's key");
    buf_printf(out, "mnemic_datagrams_ignored_total{reason=\"unsealed\"} %" PRIu64 "\n", atomic_load(&s->unsealed));
    buf_printf(out, "mnemic_datagrams_ignored_total{reason=\"forged\"} %" PRIu64 "\n", atomic_load(&s->forged));
    counter(out, "refusals", &s->refusals, "answers that told a client that its datagram was refused");
    gauge(out, "runs", atomic_load(&s->runs), "runs in memory that are heard of");
}

static void runs_part(buf *out, const runs_counters *s)
{
#define X(name, text) counter(out, "ingest_" #name, &s->name, text);
    RUNS_COUNTERS(X)
#undef X
}

static void writer_part(buf *out, const writer_stats *s)
{
#define X(name, text) counter(out, "writer_" #name, &s->name, text);
    WRITER_COUNTERS(X)
#undef X
    gauge(out, "writer_waiting_bytes", atomic_load(&s->waiting_bytes), "memory of batches that wait for the store");
    gauge(out, "writer_behind", atomic_load(&s->behind), "1 while the store refuses writes");
}

static void http_part(buf *out, const http_stats *s)
{
    family(out, "http_responses", "counter", "requests that ended, by the status of their answer");
    for (int digit = 1; digit <= 5; digit++)
        buf_printf(out, "mnemic_http_responses_total{code=\"%dxx\"} %" PRIu64 "\n", digit,
                   atomic_load(&s->responses[digit]));
    counter(out, "http_abandoned", &s->responses[0], "requests that were given up before their answer");
    counter(out, "http_refused", &s->refused, "requests answered 503 because a bound was reached");
    counter(out, "http_stream_rows_dropped", &s->stream_rows_dropped, "rows that slow live streams missed");
    gauge(out, "http_connections", atomic_load(&s->connections), "open connections");
    gauge(out, "http_streams", atomic_load(&s->streams), "open live streams");
    gauge(out, "http_downloads", atomic_load(&s->downloads), "running downloads");
}

void metrics_server(buf *out, const metrics_sources *from)
{
    family(out, "build", "info", "the server's version");
    buf_text(out, "mnemic_build_info{version=\"" MNEMIC_VERSION "\"} 1\n");
    ingest_part(out, from->ingest);
    runs_part(out, from->runs);
    writer_part(out, from->writer);
    http_part(out, from->http);
    gauge(out, "store_answers", from->store_answers, "1 if the store answered just now");
    buf_text(out, "# TYPE dolon_value gauge\n# HELP dolon_value a live run's newest value of a column\n");
}

/* ---- runs ---- */

/* Backslash, quote and line feed are escaped (OpenMetrics 1.0, "escaped-string"). */
static void label(buf *out, const char *value)
{
    for (size_t n; *value; value += n) {
        n = strcspn(value, "\\\"\n");
        buf_append(out, value, n);
        if (!value[n]) return;
        buf_text(out, value[n] == '\n' ? "\\n" : value[n] == '"' ? "\\\"" : "\\\\");
        n++;
    }
}

void metrics_run(buf *out, const run_info *r, const double *last)
{
    char id[UUID_TEXT];
    uuid_format(&r->id, id);
    for (size_t i = 0; i < r->column_count; i++) {
        if (!isfinite(last[i])) continue;
        buf_text(out, "dolon_value{app=\"");
        label(out, r->app);
        buf_printf(out, "\",run=\"%s\",column=\"", id);
        label(out, r->columns[i].name);
        buf_text(out, "\"} ");
        buf_double(out, last[i]);
        buf_text(out, "\n");
    }
}

void metrics_end(buf *out)
{
    buf_text(out, "# EOF\n");
}
