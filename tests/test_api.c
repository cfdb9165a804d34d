/* SPDX-License-Identifier: MIT OR Unlicense
   test_api: the HTTP side as a client meets it: a real server over loopback, on a real store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "http_client.h"

#include "../server/http/http.h"
#include "../server/store/store.h"

/* h2o keeps free lists in thread-local variables and never lets go of them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}

#define T0 (INT64_C(1769860800) * NS_PER_SECOND) /* 2026-01-31T12:00:00Z */

/* ---- a store with two applications ---- */

static char folder[64], url[128];
static live *fan;
static http *server;
static int port;
static ingest_stats ingest_numbers;
static runs_counters runs_numbers;
static writer_stats writer_numbers;

#define EVIL      "<img src=x onerror=alert(1)>"
#define LONG_ROWS 20000

static const char old_id[] = "00000000-0000-4000-8000-000000000001";
static const char new_id[] = "00000000-0000-4000-8000-000000000002";
static const char long_id[] = "00000000-0000-4000-8000-000000000003";

static uuid id_of(const char *text)
{
    uuid id;
    assert_true(uuid_parse(span_of(text), &id));
    return id;
}

static run_info *make_run(const char *id, const char *app, int64_t started, size_t columns, const char *const *names)
{
    run_info *r = mem_calloc(1, sizeof *r);
    *r = (run_info){.id = id_of(id),
                    .app = mem_strdup(app),
                    .host = mem_strdup("box"),
                    .build = mem_strdup("b1"),
                    .args = mem_strdup("./x --y"),
                    .place = mem_strdup(""),
                    .note = mem_strdup(""),
                    .user_tags = mem_strdup(""),
                    .pid = 42,
                    .offset = -1500 * NS_PER_MS,
                    .started = started,
                    .last = started,
                    .seen = clock_wall(),
                    .state = RUN_ENDED,
                    .column_count = columns};
    r->columns = mem_calloc(columns, sizeof r->columns[0]);
    for (size_t i = 0; i < columns; i++)
        r->columns[i] =
            (run_column){mem_strdup(names[i]), mem_strdup(i ? "" : "MB"), i ? COLUMN_COUNTER : COLUMN_GAUGE};
    return r;
}

/* Rows a second apart; column 0: the row's number / 4; column 1: no value in odd rows. */
static batch_part make_rows(const run_info *r, size_t first, size_t rows, int64_t apart)
{
    batch_part p = {.info = (run_info *)(uintptr_t)r, .rows = rows, .columns = r->column_count};
    p.time = mem_calloc(rows, sizeof p.time[0]);
    p.seq = mem_calloc(rows, sizeof p.seq[0]);
    p.values = mem_calloc(rows * p.columns, sizeof p.values[0]);
    for (size_t i = 0; i < rows; i++) {
        size_t n = first + i;
        p.time[i] = r->started + (int64_t)n * apart;
        p.seq[i] = n;
        for (size_t c = 0; c < p.columns; c++)
            p.values[i * p.columns + c] = c == 0 ? (double)n / 4 : n % 2 ? NAN : (double)(n * c);
    }
    return p;
}

static void free_rows(batch_part *p)
{
    free(p->time);
    free(p->seq);
    free(p->values);
}

static void fill(store *s, run_info *r, size_t rows, int64_t apart, const run_event *events, size_t event_count)
{
    size_t n = 0;
    chunk *chunks[64];
    batch_part p = make_rows(r, 0, rows, apart);
    for (size_t at = 0; at < rows; at += CHUNK_ROWS)
        chunks[n++] = chunk_from_part(&p, at, rows - at < CHUNK_ROWS ? rows - at : CHUNK_ROWS);
    r->last = p.time[rows - 1];
    store_change change = {.info = r, .put = chunks, .put_count = n, .events = events, .event_count = event_count};
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    for (size_t i = 0; i < n; i++) chunk_free(chunks[i]);
    free_rows(&p);
    run_info_free(r);
}

static void fill_store(void)
{
    static const char *const plain[] = {"mem", "with \"quote\", comma"}, *const evil[] = {EVIL};
    char label[] = "cache \"flushed\"", nothing[] = "";
    run_event events[] = {{EVENT_MARK, T0 + NS_PER_SECOND, T0 + NS_PER_SECOND, 0, 0, label},
                          {EVENT_GAP, T0 + 2 * NS_PER_SECOND, T0 + 3 * NS_PER_SECOND, 100, 5, nothing}};
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    if (!s) fail_msg("%s", why.p);
    fill(s, make_run(old_id, "plain", T0, 2, plain), 4, NS_PER_SECOND, events, 2);
    fill(s, make_run(new_id, EVIL, T0 + 100 * NS_PER_SECOND, 1, evil), 1, NS_PER_SECOND, NULL, 0);
    fill(s, make_run(long_id, "plain", T0 + 50 * NS_PER_SECOND, 2, plain), LONG_ROWS, NS_PER_MS, NULL, 0);
    store_close(s);
}

