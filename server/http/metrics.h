/* SPDX-License-Identifier: MIT OR Unlicense
   metrics: what the server counts and the live runs' newest values, as OpenMetrics 1.0 text. Pure. */
#ifndef METRICS_H
#define METRICS_H

#include "ingest/ingest.h"
#include "store/writer.h"

/* What the HTTP side counts; any thread may read. */
typedef struct {
    _Atomic uint64_t responses[6];                    /* by the status' first digit; [0]: given up before an answer */
    _Atomic uint64_t refused;                         /* 503 because a bound was reached                            */
    _Atomic uint64_t stream_rows_dropped;             /* rows that slow streams missed                              */
    _Atomic uint64_t connections, streams, downloads; /* now                                                        */
} http_stats;

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

typedef struct {
    const ingest_stats *ingest;
    const runs_counters *runs;
    const writer_stats *writer;
    const http_stats *http;
    bool store_answers;
} metrics_sources;

/* One text: first the server, then any number of runs, then the end. `last`: a value for each column, NaN for none. */
void metrics_server(buf *out, const metrics_sources *from);
void metrics_run(buf *out, const run_info *r, const double *last);
void metrics_end(buf *out);

#endif
