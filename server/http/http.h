/* SPDX-License-Identifier: MIT OR Unlicense
   http: the h2o side of the server: listener, TLS, the event loop's thread, the page's files, and the token check.
   Routes are in api.h, streams in sse.h and download.h. Nothing else of the server knows h2o (http_internal.h lists
   the files that do). */
#ifndef HTTP_H
#define HTTP_H

#include "base/base.h"
#include "ingest/ingest.h"
#include "query/live.h"
#include "store/writer.h"

typedef struct http http;

typedef struct {
    const char *address;                 /* "127.0.0.1:12111"; port 0 picks one                      */
    const char *web;                     /* a folder, or NULL: the page in the binary                */
    const char *token_file;              /* NULL: open; else every request but /healthz needs it     */
    const char *tls_cert, *tls_key;
    const char *store_url;               /* read by a few worker threads with connections of their own */
    live *live;
    const ingest_stats *ingest;
    const runs_counters *runs;
    const writer_stats *writer;
    struct writer *editor;               /* does what users change; NULL: nothing can be changed      */
    int64_t retain;                      /* ns; 0: for ever                                           */
} http_desc;

/* Binds, and opens the store for the workers; `bound` gets "http://127.0.0.1:12111/" as chosen, https with TLS. NULL on
   failure, with one sentence in `why`. */
http *http_open(const http_desc *desc, buf *bound, buf *why);
void http_start(http *h);                                    /* the thread; aborts if there can be none */
/* Closes listeners, ends streams, lets running requests finish for at most `seconds`, ends the thread, frees. */
void http_stop(http *h, double seconds);

#endif
