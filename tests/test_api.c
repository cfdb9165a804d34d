/* SPDX-License-Identifier: MIT OR Unlicense
   test_api: the HTTP side as a client meets it: the page, the lists of runs, metrics, tokens, and who is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <sys/stat.h>

#include "api_sample.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alive_and_ready),        cmocka_unit_test(the_page),      cmocka_unit_test(no_such_file),
        cmocka_unit_test(a_folder_instead),       cmocka_unit_test(wrong_methods), cmocka_unit_test(hosts),
        cmocka_unit_test(requests_in_a_row),      cmocka_unit_test(applications),  cmocka_unit_test(one_run),
        cmocka_unit_test(gzip_where_it_is_taken), cmocka_unit_test(metrics),       cmocka_unit_test(with_a_token),
        cmocka_unit_test(what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
