/* SPDX-License-Identifier: MIT OR Unlicense
   api: the routes of API.md. */
#include "api.h"

#include "answers.h"
#include "assets.h"
#include "download.h"
#include "gzip.h"
#include "sse.h"

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
    if (!t->job.ran)
        http_error(t->http, t->req, 503, "the server is stopping");
    else if (q->answer.status != 200)
        http_error(t->http, t->req, q->answer.status, "%s", q->answer.body.p);
    else
        http_reply(t->http, t->req, 200, q->type, q->zipped ? BODY_GZIPPED : BODY_PLAIN, &q->answer.body);
}

static void query_destroy(task *t)
{
    query *q = H2O_STRUCT_FROM_MEMBER(query, task, t);
    free(q->answer.params.columns);
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
    {"/api/v1/apps", BY_WORKER, 0, answer_apps, JSON_TYPE},
    {"/readyz", BY_WORKER, 0, answer_ready, TEXT_TYPE},
    {"/metrics", BY_WORKER, 0, answer_metrics, METRICS_TYPE},
};
static const route run_routes[] = {
    {"", BY_WORKER, 0, answer_run, JSON_TYPE},
    {"/series", BY_WORKER, PARAM_RANGE | PARAM_POINTS | PARAM_COLUMNS, answer_series, JSON_TYPE},
    {"/drift", BY_WORKER, PARAM_RANGE | PARAM_COLUMNS, answer_drift, JSON_TYPE},
    {"/correlation", BY_WORKER, PARAM_RANGE | PARAM_COLUMNS | PARAM_DIFFERENCED, answer_correlation, JSON_TYPE},
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
static bool allow_method(http *h, h2o_req_t *req, route_kind kind)
{
    bool get = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"));
    if (get || (kind == BY_WORKER && http_is_head(req))) return true;
    http_header(req, "allow", kind == BY_WORKER ? "GET, HEAD" : "GET");
    http_error(h, req, 405, "this can only be read: use GET");
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

static void start_query(http *h, h2o_req_t *req, const route *r, const uuid *run, const params *p)
{
    query *q = mem_calloc(1, sizeof *q);
    q->task = (task){.work = query_work, .done = query_done, .destroy = query_destroy};
    q->make = r->make;
    q->type = r->type;
    q->sources = (metrics_sources){h->desc.ingest, h->desc.runs, h->desc.writer, &h->stats, false};
    q->answer = (answer){.run = *run, .params = *p, .metrics = &q->sources};
    q->zip = gzip_accepted(http_request_header(req, H2O_TOKEN_ACCEPT_ENCODING));
    task_bind(&q->task, h, req);
    if (!task_run(&q->task, TASK_FIRST)) http_refuse(h, req);
}

static void follow(http *h, h2o_req_t *req, const route *r, const uuid *run)
{
    params p;
    if (!allow_method(h, req, r->kind) || !read_params(h, req, r->params, &p)) return;
    switch (r->kind) {
    case BY_WORKER: start_query(h, req, r, run, &p); break;
    case BY_LIVE: sse_handle(h, req, run); break;
    case BY_CSV: download_handle(h, req, run, EXPORT_CSV, p.from, p.to); break;
    case BY_NDJSON: download_handle(h, req, run, EXPORT_NDJSON, p.from, p.to); break;
    case BY_TRACE: download_handle(h, req, run, EXPORT_TRACE, p.from, p.to); break;
    }
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
    else
        follow(h, req, r, &run);
}

static void handle_file(http *h, h2o_req_t *req)
{
    if (allow_method(h, req, BY_WORKER)) assets_handle(h, req);
}

static void handle_alive(http *h, h2o_req_t *req)
{
    if (allow_method(h, req, BY_WORKER)) http_reply_static(req, 200, TEXT_TYPE, "no-store", "ok\n", 3);
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
    else if (span_eq(path, span_of("/healthz")))
        handle_alive(h, req);
    else if (span_eq(path, span_of("/")) || starts_with(path, "/assets/"))
        handle_file(h, req);
    else
        http_error(h, req, 404, "there is no such path; the API is described in API.md");
}
