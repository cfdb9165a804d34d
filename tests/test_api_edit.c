/* SPDX-License-Identifier: MIT OR Unlicense
   test_api_edit: what the API lets users change, and what it says when the store is slow or away: a real server over
   loopback, with a real writer and store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

#include "http_client.h"
#include "http_server.h"
#include "sample.h"

#define JSON "Content-Type: application/json\r\n"

static place *where;
static writer *w;
static live *fan;
static http *server;
static int port;
static ingest_stats ingest_numbers;
static runs_counters runs_numbers;

static void on_found(void *ctx, const uuid *id, run_info *stored)
{
    (void)ctx, (void)id;
    run_info_free(stored);
}

/* Run 1 has ended, 2 is live, 3 as 1. */
static void put_runs(void)
{
    for (uint32_t run = 1; run <= 3; run++) {
        batch *b = sample_batch(run, 0, 10);
        b->parts[0].info->seen = clock_wall();
        b->parts[0].info->state = run == 2 ? RUN_LIVE : RUN_ENDED;
        b->parts[0].info->interval = 3600 * NS_PER_SECOND; /* it need not say more for a while */
        b->parts[0].info->tags = mem_calloc(1, sizeof(run_tag));
        b->parts[0].info->tags[0] = (run_tag){mem_strdup("branch"), mem_strdup("main")};
        b->parts[0].info->tag_count = 1;
        writer_put(w, b);
    }
    wait_until(writer_counters(w)->rows_stored == 30);
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    where = place_new();
    fan = live_new();
    buf why = {0};
    w = writer_start(&(writer_desc){.store_url = where->url, .retain = 0, .found = on_found}, &why);
    if (!w) fail_msg("%s", why.p);
    put_runs();
    http_desc desc = {.address = "127.0.0.1:0",
                      .store_url = where->url,
                      .live = fan,
                      .ingest = &ingest_numbers,
                      .runs = &runs_numbers,
                      .writer = writer_counters(w),
                      .editor = w,
                      .retain = 86400 * NS_PER_SECOND};
    server = open_server(&desc, &port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    writer_stop(w, 10);
    http_stop(server, 10);
    writer_free(w);
    live_free(fan);
    place_free(where);
    return 0;
}

/* ---- asking ---- */

static const char *path_of(uint32_t run, const char *rest)
{
    static char path[128];
    char text[UUID_TEXT];
    uuid id = sample_id(run);
    uuid_format(&id, text);
    snprintf(path, sizeof path, "/api/v1/runs/%s%s", text, rest);
    return path;
}

/* The answer, of this status, as JSON; the caller lets go of it. */
static json_t *ask(const char *method, const char *path, const char *headers, const char *body, int status)
{
    buf head = {0};
    buf_printf(&head, "%sContent-Length: %zu\r\n", headers, strlen(body));
    http_answer a = client_ask_with(port, method, path, head.p, body);
    if (a.status != status) fail_msg("%s %s %s: %d %s", method, path, body, a.status, a.body.p);
    json_t *value = json_loadb(a.body.p, a.body.n, 0, NULL);
    assert_non_null(value);
    buf_free(&head);
    http_answer_free(&a);
    return value;
}

static void expect(const char *method, const char *path, const char *headers, const char *body, int status,
                   const char *says)
{
    json_t *value = ask(method, path, headers, body, status);
    const char *sentence = json_string_value(json_object_get(value, "error"));
    if (!sentence || !strstr(sentence, says)) fail_msg("%s %s %s: %s", method, path, body, sentence);
    json_decref(value);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Which of the runs 1 … 3 a list has, a bit each. */
static unsigned listed(const char *path)
{
    unsigned found = 0;
    size_t i, k;
    json_t *apps = ask("GET", path, "", "", 200), *app, *run;
    json_array_foreach(apps, i, app)
    {
        json_array_foreach(json_object_get(app, "runs"), k, run)
        {
            const char *id = text_of(run, "id");
            found |= 1u << (id[strlen(id) - 1] - '1');
        }
    }
    json_decref(apps);
    return found;
}

/* ---- tests ---- */

static void notes_tags_and_pins(void **state)
{
    (void)state;
    json_t *run = ask("PATCH", path_of(1, ""), JSON,
                      "{\"note\": \"slow\", \"tags\": {\"who\": \"me\"}, \"pinned\": true}", 200);
    assert_string_equal(text_of(run, "note"), "slow");
    assert_string_equal(text_of(json_object_get(run, "tags"), "branch"), "main");
    assert_string_equal(text_of(json_object_get(run, "tags"), "who"), "me");
    assert_true(json_is_true(json_object_get(run, "pinned")));
    assert_int_equal(json_integer_value(json_object_get(run, "rows")), 10);
    json_decref(run);
    run = ask("PATCH", path_of(1, ""), "content-type: Application/JSON; charset=utf-8\r\n",
              "{\"tags\": {\"branch\": null}}", 200);
    assert_null(json_object_get(json_object_get(run, "tags"), "branch"));
    assert_string_equal(text_of(run, "note"), "slow");
    json_decref(run);

    /* What the program tells afterwards leaves it as it is. */
    uint64_t stored = writer_counters(w)->rows_stored;
    batch *b = sample_batch(1, 10, 5);
    b->parts[0].info->state = RUN_ENDED;
    writer_put(w, b);
    wait_until(writer_counters(w)->rows_stored == stored + 5);
    run = ask("GET", path_of(1, ""), "", "", 200);
    assert_string_equal(text_of(run, "note"), "slow");
    assert_string_equal(text_of(json_object_get(run, "tags"), "who"), "me");
    assert_true(json_is_true(json_object_get(run, "pinned")));
    assert_int_equal(json_integer_value(json_object_get(run, "rows")), 15);
    json_decref(run);
    json_decref(ask("PATCH", path_of(1, ""), JSON, "{\"note\": \"\", \"pinned\": false}", 200));
}

static void what_cannot_be_changed(void **state)
{
    (void)state;
    expect("PATCH", path_of(9, ""), JSON, "{}", 404, "no such run");
    expect("DELETE", path_of(9, ""), "", "", 404, "no such run");
    expect("PATCH", path_of(1, ""), JSON, "{\"app\": \"x\"}", 400, "no such member");
    expect("PATCH", path_of(1, ""), JSON, "", 400, "JSON object");
    expect("PATCH", path_of(1, "?note=x"), JSON, "{}", 400, "no such parameter");
    expect("DELETE", path_of(1, "?purge=2"), "", "", 400, "neither 0 nor 1");
    expect("PATCH", path_of(1, ""), "", "{}", 415, "application/json");
    expect("PATCH", path_of(1, ""), "Content-Type: text/plain\r\n", "{}", 415, "application/json");
    expect("PATCH", path_of(1, "/series"), JSON, "{}", 405, "read");
    expect("PUT", path_of(1, ""), JSON, "{}", 405, "PATCH");
    char value[64];
    http_answer a = client_ask(port, "POST", path_of(1, ""), "Content-Length: 0\r\n");
    assert_string_equal(answer_header(&a, "allow", value, sizeof value), "GET, HEAD, PATCH, DELETE");
    http_answer_free(&a);
    buf tags = {0};
    buf_text(&tags, "{\"tags\": {");
    for (int i = 0; i < 64; i++) buf_printf(&tags, "%s\"t%d\": \"\"", i ? ", " : "", i);
    buf_text(&tags, "}}");
    expect("PATCH", path_of(3, ""), JSON, tags.p, 400, "at most 64");
    buf_free(&tags);
}

static void a_body_has_its_bound(void **state)
{
    (void)state;
    char *body = mem_alloc(70001);
    memset(body, ' ', 70000);
    body[70000] = 0;
    char head[128];
    snprintf(head, sizeof head, JSON "Content-Length: 70000\r\n");
    http_answer a = client_ask_with(port, "PATCH", path_of(1, ""), head, body);
    assert_int_equal(a.status, 413);
    http_answer_free(&a);
    free(body);
}

/* A page of another site cannot have the user's browser change anything. */
static void other_sites(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"", 200},
        {"Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n", 200},
        {"Host: localhost:80\r\nOrigin: http://localhost:80\r\n", 200},
        {"Sec-Fetch-Site: none\r\n", 200},
        {"Sec-Fetch-Site: cross-site\r\n", 403},
        {"Sec-Fetch-Site: same-site\r\n", 403},
        {"Origin: http://evil.example\r\n", 403},
        {"Origin: http://localhost.evil.example\r\n", 403},
        {"Origin: http://localhost:8080\r\n", 403},
        {"Origin: null\r\n", 403},
        {"Sec-Fetch-Site: same-origin\r\nOrigin: http://evil.example\r\n", 403},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char headers[256];
        snprintf(headers, sizeof headers, JSON "%s", cases[i].headers);
        json_decref(ask("PATCH", path_of(1, ""), headers, "{}", cases[i].status));
        json_decref(ask("DELETE", path_of(2, ""), cases[i].headers, "", cases[i].status == 200 ? 409 : 403));
    }
}