/* ---- the server ---- */

static int port_of(const char *bound)
{
    const char *colon = strrchr(bound, ':');
    return atoi(colon + 1);
}

static http_desc usual_desc(void)
{
    return (http_desc){.address = "127.0.0.1:0",
                       .store_url = url,
                       .live = fan,
                       .ingest = &ingest_numbers,
                       .runs = &runs_numbers,
                       .writer = &writer_numbers};
}

static http *open_server(const http_desc *desc, int *chosen)
{
    buf bound = {0}, why = {0};
    http *h = http_open(desc, &bound, &why);
    if (!h) fail_msg("%s", why.p);
    assert_memory_equal(bound.p, "http://127.0.0.1:", 17);
    *chosen = port_of(bound.p);
    buf_free(&bound);
    http_start(h);
    return h;
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    strcpy(folder, "/tmp/mnemic-api-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "sqlite:%s/t.db", folder);
    fill_store();
    fan = live_new();
    http_desc desc = usual_desc();
    server = open_server(&desc, &port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_stop(server, 10);
    live_free(fan);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- asking ---- */

static char *run_path(const char *id, const char *rest)
{
    static char path[256];
    snprintf(path, sizeof path, "/api/v1/runs/%s%s", id, rest);
    return path;
}

static json_t *get_json(const char *path)
{
    http_answer a = client_get(port, path);
    char type[64];
    if (a.status != 200) fail_msg("%s: %d %s", path, a.status, a.body.p);
    assert_string_equal(answer_header(&a, "content-type", type, sizeof type), "application/json");
    json_t *value = json_loadb(a.body.p, a.body.n, 0, NULL);
    assert_non_null(value);
    http_answer_free(&a);
    return value;
}

/* An error has its status and a sentence. */
static void expect_error(const char *method, const char *path, const char *headers, int status, const char *says)
{
    http_answer a = client_ask(port, method, path, headers);
    json_t *value = json_loadb(a.body.p, a.body.n, 0, NULL);
    const char *sentence = json_string_value(json_object_get(value, "error"));
    if (a.status != status || !sentence || !strstr(sentence, says))
        fail_msg("%s %s: %d %s", method, path, a.status, a.body.p);
    json_decref(value);
    http_answer_free(&a);
}

static double number_at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

/* ---- the page and its like ---- */

static void alive_and_ready(void **state)
{
    (void)state;
    static const char *const paths[] = {"/healthz", "/readyz"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        http_answer a = client_get(port, paths[i]);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body.p, "ok\n");
        http_answer_free(&a);
    }
}

static void the_page(void **state)
{
    (void)state;
    char value[512], tagged[600];
    http_answer a = client_get(port, "/");
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "content-type", value, sizeof value), "text/html; charset=utf-8");
    assert_string_equal(answer_header(&a, "cache-control", value, sizeof value), "no-cache");
    assert_string_equal(answer_header(&a, "x-content-type-options", value, sizeof value), "nosniff");
    assert_non_null(strstr(answer_header(&a, "content-security-policy", value, sizeof value), "default-src 'none'"));
    assert_non_null(strstr(a.body.p, "<html"));
    answer_header(&a, "etag", value, sizeof value);
    size_t length = a.body.n;
    http_answer_free(&a);

    snprintf(tagged, sizeof tagged, "If-None-Match: W/\"x\", %s\r\n", value);
    a = client_ask(port, "GET", "/", tagged);
    assert_int_equal(a.status, 304);
    assert_int_equal(a.body.n, 0);
    http_answer_free(&a);
    a = client_ask(port, "HEAD", "/", "");
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.n, 0);
    assert_int_equal(atoi(answer_header(&a, "content-length", value, sizeof value)), length);
    http_answer_free(&a);
    a = client_ask(port, "GET", "/assets/early.js", "Accept-Encoding: br, gzip\r\n");
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "content-encoding", value, sizeof value), "gzip");
    assert_string_equal(answer_header(&a, "content-type", value, sizeof value), "text/javascript; charset=utf-8");
    assert_memory_equal(a.body.p, "\x1f\x8b", 2);
    http_answer_free(&a);
}

static void no_such_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"/assets/",
                                        "/assets/nothing.js",
                                        "/favicon.ico",
                                        "/api",
                                        "/api/v1/app",
                                        "/assets/../../etc/passwd",
                                        "/%2e%2e/%2e%2e/etc/passwd",
                                        "/assets/%00",
                                        "/assets//etc/passwd"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) expect_error("GET", paths[i], "", 404, "there is no such");
}

