/* SPDX-License-Identifier: MIT OR Unlicense
   test_api_downloads: a run's rows as files that a client takes to the end, or leaves half read: CSV, NDJSON,
   traces. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_sample.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv),
        cmocka_unit_test(ndjson),
        cmocka_unit_test(trace),
        cmocka_unit_test(a_long_download),
        cmocka_unit_test(clients_that_leave),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
