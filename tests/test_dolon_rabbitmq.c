/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_rabbitmq: the probes of a message broker: addresses, answers however they are cut, and servers that are
   slow, silent, endless or gone. tests/e2e/rabbitmq.test.mjs has the real broker. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#define DOLON_IMPLEMENTATION
#define DOLON_RABBITMQ
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"

/* ---- addresses ---- */

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *server, *host;
        int port;
        const char *path, *code; /* of the user; NULL: it is refused */
    } rows[] = {
        {"", "localhost", 15672, "/api", "Z3Vlc3Q6Z3Vlc3Q="},
        {"broker", "broker", 15672, "/api", "Z3Vlc3Q6Z3Vlc3Q="},
        {"http://broker:8080/", "broker", 8080, "/api", "Z3Vlc3Q6Z3Vlc3Q="},
        {"http://a:b@broker", "broker", 15672, "/api", "YTpi"},
        {"a@broker:1/mq//", "broker", 1, "/mq/api", "YTo="},
        {"a:b%40c%3a@10.0.0.1:65535", "10.0.0.1", 65535, "/api", "YTpiQGM6"},
        {"a:b@c@broker", "broker", 15672, "/api", "YTpiQGM="},
        {"a:100%@[::1]:99", "::1", 99, "/api", "YToxMDAl"},
        {"http://[fe80::1]", "fe80::1", 15672, "/api", "Z3Vlc3Q6Z3Vlc3Q="},
        {"a:b@", "localhost", 15672, "/api", "YTpi"},
        {"https://broker", "", 0, "", NULL},
        {"amqp://broker:5672", "", 0, "", NULL},
        {"broker:0", "", 0, "", NULL},
        {"broker:65536", "", 0, "", NULL},
        {"broker:", "", 0, "", NULL},
        {"broker:x", "", 0, "", NULL},
        {":15672", "", 0, "", NULL},
        {"[::1", "", 0, "", NULL},
        {"[::1]x", "", 0, "", NULL},
        {"[]", "", 0, "", NULL},
        {"broker/?x", "", 0, "", NULL},
        {"bro ker", "", 0, "", NULL},
        {"broker\r\nX: y", "", 0, "", NULL},
        {"br\xC3\xB6ker", "", 0, "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dolon_rabbitmq mq;
        char line[200];
        memset(&mq, 0, sizeof mq);
        if (dolon__rabbitmq_address(&mq, rows[i].server) != (rows[i].code != NULL)) fail_msg("%s", rows[i].server);
        if (!rows[i].code) continue;
        assert_string_equal(mq.host, rows[i].host);
        assert_int_equal(mq.port, rows[i].port);
        snprintf(line, sizeof line, "GET %s/bindings?columns=none HTTP/1.0\r\nHost: ", rows[i].path);
        assert_memory_equal(mq.requests[DOLON__BINDINGS], line, strlen(line));
        snprintf(line, sizeof line, "\r\nAuthorization: Basic %s\r\n", rows[i].code);
        assert_non_null(strstr(mq.requests[DOLON__OVERVIEW], line));
    }
}

static void long_addresses(void **state)
{
    (void)state;
    for (size_t n = 1; n < 2000; n++) {
        char text[2101];
        dolon_rabbitmq mq;
        memset(text, 'x', n);
        memcpy(text + n, "@h", 3);
        if (dolon__rabbitmq_address(&mq, text) != (n <= 254)) fail_msg("a user of %zu bytes", n);
        text[n] = 0;
        if (dolon__rabbitmq_address(&mq, text) != (n <= 255)) fail_msg("a host of %zu bytes", n);
        if (n < 3) continue;
        memcpy(text, "h/", 2);
        int taken = dolon__rabbitmq_address(&mq, text);
        if (taken != (n < 1300) && (n < 1300 || n > 1500)) fail_msg("a path of %zu bytes", n);
        if (!taken) continue;
        size_t end = strlen(mq.requests[DOLON__OVERVIEW]);
        assert_string_equal(mq.requests[DOLON__OVERVIEW] + end - 4, "\r\n\r\n"); /* nothing is cut off */
    }
}

/* ---- answers ---- */

/* In pieces of `step` bytes. */
static dolon__answer taken(const char *text, size_t n, size_t step)
{
    dolon__answer a;
    dolon__answer_begin(&a);
    for (size_t at = 0; at < n; at += step)
        if (!dolon__answer_take(&a, text + at, n - at < step ? n - at : step)) break;
    return a;
}

static void assert_figure(const char *text, double got, double wanted)
{
    if (wanted < 0 ? !isnan(got) : got != wanted) fail_msg("%g, not %g, in %s", got, wanted, text);
}

