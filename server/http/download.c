/* SPDX-License-Identifier: MIT OR Unlicense
   download: every row of a run as a file. A worker makes a piece, h2o sends it, and when it has gone out
   (`proceed`) the next is made: a slow client holds one piece, and one chunk of the run, in memory. */
#include "http/download.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct {
    task task;
    h2o_generator_t generator;
    uuid run;
    export_format format;
    int64_t from, to;
    export *export;
    store_status status;
    buf piece;
    bool begun;
} download;

/* ---- on a worker's thread ---- */

static void make_piece(task *t, store *s)
{
    download *d = H2O_STRUCT_FROM_MEMBER(download, task, t);
    d->status = d->export ? STORE_OK : export_open(s, &d->run, d->format, d->from, d->to, &d->export);
    if (d->status == STORE_OK) d->status = export_next(d->export, s, &d->piece);
    if (d->status == STORE_RETRY || d->status == STORE_FAILED)
        log_limited(LOG_ERROR, "http: a download failed: %s", store_error(s));
}

/* ---- on the loop ---- */

/* "hello-world-1e7c356f.csv": what every file system takes. */
static void name_file(const download *d, char *out, size_t size)
{
    const run_info *r = export_run(d->export);
    char id[UUID_TEXT], app[64];
    uuid_format(&r->id, id);
    size_t n = 0;
    for (const char *p = r->app; *p && n + 1 < sizeof app; p++, n++)
        app[n] = isalnum((unsigned char)*p) || (n && strchr("-._", *p)) ? *p : '_';
    app[n] = 0;
    snprintf(out, size, "attachment; filename=\"%s-%.8s.%s\"", app, id, export_suffix(d->format));
}

static void begin(download *d)
{
    h2o_req_t *req = d->task.req;
    char name[128];
    name_file(d, name, sizeof name);
    http_header_copy(req, "content-disposition", name);
    http_common_headers(req, export_media_type(d->format), "no-store");
    req->res.status = 200;
    d->begun = true;
    h2o_start_response(req, &d->generator);
}

static void refuse(download *d)
{
    http *h = d->task.http;
    if (!d->task.job.ran)
        http_error(h, d->task.req, 503, "the server is stopping");
    else if (d->status == STORE_MISSING)
        http_error(h, d->task.req, 404, "there is no such run");
    else
        http_error(h, d->task.req, 503, "the store does not answer now; try again in a moment");
}

static void piece_made(task *t)
{
    download *d = H2O_STRUCT_FROM_MEMBER(download, task, t);
    bool good = t->job.ran && d->status == STORE_OK;
    if (!good && !d->begun) {
        refuse(d);
        return;
    }
    if (!d->begun) begin(d);
    h2o_iovec_t bytes = h2o_iovec_init(d->piece.p, d->piece.n);
    h2o_send(t->req, &bytes, good && d->piece.n,
             !good        ? H2O_SEND_STATE_ERROR /* a cut connection: the client sees that the file is not whole */
             : d->piece.n ? H2O_SEND_STATE_IN_PROGRESS
                          : H2O_SEND_STATE_FINAL);
}

static void proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    download *d = H2O_STRUCT_FROM_MEMBER(download, generator, generator);
    d->piece.n = 0;
    if (!task_run(&d->task, TASK_MORE)) h2o_send(req, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void destroy(task *t)
{
    download *d = H2O_STRUCT_FROM_MEMBER(download, task, t);
    atomic_fetch_sub(&t->http->stats.downloads, 1);
    if (d->export) export_free(d->export);
    buf_free(&d->piece);
    free(d);
}

void download_handle(http *h, h2o_req_t *req, const uuid *run, export_format format, int64_t from, int64_t to)
{
    if (atomic_load(&h->stats.downloads) >= HTTP_DOWNLOADS) {
        http_refuse(h, req);
        return;
    }
    download *d = mem_calloc(1, sizeof *d);
    *d = (download){.task = {.work = make_piece, .done = piece_made, .destroy = destroy},
                    .generator = {.proceed = proceed},
                    .run = *run,
                    .format = format,
                    .from = from,
                    .to = to};
    atomic_fetch_add(&h->stats.downloads, 1);
    task_bind(&d->task, h, req);
    if (!task_run(&d->task, TASK_FIRST)) http_refuse(h, req);
}