static void a_folder_instead(void **state)
{
    (void)state;
    char web[80], path[100], secret[100];
    snprintf(web, sizeof web, "%s/web", folder);
    snprintf(path, sizeof path, "%s/a.css", web);
    snprintf(secret, sizeof secret, "%s/.hidden", web);
    assert_int_equal(mkdir(web, 0700), 0);
    FILE *file = fopen(path, "w"), *hidden = fopen(secret, "w");
    assert_true(file && hidden && fputs("p {}", file) >= 0 && fputs("secret", hidden) >= 0);
    fclose(file);
    fclose(hidden);
    http_desc desc = usual_desc();
    desc.web = web;
    int other, usual = port;
    http *h = open_server(&desc, &other);
    http_answer a = client_get(other, "/assets/a.css");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body.p, "p {}");
    http_answer_free(&a);
    static const char *const paths[] = {"/assets/.hidden",   "/assets/../t.db",  "/assets/%2e%2e/t.db",
                                        "/assets/..%2ft.db", "/assets//a.css",   "/assets/a.css/",
                                        "/assets/.",         "/assets/a.css%00x"};
    port = other;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) expect_error("GET", paths[i], "", 404, "there is no such");
    expect_error("GET", "/", "", 404, "there is no such file");
    port = usual;
    http_stop(h, 10);
}

static void wrong_methods(void **state)
{
    (void)state;
    char value[64];
    static const char *const paths[] = {"/", "/healthz", "/api/v1/apps", "/metrics"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        expect_error("POST", paths[i], "Content-Length: 0\r\n", 405, "GET");
        http_answer a = client_ask(port, "DELETE", paths[i], "");
        assert_string_equal(answer_header(&a, "allow", value, sizeof value), "GET, HEAD");
        http_answer_free(&a);
    }
    expect_error("PUT", run_path(old_id, ".csv"), "", 405, "GET");
}

static void hosts(void **state)
{
    (void)state;
    expect_error("GET", "/api/v1/apps", "Host: evil.example\r\n", 421, "localhost");
    expect_error("GET", "/", "Host: evil.example:12111\r\n", 421, "localhost");
    http_answer a = client_ask(port, "GET", "/api/v1/apps", "Host: 127.0.0.1:1\r\n");
    assert_int_equal(a.status, 200);
    http_answer_free(&a);
    a = client_ask(port, "GET", "/healthz", "Host: evil.example\r\n");
    assert_int_equal(a.status, 200);
    http_answer_free(&a);
}

/* ---- runs ---- */

static void applications(void **state)
{
    (void)state;
    json_t *apps = get_json("/api/v1/apps");
    assert_int_equal(json_array_size(apps), 2);
    json_t *first = json_array_get(apps, 0), *second = json_array_get(apps, 1);
    assert_string_equal(json_string_value(json_object_get(first, "app")), EVIL);
    assert_string_equal(json_string_value(json_object_get(second, "app")), "plain");
    json_t *list = json_object_get(second, "runs");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "id")), long_id);
    json_t *old = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(old, "id")), old_id);
    assert_string_equal(json_string_value(json_object_get(old, "state")), "ended");
    assert_int_equal(json_integer_value(json_object_get(old, "rows")), 4);
    assert_int_equal(json_integer_value(json_object_get(old, "lost")), 5);
    assert_true(json_integer_value(json_object_get(old, "started")) == T0 / NS_PER_MS);
    assert_true(json_integer_value(json_object_get(old, "last")) == T0 / NS_PER_MS + 3000);
    json_decref(apps);
}

static void one_run(void **state)
{
    (void)state;
    json_t *run = get_json(run_path(old_id, "")), *columns = json_object_get(run, "column_info");
    assert_string_equal(json_string_value(json_object_get(run, "args")), "./x --y");
    assert_int_equal(json_integer_value(json_object_get(run, "pid")), 42);
    assert_true(json_number_value(json_object_get(run, "clock_offset")) == -1500);
    assert_int_equal(json_array_size(columns), 2);
    json_t *mem = json_array_get(columns, 0), *other = json_array_get(columns, 1);
    assert_string_equal(json_string_value(json_object_get(mem, "unit")), "MB");
    assert_true(json_number_value(json_object_get(mem, "last")) == 0.75);
    assert_string_equal(json_string_value(json_object_get(other, "kind")), "counter");
    assert_true(json_number_value(json_object_get(other, "last")) == 2); /* the last row has none */
    json_decref(run);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", ""), "", 404, "no such run");
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dea!", ""), "", 404, "UUID");
    expect_error("GET", run_path(old_id, "/nothing"), "", 404, "no such path");
    expect_error("GET", "/api/v1/runs/", "", 404, "no such path");
}

static void gzip_where_it_is_taken(void **state)
{
    (void)state;
    char value[64];
    http_answer a = client_ask(port, "GET", run_path(long_id, "/series"), "Accept-Encoding: gzip\r\n");
    assert_string_equal(answer_header(&a, "content-encoding", value, sizeof value), "gzip");
    assert_memory_equal(a.body.p, "\x1f\x8b", 2);
    http_answer_free(&a);
    a = client_ask(port, "GET", run_path(long_id, "/series"), "Accept-Encoding: gzip;q=0\r\n");
    assert_string_equal(answer_header(&a, "content-encoding", value, sizeof value), "");
    http_answer_free(&a);
}

