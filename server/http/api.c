/* SPDX-License-Identifier: MIT OR Unlicense
   api: the routes of API.md. */
#include "http/api.h"

#include <stdatomic.h>

#include "base/gzip.h"
#include "http/answers.h"
#include "http/assets.h"
#include "http/download.h"
#include "http/sse.h"

#define JSON_TYPE     "application/json"
#define TEXT_TYPE     "text/plain; charset=utf-8"
#define WORTH_ZIPPING 1024 /* bytes */

/* ---- answers that a worker makes ---- */

typedef struct {
    task task;
    answer_fn make;
    const char *type;
    metrics_sources sources;
    answer answer;
    edit edit;
    bool zip, zipped; /* the client takes gzip; the body is */
} query;

static void query_work(task *t, store *s)
{
    query *q = H2O_STRUCT_FROM_MEMBER(query, task, t);
    q->answer.status = 200;
    q->make(&q->answer, s);
    if (q->zip && q->answer.status == 200 && q->answer.body.n >= WORTH_ZIPPING)
        q->zipped = gzip_compress(&q->answer.body);
}

static void query_done(task *t)
{
    query *q = H2O_STRUCT_FROM_MEMBER(query, task, t);
    if (q->answer.status == 202) writer_sweep(t->http->desc.editor);
    if (!t->job.ran)
        http_error(t->http, t->req, 503, "the server is stopping");
    else if (q->answer.status >= 400)
        http_error(t->http, t->req, q->answer.status, "%s", q->answer.body.p);
    else
        http_reply(t->http, t->req, q->answer.status, q->type, q->zipped ? BODY_GZIPPED : BODY_PLAIN,
                   &q->answer.body);
}

static void query_destroy(task *t)
{
    query *q = H2O_STRUCT_FROM_MEMBER(query, task, t);
    free(q->answer.params.columns);
    edit_free(&q->edit);
    buf_free(&q->answer.body);
    free(q);
}

/* ---- routes ---- */

/* How a route is answered: by a worker, or by one of the streams below. */
typedef enum { BY_WORKER, BY_LIVE, BY_CSV, BY_NDJSON, BY_TRACE } route_kind;

typedef struct {
    const char *path; /* behind /api/v1/runs/{id} for those of a run */
    route_kind kind;
    unsigned params; /* what may follow '?' */
    answer_fn make;
    const char *type;
} route;

static const route fixed_routes[] = {
    {"/api/v1/apps", BY_WORKER, PARAM_DELETED, answer_apps, JSON_TYPE},
    {"/readyz", BY_WORKER, 0, answer_ready, TEXT_TYPE},
    {"/metrics", BY_WORKER, 0, answer_metrics, METRICS_TYPE},
};
static const route run_routes[] = {
    {"", BY_WORKER, 0, answer_run, JSON_TYPE},
    {"/series", BY_WORKER, PARAM_RANGE | PARAM_LAST | PARAM_POINTS | PARAM_COLUMNS | PARAM_FIRST, answer_series, JSON_TYPE},
    {"/drift", BY_WORKER, PARAM_RANGE | PARAM_LAST | PARAM_COLUMNS, answer_drift, JSON_TYPE},
    {"/histogram", BY_WORKER, PARAM_RANGE | PARAM_LAST | PARAM_POINTS | PARAM_COLUMNS, answer_histogram, JSON_TYPE},
    {"/correlation", BY_WORKER, PARAM_RANGE | PARAM_LAST | PARAM_COLUMNS | PARAM_DIFFERENCED, answer_correlation, JSON_TYPE},
    {"/live", BY_LIVE, 0, NULL, NULL},
    {".csv", BY_CSV, PARAM_RANGE, NULL, NULL},
    {".ndjson", BY_NDJSON, PARAM_RANGE, NULL, NULL},
    {".trace.json", BY_TRACE, PARAM_RANGE, NULL, NULL},
};

static const route *find_route(const route *routes, size_t count, span path)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(path, span_of(routes[i].path))) return &routes[i];
    return NULL;
}