static void overviews(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        double connections, channels, queues; /* -1: no value */
    } rows[] = {
        {"{\"object_totals\":{\"channels\":2,\"connections\":1,\"consumers\":9,\"exchanges\":7,\"queues\":3}}", 1, 2, 3},
        {"{\"object_totals\":{\"queues\":0,\"exchanges\":7,\"connections\":4}}", 4, -1, 0},
        {" { \"object_totals\" : { \"queues\" : 5 , \"channels\" :\n12\n} } ", -1, 12, 5},
        {"{\"queues\":1,\"x\":{\"queues\":2,\"object_totals\":{\"queues\":3}},\"object_totals\":{\"queues\":4}}", -1, -1, 4},
        {"{\"object_totals\":{\"x\":{\"queues\":2},\"y\":[1,{\"queues\":3}],\"queues\":4},\"z\":{\"queues\":9}}", -1, -1, 4},
        {"{\"object_totals\":{\"queues\":-1,\"channels\":1.5,\"connections\":1e3}}", -1, -1, -1},
        {"{\"object_totals\":{\"queues\":\"7\",\"channels\":null,\"connections\":[3]}}", -1, -1, -1},
        {"{\"object_totals\":{\"queues\":1234567890123456789}}", -1, -1, -1},
        {"{\"object_totals\":{\"q\\\"ueues\":1,\"\\\\\":2,\"queues\":3}}", -1, -1, 3},
        {"{\"object_totals\":\"queues\",\"queues\":1}", -1, -1, -1},
        {"{}", -1, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        int n = snprintf(text, sizeof text, OK_HEAD "%s", rows[i].body);
        for (size_t step = 1; step <= (size_t)n; step += step) {
            dolon__answer a = taken(text, (size_t)n, step);
            if (!a.whole || a.bad) fail_msg("%s", text);
            assert_figure(text, a.figures[0], rows[i].connections);
            assert_figure(text, a.figures[1], rows[i].channels);
            assert_figure(text, a.figures[2], rows[i].queues);
        }
        assert_false(taken(text, strlen(OK_HEAD) + 1, 1).whole); /* cut off */
    }
}

static void bindings(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        double elements;
    } rows[] = {
        {"[]", 0},         {" [ ] ", 0},          {"[[]]", 1},
        {"[[],[],[]]", 3}, {"[{},{}]", 2},        {"[{\"source\":\"a,b]\"},{\"source\":\"\\\"\"}]", 2},
        {"[1,2,3,4]", 4},  {"[[1,2],[3,4,5]]", 2}, {"[\"\"]", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        int n = snprintf(text, sizeof text, OK_HEAD "%s", rows[i].body);
        dolon__answer a = taken(text, (size_t)n, 3);
        assert_true(a.whole && !a.bad);
        assert_figure(text, a.elements, rows[i].elements);
    }
}

static void no_answers(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "HTTP/1.1 401 Unauthorized\r\n\r\n[]",
        "HTTP/1.1 2000\r\n\r\n", /* its head has not ended in a status of 200 and a JSON text */
        "HTTP/2.0 200 OK\r\n\r\n[]",
        "\n\n[]",
        "[]",
        "SSH-2.0-OpenSSH_9.2\r\n",
        OK_HEAD "2\r\n[]\r\n0\r\n\r\n", /* in chunks */
        OK_HEAD "null",
        OK_HEAD "[}",
        OK_HEAD "{]",
        OK_HEAD "[[]",
        OK_HEAD "[\"]",
        OK_HEAD "]",
        OK_HEAD,
        "",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dolon__answer a = taken(rows[i], strlen(rows[i]), 5);
        if (a.whole && !a.bad) fail_msg("%s", rows[i]);
    }
    char deep[200] = OK_HEAD;
    size_t head = strlen(deep);
    memset(deep + head, '[', 64);
    assert_true(taken(deep, head + 63, 7).bad == 0);
    assert_true(taken(deep, head + 64, 7).bad);
}

/* ---- servers ---- */

enum manner { ANSWERS, DRIPS, IS_SILENT, HANGS_UP, NEVER_ENDS, REFUSES };

typedef struct {
    enum manner manner;
    int fd, port, stop;
    unsigned long asked;
    pthread_t thread;
} server;

static void say(int fd, const char *text, size_t step)
{
    for (size_t n = strlen(text), at = 0; at < n; at += step) {
        if (send(fd, text + at, n - at < step ? n - at : step, MSG_NOSIGNAL) < 0) return;
        if (step == 1) usleep(500);
    }
}

static void serve(server *s, int fd)
{
    char request[2000];
    ssize_t n = recv(fd, request, sizeof request - 1, 0);
    request[n > 0 ? n : 0] = 0;
    int overview = strstr(request, "/api/overview") != NULL;
    const char *answer = overview ? OK_HEAD "{\"object_totals\":{\"channels\":2,\"connections\":1,\"queues\":3}}"
                                  : OK_HEAD "[[],[],[],[]]";
    if (s->manner == ANSWERS) say(fd, answer, 4096);
    if (s->manner == DRIPS) say(fd, answer, 8);
    if (s->manner == REFUSES) say(fd, "HTTP/1.1 401 Unauthorized\r\n\r\n{}", 4096);
    if (s->manner == NEVER_ENDS) say(fd, OK_HEAD "[", 4096);
    while (s->manner == NEVER_ENDS && !DOLON__LOAD(&s->stop) && send(fd, "[],[],[],[],", 12, MSG_NOSIGNAL) > 0) continue;
    while (s->manner == IS_SILENT && !DOLON__LOAD(&s->stop)) usleep(1000);
}