static void deleting_and_bringing_back(void **state)
{
    (void)state;
    expect("DELETE", path_of(2, ""), "", "", 409, "live");
    assert_int_equal(listed("/api/v1/apps"), 7);
    assert_int_equal(listed("/api/v1/apps?deleted=1"), 0);
    json_t *answer = ask("DELETE", path_of(3, ""), "", "", 200);
    assert_int_equal(json_integer_value(json_object_get(answer, "undo_seconds")), UNDO_SECONDS);
    json_decref(answer);
    assert_int_equal(listed("/api/v1/apps"), 3);
    assert_int_equal(listed("/api/v1/apps?deleted=0"), 3);
    assert_int_equal(listed("/api/v1/apps?deleted=1"), 4);
    json_t *run = ask("GET", path_of(3, ""), "", "", 200);
    double when = json_number_value(json_object_get(run, "deleted"));
    assert_true(when > 1.7e12);
    json_decref(run);
    json_decref(ask("DELETE", path_of(3, ""), "", "", 200)); /* once more: the time stays */
    run = ask("PATCH", path_of(3, ""), JSON, "{\"note\": \"was deleted\"}", 200);
    assert_true(json_number_value(json_object_get(run, "deleted")) == when);
    json_decref(run);
    run = ask("PATCH", path_of(3, ""), JSON, "{\"deleted\": false}", 200);
    assert_null(json_object_get(run, "deleted"));
    json_decref(run);
    assert_int_equal(listed("/api/v1/apps"), 7);
}