/* false: an error was answered. */
static bool allow_method(http *h, h2o_req_t *req, const route *r)
{
    bool get = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")), run = r && r->make == answer_run;
    bool head = !r || r->kind == BY_WORKER;
    if (get || (head && http_is_head(req))) return true;
    http_header(req, "allow", run ? "GET, HEAD, PATCH, DELETE" : head ? "GET, HEAD" : "GET");
    http_error(h, req, 405, run ? "use GET, PATCH or DELETE" : "this can only be read: use GET");
    return false;
}

static bool read_params(http *h, h2o_req_t *req, unsigned known, params *out)
{
    span text = {"", 0};
    if (req->query_at != SIZE_MAX)
        text = (span){req->path.base + req->query_at + 1, req->path.len - req->query_at - 1};
    buf why = {0};
    bool good = params_read(out, text, known, &why);
    if (!good) {
        free(out->columns);
        http_error(h, req, 400, "%s", why.p);
    }
    buf_free(&why);
    return good;
}

static query *new_query(http *h, h2o_req_t *req, answer_fn make, const char *type, const uuid *run, const params *p)
{
    query *q = mem_calloc(1, sizeof *q);
    q->task = (task){.work = query_work, .done = query_done, .destroy = query_destroy};
    q->make = make;
    q->type = type;
    q->sources = (metrics_sources){h->desc.ingest, h->desc.runs, h->desc.writer, &h->stats, false};
    q->answer = (answer){.run = *run, .params = *p, .metrics = &q->sources, .edit = &q->edit};
    q->zip = gzip_accepted(http_request_header(req, H2O_TOKEN_ACCEPT_ENCODING));
    task_bind(&q->task, h, req);
    return q;
}

static void start_query(http *h, h2o_req_t *req, const route *r, const uuid *run, const params *p)
{
    query *q = new_query(h, req, r->make, r->type, run, p);
    if (!task_run(&q->task, TASK_FIRST)) http_refuse(h, req);
}

static void follow(http *h, h2o_req_t *req, const route *r, const uuid *run)
{
    params p;
    if (!allow_method(h, req, r) || !read_params(h, req, r->params, &p)) return;
    switch (r->kind) {
    case BY_WORKER: start_query(h, req, r, run, &p); break;
    case BY_LIVE: sse_handle(h, req, run); break;
    case BY_CSV: download_handle(h, req, run, EXPORT_CSV, p.from, p.to); break;
    case BY_NDJSON: download_handle(h, req, run, EXPORT_NDJSON, p.from, p.to); break;
    case BY_TRACE: download_handle(h, req, run, EXPORT_TRACE, p.from, p.to); break;
    }
}

/* ---- what changes something: done by the writer's thread ---- */

/* What can be done to a run, at its own path. */
typedef struct {
    const char *method;
    unsigned params;
    bool has_body;
    answer_fn make;
} change;

static const change changes[] = {
    {"PATCH", 0, true, answer_patch},
    {"DELETE", PARAM_PURGE, false, answer_delete},
};

static const change *find_change(const h2o_req_t *req)
{
    span method = {req->method.base, req->method.len};
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (span_eq(method, span_of(changes[i].method))) return &changes[i];
    return NULL;
}

static bool is_json(span type)
{
    const char *end = type.n ? memchr(type.p, ';', type.n) : NULL;
    size_t n = end ? (size_t)(end - type.p) : type.n;
    while (n && type.p[n - 1] == ' ') n--;
    return h2o_lcstris(type.p, n, H2O_STRLIT(JSON_TYPE));
}

/* false: an error was answered. A page of another site gets no further: it cannot send this type unasked, either. */
static bool allow_change(http *h, h2o_req_t *req, bool has_body)
{
    span host = {req->authority.base, req->authority.len};
    if (!guard_is_same_site(http_request_header_named(req, "sec-fetch-site"),
                            http_request_header_named(req, "origin"), host))
        http_error(h, req, 403, "only this server's own page may change something from within a browser");
    else if (has_body && !is_json(http_request_header(req, H2O_TOKEN_CONTENT_TYPE)))
        http_error(h, req, 415, "the body must be of Content-Type application/json");
    else if (req->entity.len > EDIT_BYTES)
        http_error(h, req, 413, "the body is longer than %d bytes", EDIT_BYTES);
    else if (!h->desc.editor || writer_lags(h->desc.writer))
        http_error(h, req, 503, "the store takes no changes now; try again in a moment");
    else
        return true;
    return false;
}