/* ---- series ---- */

static void a_series(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(old_id, "/series")), *columns = json_object_get(s, "columns");
    json_t *time = json_object_get(s, "time"), *mem = json_object_get(columns, "mem");
    assert_true(json_number_value(json_object_get(s, "from")) == (double)(T0 / NS_PER_MS));
    assert_true(json_number_value(json_object_get(s, "to")) == (double)(T0 / NS_PER_MS + 3000));
    assert_int_equal(json_array_size(time), 4);
    assert_true(number_at(time, 1) == (double)(T0 / NS_PER_MS + 1000));
    assert_null(json_object_get(s, "rows")); /* every point is a row */
    assert_null(json_object_get(mem, "min"));
    assert_true(number_at(json_object_get(mem, "mean"), 3) == 0.75);
    json_t *other = json_object_get(json_object_get(columns, "with \"quote\", comma"), "mean");
    assert_true(json_is_null(json_array_get(other, 1)));
    assert_true(number_at(other, 2) == 2);
    json_t *gap = json_array_get(json_object_get(s, "gaps"), 0),
           *mark = json_array_get(json_object_get(s, "marks"), 0);
    assert_true(number_at(gap, 0) == (double)(T0 / NS_PER_MS + 2000));
    assert_int_equal(number_at(gap, 2), 5);
    assert_string_equal(json_string_value(json_object_get(mark, "text")), "cache \"flushed\"");
    assert_int_equal(json_integer_value(json_object_get(mark, "count")), 1);
    json_decref(s);
}

static void a_part_of_a_series(void **state)
{
    (void)state;
    char query[128];
    snprintf(query, sizeof query, "/series?from=%lld&to=%lld&columns=1", (long long)(T0 / NS_PER_MS + 500),
             (long long)(T0 / NS_PER_MS + 2500));
    json_t *s = get_json(run_path(old_id, query));
    assert_int_equal(json_array_size(json_object_get(s, "time")), 2);
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 1);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?columns="));
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 0);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?first=1"));
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 1);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?first=9&last=1.5")); /* as many as there are, of the last two rows */
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 2);
    assert_int_equal(json_array_size(json_object_get(s, "time")), 2);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?to=-9000000000000&last=9000000000")); /* nothing is that early */
    assert_int_equal(json_array_size(json_object_get(s, "time")), 0);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?from=9000000000000")); /* nothing is that late */
    json_decref(s);
    s = get_json(run_path(old_id, "/series?from=1&to=9000000000000&points=1"));
    assert_int_equal(json_array_size(json_object_get(s, "time")), 1);
    json_decref(s);
}

static void a_reduced_series(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/series?points=100")), *rows = json_object_get(s, "rows");
    json_t *mem = json_object_get(json_object_get(s, "columns"), "mem");
    size_t points = json_array_size(rows);
    double sum = 0;
    assert_in_range(points, 10, 100);
    for (size_t i = 0; i < points; i++) sum += number_at(rows, i);
    assert_true(sum == LONG_ROWS);
    assert_true(number_at(json_object_get(mem, "min"), 0) == 0);
    assert_true(number_at(json_object_get(mem, "max"), points - 1) == (double)(LONG_ROWS - 1) / 4);
    json_decref(s);
}

/* ---- verdicts ---- */

static void verdicts(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/drift")), *columns = json_object_get(s, "columns");
    assert_int_equal(json_array_size(columns), 2);
    json_t *mem = json_array_get(columns, 0), *other = json_array_get(columns, 1);
    assert_string_equal(json_string_value(json_object_get(mem, "name")), "mem");
    assert_string_equal(json_string_value(json_object_get(mem, "unit")), "MB");
    assert_string_equal(json_string_value(json_object_get(mem, "verdict")), "rising");
    double slope = 1000.0 / 4 * 3600; /* a quarter a row, 1,000 rows a second */
    assert_true(fabs(json_number_value(json_object_get(mem, "slope")) / slope - 1) < 1e-6);
    assert_true(json_number_value(json_object_get(mem, "low")) <= slope * 1.000001);
    assert_float_equal(json_number_value(json_object_get(mem, "change")), LONG_ROWS / 4, LONG_ROWS / 200);
    assert_int_equal(json_array_size(json_object_get(mem, "shifts")), 0);
    assert_int_equal(json_integer_value(json_object_get(mem, "outliers_found")), 0);
    assert_string_equal(json_string_value(json_object_get(other, "kind")), "counter");
    assert_string_equal(json_string_value(json_object_get(other, "verdict")), "steady"); /* counts 1,000 a second */
    assert_float_equal(json_number_value(json_object_get(other, "level")), 1000, 10);
    json_decref(s);
    s = get_json(run_path(old_id, "/drift?columns=1"));
    columns = json_object_get(s, "columns");
    assert_int_equal(json_array_size(columns), 1);
    mem = json_array_get(columns, 0);
    assert_string_equal(json_string_value(json_object_get(mem, "verdict")), "unclear"); /* two values */
    assert_true(json_is_null(json_object_get(mem, "slope")));
    json_decref(s);
    s = get_json(run_path(old_id, "/drift?columns="));
    assert_int_equal(json_array_size(json_object_get(s, "columns")), 0);
    json_decref(s);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/drift"), "", 404, "no such run");
}