static void purging(void **state)
{
    (void)state;
    uint64_t stored = writer_counters(w)->rows_stored;
    batch *b = sample_batch(4, 0, 3000);
    b->parts[0].info->state = RUN_ENDED;
    writer_put(w, b);
    wait_until(writer_counters(w)->rows_stored == stored + 3000);
    uint64_t removed = writer_counters(w)->runs_removed;
    json_t *answer = ask("DELETE", path_of(4, "?purge=1"), "", "", 202);
    assert_int_equal(json_integer_value(json_object_get(answer, "undo_seconds")), 0);
    json_decref(answer);
    wait_until(writer_counters(w)->runs_removed == removed + 1);
    expect("GET", path_of(4, ""), "", "", 404, "no such run");
    expect("PATCH", path_of(4, ""), JSON, "{\"deleted\": false}", 404, "no such run");
}

static void too_late_to_bring_back(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(where->file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    assert_int_equal(sqlite3_exec(db, "UPDATE run SET deleted = 5 WHERE state = 1", NULL, NULL, NULL), SQLITE_OK);
    expect("PATCH", path_of(3, ""), JSON, "{\"deleted\": false}", 409, "being removed");
    assert_int_equal(sqlite3_exec(db, "UPDATE run SET deleted = 0", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- the store is slow, or away ---- */

static void status(void **state)
{
    (void)state;
    json_t *s = ask("GET", "/api/v1/status", "", "", 200);
    assert_string_equal(text_of(s, "version"), MNEMIC_VERSION);
    assert_string_equal(text_of(s, "store"), "sqlite");
    assert_true(json_is_false(json_object_get(s, "behind")));
    assert_int_equal(json_integer_value(json_object_get(s, "waiting_bytes")), 0);
    assert_int_equal(json_integer_value(json_object_get(s, "rows_dropped")), 0);
    assert_int_equal(json_integer_value(json_object_get(s, "retain_seconds")), 86400);
    json_decref(s);
    expect("GET", "/api/v1/status?x=1", "", "", 400, "no such parameter");
    expect("POST", "/api/v1/status", "", "", 405, "GET");
}

static void publish(uint32_t run, uint64_t first, size_t rows)
{
    batch *b = sample_batch(run, first, rows);
    b->parts[0].info->seen = clock_wall();
    live_publish(fan, b);
    batch_free(b);
}

static int open_stream(uint32_t run, buf *in)
{
    int fd = client_connect(port);
    client_send(fd, "GET", path_of(run, "/live"), "");
    client_wait(fd, in, "event: hello\ndata: ");
    return fd;
}

static sqlite3 *block(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(where->file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* The writer is stuck: live streams go on and tell of it, changes are refused, and nothing waits for it. */
static void a_store_that_takes_nothing(void **state)
{
    (void)state;
    buf in = {0};
    int fd = open_stream(2, &in);
    sqlite3 *db = block();
    uint64_t stored = writer_counters(w)->rows_stored;
    writer_put(w, sample_batch(2, 10, 10));
    client_wait(fd, &in, "event: storage\ndata: {\"behind\":true,\"waiting_bytes\":");
    publish(2, 10, 10);
    client_wait(fd, &in, "event: rows");
    expect("PATCH", path_of(1, ""), JSON, "{}", 503, "takes no changes now");
    expect("DELETE", path_of(1, ""), "", "", 503, "takes no changes now");
    json_t *s = ask("GET", "/api/v1/status", "", "", 200);
    assert_true(json_is_true(json_object_get(s, "behind")));
    assert_true(json_integer_value(json_object_get(s, "waiting_bytes")) > 0);
    json_decref(s);
    in.n = 0;
    client_wait(fd, &in, "event: storage\ndata: {\"behind\":true"); /* again and again */
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    client_wait(fd, &in, "event: storage\ndata: {\"behind\":false,\"waiting_bytes\":0}");
    wait_until(writer_counters(w)->rows_stored == stored + 10);
    client_wait(fd, &in, "event: run");
    json_decref(ask("PATCH", path_of(1, ""), JSON, "{}", 200));
    close(fd);
    buf_free(&in);
}

/* No table, no answers; what is heard live is shown all the same. */
static void a_store_that_does_not_answer(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(where->file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE run RENAME TO gone", NULL, NULL, NULL), SQLITE_OK);
    expect("GET", "/api/v1/apps", "", "", 503, "does not answer");
    expect("GET", path_of(1, ""), "", "", 503, "does not answer");
    expect("GET", "/readyz", "", "", 503, "does not answer");
    expect("PATCH", path_of(1, ""), JSON, "{}", 503, "does not answer");
    json_decref(ask("GET", "/api/v1/status", "", "", 200));
    buf in = {0};
    int fd = client_connect(port);
    client_send(fd, "GET", path_of(2, "/live"), "");
    while (live_subscribers(fan) == 0) nanosleep(&(struct timespec){0, 1000000}, NULL);
    for (uint64_t at = 20; !in.n; at += 5) { /* until it is seen: the store may be asked yet */
        publish(2, at, 5);
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, 50) == 1) client_read(fd, &in);
    }
    client_wait(fd, &in, "event: hello\ndata: {\"id\":\"1e7c356f");
    client_wait(fd, &in, "event: rows");
    close(fd);
    buf_free(&in);
    while (live_subscribers(fan) > 0) { /* that it is gone is seen by writing to it */
        publish(2, 1000, 1);
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    expect("GET", path_of(3, "/live"), "", "", 503, "does not answer"); /* nothing is heard of it */
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE gone RENAME TO run", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(listed("/api/v1/apps"), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status),
        cmocka_unit_test(notes_tags_and_pins),
        cmocka_unit_test(what_cannot_be_changed),
        cmocka_unit_test(a_body_has_its_bound),
        cmocka_unit_test(other_sites),
        cmocka_unit_test(deleting_and_bringing_back),
        cmocka_unit_test(purging),
        cmocka_unit_test(too_late_to_bring_back),
        cmocka_unit_test(a_store_that_takes_nothing),
        cmocka_unit_test(a_store_that_does_not_answer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