static void follow_change(http *h, h2o_req_t *req, const change *c, const uuid *run)
{
    params p;
    edit e = {.pinned = -1};
    buf why = {0};
    if (!read_params(h, req, c->params, &p) || !allow_change(h, req, c->has_body)) return;
    if (c->has_body && !edit_read(&e, (span){req->entity.base, req->entity.len}, &why)) {
        http_error(h, req, 400, "%s", why.p);
    } else {
        query *q = new_query(h, req, c->make, JSON_TYPE, run, &p);
        q->edit = e;
        if (!task_write(&q->task)) http_refuse(h, req);
    }
    buf_free(&why);
}

/* ---- a run's: /api/v1/runs/{id}… ---- */

static bool starts_with(span path, const char *prefix)
{
    size_t n = strlen(prefix);
    return path.n >= n && memcmp(path.p, prefix, n) == 0;
}

static void handle_run(http *h, h2o_req_t *req, span rest)
{
    const size_t id = UUID_TEXT - 1;
    uuid run;
    const route *r =
        rest.n >= id ? find_route(run_routes, ARRAY_LEN(run_routes), (span){rest.p + id, rest.n - id}) : NULL;
    if (!r)
        http_error(h, req, 404, "there is no such path; the API is described in API.md");
    else if (!uuid_parse((span){rest.p, id}, &run))
        http_error(h, req, 404, "there is no such run: its id must be a UUID");
    else if (r->make == answer_run && find_change(req))
        follow_change(h, req, find_change(req), &run);
    else
        follow(h, req, r, &run);
}

static void handle_file(http *h, h2o_req_t *req)
{
    if (allow_method(h, req, NULL)) assets_handle(h, req);
}

static void handle_alive(http *h, h2o_req_t *req)
{
    if (allow_method(h, req, NULL)) http_reply_static(req, 200, TEXT_TYPE, "no-store", "ok\n", 3);
}

/* By the loop itself, so that it tells most when the store does not answer. */
static void handle_status(http *h, h2o_req_t *req)
{
    params none;
    if (!allow_method(h, req, NULL) || !read_params(h, req, 0, &none)) return;
    const writer_stats *w = h->desc.writer;
    buf body = {0};
    buf_printf(&body, "{\"version\":\"%s\",\"store\":\"%s\",\"behind\":%s,\"waiting_bytes\":%llu,", MNEMIC_VERSION,
               store_name(h->desc.store_url), writer_lags(w) ? "true" : "false",
               (unsigned long long)atomic_load(&w->waiting_bytes));
    buf_printf(&body, "\"rows_dropped\":%llu,\"retain_seconds\":", (unsigned long long)atomic_load(&w->rows_dropped));
    if (h->desc.retain)
        buf_printf(&body, "%lld}\n", (long long)(h->desc.retain / NS_PER_SECOND));
    else
        buf_text(&body, "null}\n");
    http_reply(h, req, 200, JSON_TYPE, BODY_PLAIN, &body);
}

void api_handle(http *h, h2o_req_t *req)
{
    static const char of_runs[] = "/api/v1/runs/";
    span path = {req->path_normalized.base, req->path_normalized.len};
    const route *r = find_route(fixed_routes, ARRAY_LEN(fixed_routes), path);
    if (r)
        follow(h, req, r, &(uuid){{0}});
    else if (starts_with(path, of_runs))
        handle_run(h, req, (span){path.p + sizeof of_runs - 1, path.n - (sizeof of_runs - 1)});
    else if (span_eq(path, span_of("/api/v1/status")))
        handle_status(h, req);
    else if (span_eq(path, span_of("/healthz")))
        handle_alive(h, req);
    else if (span_eq(path, span_of("/")) || starts_with(path, "/assets/"))
        handle_file(h, req);
    else
        http_error(h, req, 404, "there is no such path; the API is described in API.md");
}