static void histograms(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/histogram?points=50")); /* it has none */
    assert_int_equal(json_array_size(json_object_get(s, "time")), 0);
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 0);
    assert_true(json_number_value(json_object_get(s, "to")) > json_number_value(json_object_get(s, "from")));
    json_decref(s);
    expect_error("GET", run_path(long_id, "/histogram?columns=0"), "", 400, "kind is histogram");
    expect_error("GET", run_path(long_id, "/histogram?columns=9"), "", 400, "columns");
    expect_error("GET", run_path(long_id, "/histogram?points=0"), "", 400, "points");
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/histogram"), "", 404, "no such run");
}

static void correlations(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/correlation?columns=1,0&differenced=0")), *r = json_object_get(s, "r");
    assert_false(json_boolean_value(json_object_get(s, "exact")));
    assert_false(json_boolean_value(json_object_get(s, "differenced")));
    assert_int_equal(json_array_size(json_object_get(s, "columns")), 2);
    assert_int_equal(json_array_size(r), 2);
    assert_int_equal(json_array_size(json_array_get(r, 0)), 1); /* below the diagonal, and that */
    assert_int_equal(json_array_size(json_array_get(r, 1)), 2);
    assert_true(json_integer_value(json_object_get(s, "points")) > 900);
    json_decref(s);
    s = get_json(run_path(old_id, "/correlation?columns=0"));
    assert_true(json_boolean_value(json_object_get(s, "exact")));
    assert_true(number_at(json_array_get(json_object_get(s, "r"), 0), 0) == 1);
    assert_true(number_at(json_array_get(json_object_get(s, "n"), 0), 0) == 4);
    json_decref(s);
    s = get_json(run_path(old_id, "/correlation?columns=0&differenced=1")); /* it rises evenly */
    assert_true(json_is_null(json_array_get(json_array_get(json_object_get(s, "r"), 0), 0)));
    assert_true(number_at(json_array_get(json_object_get(s, "n"), 0), 0) == 3);
    json_decref(s);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/correlation"), "", 404, "no such run");
}

static void bad_questions(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *says;
    } cases[] = {
        {"/series?points=0", "points"},
        {"/series?points=20001", "points"},
        {"/series?from=x", "from"},
        {"/series?from=2&to=1", "later"},
        {"/series?columns=2", "columns"},
        {"/series?columns=0,0", "columns"},
        {"/series?colums=0", "colums"},
        {"/series?first=0", "first"},
        {"/series?first=4294967297", "first"},
        {"/series?last=0", "last"},
        {"/series?last=-1", "last"},
        {"/series?last=9223372036854775807", "last"},
        {"/drift?first=1", "first"},
        {".csv?last=600", "last"},
        {"?x=1", "x"},
        {".csv?points=3", "points"},
        {"/live?from=1", "from"},
        {".ndjson?to=", "to"},
        {"/series?columns=-1", "columns"},
        {"/drift?columns=2", "columns"},
        {"/drift?columns=1,1", "columns"},
        {"/drift?points=9", "points"},
        {"/correlation?differenced=yes", "differenced"},
        {"/correlation?differenced=2", "differenced"},
        {"/drift?differenced=1", "differenced"},
        {"/drift?from=2&to=1", "later"},
        {"/series?%ff%22=<b>", "no such parameter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_error("GET", run_path(old_id, cases[i].rest), "", 400, cases[i].says);
}

/* ---- downloads ---- */

static void csv(void **state)
{
    (void)state;
    char value[128];
    http_answer a = client_get(port, run_path(old_id, ".csv"));
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "content-type", value, sizeof value), "text/csv; charset=utf-8");
    assert_string_equal(answer_header(&a, "content-disposition", value, sizeof value),
                        "attachment; filename=\"plain-00000000.csv\"");
    assert_string_equal(a.body.p, "time,seq,mem,\"with \"\"quote\"\", comma\"\r\n"
                                  "2026-01-31T12:00:00.000000000Z,0,0,0\r\n"
                                  "2026-01-31T12:00:01.000000000Z,1,0.25,\r\n"
                                  "2026-01-31T12:00:02.000000000Z,2,0.5,2\r\n"
                                  "2026-01-31T12:00:03.000000000Z,3,0.75,\r\n");
    http_answer_free(&a);
    a = client_get(port, run_path(new_id, ".csv"));
    assert_string_equal(answer_header(&a, "content-disposition", value, sizeof value),
                        "attachment; filename=\"_img_src_x_onerror_alert_1__-00000000.csv\"");
    http_answer_free(&a);
}

