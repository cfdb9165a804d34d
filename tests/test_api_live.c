/* SPDX-License-Identifier: MIT OR Unlicense
   test_api_live: the API's live streams, from the first event until their server ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_sample.h"

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
        cmocka_unit_test(live_rows),
        cmocka_unit_test(a_slow_reader_is_told),
        cmocka_unit_test(no_stream_of_nothing),
        cmocka_unit_test(streams_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