static void *serve_all(void *arg)
{
    server *s = arg;
    while (!DOLON__LOAD(&s->stop)) {
        if (!dolon__os_await(s->fd, 0, 10)) continue;
        int fd = accept(s->fd, NULL, NULL);
        __atomic_fetch_add(&s->asked, 1, __ATOMIC_RELAXED);
        serve(s, fd);
        close(fd);
    }
    return NULL;
}

static void server_start(server *s, enum manner manner)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    memset(s, 0, sizeof *s);
    s->manner = manner;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &bytes), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_all, s), 0);
}

static void server_stop(server *s)
{
    DOLON__STORE(&s->stop, 1);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static dolon_rabbitmq *client(const server *s)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", s->port);
    dolon_rabbitmq *mq = dolon_rabbitmq_open(url, 0.05);
    assert_non_null(mq);
    return mq;
}

/* Whether there is a value within a minute. */
static bool has_value(dolon_rabbitmq *mq, bool wanted)
{
    for (int i = 0; i < 6000; i++) {
        if ((isnan(dolon_rabbitmq_queues(mq)) == 0) == wanted) return true;
        usleep(10000);
    }
    return false;
}

static void await_asked(server *s, unsigned long times)
{
    for (int i = 0; i < 6000 && __atomic_load_n(&s->asked, __ATOMIC_RELAXED) < times; i++) usleep(10000);
    assert_true(__atomic_load_n(&s->asked, __ATOMIC_RELAXED) >= times);
}

static void answered(enum manner manner)
{
    server s;
    server_start(&s, manner);
    dolon_rabbitmq *mq = client(&s);
    assert_true(has_value(mq, true));
    assert_true(dolon_rabbitmq_connections(mq) == 1 && dolon_rabbitmq_channels(mq) == 2);
    assert_true(dolon_rabbitmq_queues(mq) == 3 && dolon_rabbitmq_bindings(mq) == 4);
    server_stop(&s);
    assert_true(has_value(mq, false)); /* what was answered long ago is no answer */
    dolon_rabbitmq_close(mq);
}

static void whole_and_in_drops(void **state)
{
    (void)state;
    answered(ANSWERS);
    answered(DRIPS);
}

/* No value, and closing does not wait for it. */
static void unanswered(enum manner manner, unsigned long times)
{
    server s;
    server_start(&s, manner);
    dolon_rabbitmq *mq = client(&s);
    await_asked(&s, times);
    assert_true(isnan(dolon_rabbitmq_connections(mq)) && isnan(dolon_rabbitmq_bindings(mq)));
    int64_t start = dolon__os_mono();
    dolon_rabbitmq_close(mq);
    assert_true(dolon__os_mono() - start < 4 * DOLON__SECOND); /* an answer is waited for for 5 */
    server_stop(&s);
}

static void strange_servers(void **state)
{
    (void)state;
    unanswered(IS_SILENT, 1);
    unanswered(HANGS_UP, 2);
    unanswered(REFUSES, 2);
    unanswered(NEVER_ENDS, 2); /* which was given up after some MiB */
}

static void nobody_there(void **state)
{
    (void)state;
    server s;
    server_start(&s, ANSWERS);
    server_stop(&s);
    dolon_rabbitmq *mq = client(&s);
    usleep(100000);
    assert_true(isnan(dolon_rabbitmq_queues(mq)));
    dolon_rabbitmq_close(mq);
}

static void settings(void **state)
{
    (void)state;
    setenv("RMQ_SERVER", "http://[", 1);
    assert_null(dolon_rabbitmq_open("", 0));
    assert_null(dolon_rabbitmq_open(NULL, 0));
    setenv("RMQ_SERVER", "http://u:p@127.0.0.1:1/mq", 1);
    dolon_rabbitmq *mq = dolon_rabbitmq_open("", 0);
    assert_non_null(mq);
    assert_int_equal(mq->port, 1);
    assert_true(mq->asker.interval == 5 * DOLON__SECOND);
    dolon_rabbitmq_close(mq);
    mq = dolon_rabbitmq_open("127.0.0.1:2", 0.5); /* what the program says comes first */
    assert_non_null(mq);
    assert_int_equal(mq->port, 2);
    assert_true(mq->asker.interval == DOLON__SECOND / 2);
    dolon_rabbitmq_close(mq);
    dolon_rabbitmq_close(NULL);
    assert_true(isnan(dolon_rabbitmq_queues(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),          cmocka_unit_test(long_addresses),  cmocka_unit_test(overviews),
        cmocka_unit_test(bindings),           cmocka_unit_test(no_answers),      cmocka_unit_test(whole_and_in_drops),
        cmocka_unit_test(strange_servers),    cmocka_unit_test(nobody_there),    cmocka_unit_test(settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