static void ndjson(void **state)
{
    (void)state;
    char query[64];
    snprintf(query, sizeof query, ".ndjson?from=%lld", (long long)(T0 / NS_PER_MS + 2000));
    http_answer a = client_get(port, run_path(old_id, query));
    assert_string_equal(a.body.p, "{\"time\":\"1769860802000000000\",\"seq\":2,\"values\":{\"mem\":0.5,"
                                  "\"with \\\"quote\\\", comma\":2}}\n"
                                  "{\"time\":\"1769860803000000000\",\"seq\":3,\"values\":{\"mem\":0.75,"
                                  "\"with \\\"quote\\\", comma\":null}}\n");
    http_answer_free(&a);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", ".csv"), "", 404, "no such run");
}

/* Events of a phase: how many; the `nth`, if there are so many. */
static size_t events_of(const json_t *trace, const char *phase, size_t nth, json_t **found)
{
    json_t *all = json_object_get(trace, "traceEvents"), *event;
    size_t i, count = 0;
    json_array_foreach(all, i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "ph")), phase) != 0) continue;
        if (count++ == nth) *found = event;
    }
    return count;
}

static void trace(void **state)
{
    (void)state;
    char value[128];
    json_t *t = get_json(run_path(old_id, ".trace.json")), *event = NULL;
    assert_int_equal(events_of(t, "C", 4, &event), 6); /* 0 0 · 0.25 · 0.5 2 · 0.75 */
    assert_string_equal(json_string_value(json_object_get(event, "name")), "with \"quote\", comma");
    assert_true(json_number_value(json_object_get(event, "ts")) == 2e6);
    assert_true(json_number_value(json_object_get(json_object_get(event, "args"), "value")) == 2);
    events_of(t, "C", 0, &event);
    assert_string_equal(json_string_value(json_object_get(event, "name")), "mem (MB)");
    assert_int_equal(events_of(t, "i", 0, &event), 1);
    assert_string_equal(json_string_value(json_object_get(event, "name")), "cache \"flushed\"");
    assert_true(json_number_value(json_object_get(event, "ts")) == 1e6);
    assert_int_equal(events_of(t, "X", 0, &event), 1);
    assert_string_equal(json_string_value(json_object_get(event, "name")), "5 lost");
    assert_true(json_number_value(json_object_get(event, "dur")) == 1e6);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(event, "args"), "rows")), 5);
    events_of(t, "M", 0, &event);
    assert_string_equal(json_string_value(json_object_get(json_object_get(event, "args"), "name")), "plain");
    json_t *other = json_object_get(t, "otherData");
    assert_string_equal(json_string_value(json_object_get(other, "run")), old_id);
    assert_string_equal(json_string_value(json_object_get(other, "origin_ns")), "1769860800000000000");
    json_decref(t);
    http_answer a = client_get(port, run_path(old_id, ".trace.json"));
    assert_string_equal(answer_header(&a, "content-disposition", value, sizeof value),
                        "attachment; filename=\"plain-00000000.trace.json\"");
    http_answer_free(&a);
    t = get_json(run_path(old_id, ".trace.json?from=1&to=2")); /* nothing of it */
    assert_int_equal(events_of(t, "C", 0, &event) + events_of(t, "i", 0, &event) + events_of(t, "X", 0, &event), 0);
    json_decref(t);
    t = get_json(run_path(long_id, ".trace.json")); /* of several pieces */
    assert_int_equal(events_of(t, "C", 0, &event), LONG_ROWS * 3 / 2);
    json_decref(t);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", ".trace.json"), "", 404, "no such run");
}

static void a_long_download(void **state)
{
    (void)state;
    http_answer a = client_get(port, run_path(long_id, ".csv"));
    const char *at = strchr(a.body.p, '\n') + 1;
    for (unsigned long n = 0; n < LONG_ROWS; n++) {
        unsigned long seq;
        double value;
        assert_int_equal(sscanf(at, "%*[^,],%lu,%lf,", &seq, &value), 2);
        assert_true(seq == n && value == (double)n / 4);
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(*at, 0);
    http_answer_free(&a);
}

/* Clients that ask and go, at every moment: the sanitizers tell if something of theirs is left. */
static void clients_that_leave(void **state)
{
    (void)state;
    static const char *const rests[] = {".csv",         ".ndjson", ".trace.json", "/drift", "/histogram",
                                        "/correlation", "/series", "/live",       ""};
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
            int fd = client_connect(port);
            client_send(fd, "GET", run_path(long_id, rests[i]), "");
            buf in = {0};
            if (round % 2) client_read(fd, &in);
            buf_free(&in);
            close(fd);
        }
    http_answer a = client_get(port, "/readyz");
    assert_int_equal(a.status, 200);
    http_answer_free(&a);
}

static void requests_in_a_row(void **state)
{
    (void)state;
    int fd = client_connect(port);
    buf in = {0};
    for (int i = 0; i < 5; i++) {
        client_send(fd, "GET", "/healthz", "");
        client_wait(fd, &in, "\r\n\r\nok\n");
        in.n = 0;
    }
    buf_free(&in);
    close(fd);
}

/* ---- live streams ---- */

static run_info *live_run(run_state state, size_t columns)
{
    static char made[200][24];
    const char *names[ARRAY_LEN(made)] = {EVIL, "second"};
    for (size_t i = 2; i < columns; i++) {
        snprintf(made[i], sizeof made[i], "c%zu", i);
        names[i] = made[i];
    }
    run_info *r = make_run(new_id, EVIL, T0 + 100 * NS_PER_SECOND, columns, names);
    r->state = state;
    r->seen = clock_wall();
    return r;
}

static void publish(run_state state, size_t columns, size_t first, size_t rows)
{
    run_info *r = live_run(state, columns);
    batch_part p = make_rows(r, first, rows, NS_PER_SECOND);
    r->last = rows ? p.time[rows - 1] : r->started;
    batch b = {.parts = &p, .count = 1, .bytes = rows * 16};
    live_publish(fan, &b);
    free_rows(&p);
    run_info_free(r);
}

static int open_stream(buf *in)
{
    int fd = client_connect(port);
    client_send(fd, "GET", run_path(new_id, "/live"), "");
    client_wait(fd, in, "event: hello\ndata: {\"id\":\"00000000-0000-4000-8000-000000000002\"");
    assert_non_null(strcasestr(in->p, "content-type: text/event-stream"));
    return fd;
}

static void live_rows(void **state)
{
    (void)state;
    buf in = {0}, again = {0};
    int fd = open_stream(&in), second = open_stream(&again);
    publish(RUN_LIVE, 1, 1, 2);
    const char *at = client_wait(fd, &in, "event: rows\ndata: ");
    client_wait(fd, &in, "\"marks\":[]}\n\n");
    assert_non_null(strstr(at, "\"columns\":{\"" EVIL "\":{\"mean\":[0.25,0.5]}}"));
    client_wait(second, &again, "\"mean\":[0.25,0.5]");
    at = client_wait(fd, &in, "event: run\ndata: ");
    client_wait(fd, &in, "\"state\":\"live\"");
    publish(RUN_ENDED, 1, 3, 1);
    client_wait(fd, &in, "\"mean\":[0.75]");
    client_wait(fd, &in, "\"state\":\"ended\"");
    publish(RUN_LIVE, 2, 4, 1); /* a column joins */
    client_wait(fd, &in, "\"columns\":[\"" EVIL "\",\"second\"]");
    close(fd);
    close(second);
    buf_free(&in);
    buf_free(&again);
}

/* The slow one reads nothing until more has gone by than sockets and its queue hold; the other one sets the pace. */
static void a_slow_reader_is_told(void **state)
{
    (void)state;
    enum { COLUMNS = 100, ROWS = 500, ROUNDS = 60 };
    buf in = {0}, fast = {0};
    int slow = open_stream(&in), reader = open_stream(&fast);
    for (size_t i = 0; i < ROUNDS; i++) {
        fast.n = 0;
        publish(RUN_LIVE, COLUMNS, 10 + i * ROWS, ROWS);
        client_wait(reader, &fast, "\"marks\":[]}\n\n");
    }
    assert_null(strstr(fast.p, "event: dropped"));
    client_wait(slow, &in, "event: dropped\ndata: {\"rows\":");
    http_answer a = client_get(port, "/metrics");
    assert_null(strstr(a.body.p, "mnemic_http_stream_rows_dropped_total 0\n"));
    http_answer_free(&a);
    close(slow);
    close(reader);
    buf_free(&in);
    buf_free(&fast);
}

static void no_stream_of_nothing(void **state)
{
    (void)state;
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/live"), "", 404, "no such run");
    expect_error("POST", run_path(new_id, "/live"), "", 405, "GET");
}

/* ---- metrics ---- */

static void metrics(void **state)
{
    (void)state;
    atomic_store(&ingest_numbers.datagrams, 7);
    atomic_store(&ingest_numbers.refused[DECODE_SYNTAX], 3);
    http_answer a = client_get(port, "/metrics");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body.p, "\nmnemic_datagrams_total 7\n"));
    assert_non_null(strstr(a.body.p, "\nmnemic_datagrams_refused_total{reason=\"syntax\"} 3\n"));
    assert_non_null(strstr(a.body.p, "# TYPE mnemic_ingest_rows counter\n# HELP mnemic_ingest_rows rows taken\n"));
    assert_non_null(strstr(a.body.p, "\nmnemic_store_answers 1\n"));
    assert_string_equal(a.body.p + a.body.n - 6, "# EOF\n");
    http_answer_free(&a);
}

/* ---- tokens ---- */

static void with_a_token(void **state)
{
    (void)state;
    char path[100], value[64];
    snprintf(path, sizeof path, "%s/token", folder);
    FILE *file = fopen(path, "w");
    assert_true(file && fputs("sesame\n", file) >= 0 && fclose(file) == 0);
    http_desc desc = usual_desc();
    desc.token_file = path;
    int other, usual = port;
    http *h = open_server(&desc, &other);
    port = other;
    static const char *const paths[] = {"/", "/api/v1/apps", "/metrics", "/readyz", "/nothing"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) expect_error("GET", paths[i], "", 401, "token");
    expect_error("GET", "/", "Authorization: Bearer sesam\r\n", 401, "token");
    http_answer a = client_get(port, "/");
    assert_string_equal(answer_header(&a, "www-authenticate", value, sizeof value),
                        "Basic realm=\"mnemic\", charset=\"UTF-8\"");
    http_answer_free(&a);
    static const char *const right[] = {"Authorization: Bearer sesame\r\n", "Authorization: Basic eDpzZXNhbWU=\r\n",
                                        "Authorization: Bearer sesame\r\nHost: box.example\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        a = client_ask(port, "GET", "/api/v1/apps", right[i]);
        assert_int_equal(a.status, 200);
        http_answer_free(&a);
    }
    a = client_get(port, "/healthz");
    assert_int_equal(a.status, 200);
    http_answer_free(&a);
    port = usual;
    http_stop(h, 10);
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    static const struct {
        const char *address, *store, *token, *cert, *says;
    } cases[] = {
        {"nowhere", NULL, NULL, NULL, "HOST:PORT"},
        {"127.0.0.1:0", "sqlite:/nonexistent/x.db", NULL, NULL, "/nonexistent"},
        {"127.0.0.1:0", NULL, "/nonexistent/token", NULL, "/nonexistent/token"},
        {"127.0.0.1:0", NULL, NULL, "/nonexistent/cert.pem", "/nonexistent/cert.pem"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        http_desc desc = usual_desc();
        desc.address = cases[i].address;
        if (cases[i].store) desc.store_url = cases[i].store;
        desc.token_file = cases[i].token;
        desc.tls_cert = desc.tls_key = cases[i].cert;
        buf bound = {0}, why = {0};
        assert_null(http_open(&desc, &bound, &why));
        if (!why.n || !strstr(why.p, cases[i].says)) fail_msg("case %zu said: %s", i, why.n ? why.p : "");
        assert_int_equal(bound.n, 0);
        buf_free(&why);
    }
}

/* ---- the end ---- */

static void streams_end_with_the_server(void **state)
{
    (void)state;
    http_desc desc = usual_desc();
    int other, usual = port;
    http *h = open_server(&desc, &other);
    port = other;
    buf in = {0}, idle_in = {0};
    int fd = open_stream(&in), idle = client_connect(port), stalled = client_connect(port);
    client_send(idle, "GET", "/healthz", "");
    client_wait(idle, &idle_in, "ok\n");
    client_send(stalled, "GET", run_path(long_id, ".ndjson"), ""); /* and never reads */
    http_stop(h, 0.5);
    while (client_read(fd, &in)) continue;
    assert_memory_equal(in.p + in.n - 5, "0\r\n\r\n", 5); /* the last chunk: a proper end */
    assert_false(client_read(idle, &idle_in));
    port = usual;
    close(fd);
    close(idle);
    close(stalled);
    buf_free(&in);
    buf_free(&idle_in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alive_and_ready),
        cmocka_unit_test(the_page),
        cmocka_unit_test(no_such_file),
        cmocka_unit_test(a_folder_instead),
        cmocka_unit_test(wrong_methods),
        cmocka_unit_test(hosts),
        cmocka_unit_test(applications),
        cmocka_unit_test(one_run),
        cmocka_unit_test(gzip_where_it_is_taken),
        cmocka_unit_test(a_series),
        cmocka_unit_test(a_part_of_a_series),
        cmocka_unit_test(a_reduced_series),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(histograms),
        cmocka_unit_test(correlations),
        cmocka_unit_test(bad_questions),
        cmocka_unit_test(csv),
        cmocka_unit_test(ndjson),
        cmocka_unit_test(trace),
        cmocka_unit_test(a_long_download),
        cmocka_unit_test(clients_that_leave),
        cmocka_unit_test(requests_in_a_row),
        cmocka_unit_test(live_rows),
        cmocka_unit_test(a_slow_reader_is_told),
        cmocka_unit_test(no_stream_of_nothing),
        cmocka_unit_test(metrics),
        cmocka_unit_test(with_a_token),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(streams_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
