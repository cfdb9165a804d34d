/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_link: whole tracers on the binary wire: addresses of every kind, and a server that is slow, away, back
   again, or refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#include "test_dolon_server.h"

/* ---- the ways to a server ---- */

/* All that was sampled has arrived when dolon_stop() returns. */
static void trace_and_stop(server *s, const dolon_desc *d)
{
    dolon_tracer *t = dolon_start(d);
    await(s, &s->rows, 20);
    dolon_mark(t, "not UTF-8: \xff");
    dolon_stop(t);
    server_close(s);
    assert_int_equal(s->byes > 0, 1);
    assert_int_equal(s->rows, s->sampled);
    assert_int_equal(s->lost, 0);
    assert_int_equal(s->marks, 1);
}

static void over_ipv4(void **state)
{
    server s = {0};
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    trace_and_stop(&s, &d);
}

static void over_ipv6(void **state)
{
    server s = {0};
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t bytes = sizeof at;
    int probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    if (probe < 0 || bind(probe, (struct sockaddr *)&at, sizeof at) != 0) {
        if (probe >= 0) close(probe);
        skip(); /* no IPv6 on this machine */
    }
    close(probe);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    getsockname(s.fd, (struct sockaddr *)&at, &bytes);
    dolon_desc d = desc_for("::1", ntohs(at.sin6_port));
    trace_and_stop(&s, &d);
}

static char folder[64], host[100];

static struct sockaddr_un local_address(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", host + 5);
    return at;
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/dolon_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(host, sizeof host, "unix:%s/socket", folder);
}

static void remove_folder(void)
{
    unlink(host + 5);
    assert_int_equal(rmdir(folder), 0);
}

static void over_a_local_socket(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    dolon_desc d = desc_for(host, 0);
    trace_and_stop(&s, &d);
    remove_folder();
}

/* The path leads to another socket then; what was sampled meanwhile arrives. */
static void a_local_server_comes_late_and_again(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    dolon_desc d = desc_for(host, 0);
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE, 1);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    await(&s, &s.rows, 20);
    server_close(&s);
    unlink(host + 5);
    await_told(DOLON_UNREACHABLE, 2);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    await(&s, &s.rows, s.rows + 20);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(s.lost, 0);
    remove_folder();
}

/* A receiver that is slow to take: a local socket's queue is short, and what does not fit in is not lost. */
static void a_full_queue_is_waited_for(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    dolon_desc d = desc_for(host, 0);
    d.interval = 0.001;
    d.datagram_bytes = 512;
    pthread_mutex_lock(&s.lock); /* it takes one datagram, and stops */
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 12000 && times_told(DOLON_UNANSWERED) == 0; i++) usleep(5000);
    pthread_mutex_unlock(&s.lock);
    await(&s, &s.rows, 2000);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(s.lost, 0);
    remove_folder();
}

/* ---- how long scopes took ---- */

/* Times of many sizes. A scope that joins when it is first reached: the other tests have no columns of it. */
static void work(int times)
{
    static dolon_site site = {"work", &dolon__owner, DOLON__SCOPE_SITE, 0};
    for (int i = 0; i < times; i++) {
        dolon_span one = dolon_enter(&site);
        one.start -= (uint64_t)(32 + i % 31) << i % 20;
        dolon_leave(&one);
    }
}

static uint64_t told_of_work(const server *s)
{
    for (size_t i = 0; i < s->told.count; i++)
        if (s->told.all[i].column == s->work) return histogram_total(&s->told.all[i].of);
    return 0;
}

/* Two tracers, one of which begins later, one in datagrams that its rows do not fit; and one to which scopes are
   brief. Each time that was measured while it ran has arrived at the server of each when dolon_stop() returns. */
static void each_measured_time_arrives(void **state)
{
    static server s[3];
    dolon_tracer *t[3];
    (void)state;
    memset(s, 0, sizeof s);
    for (int i = 0; i < 3; i++) {
        dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s[i], 1, 0));
        d.datagram_bytes = i == 0 ? 512 : 0;
        d.brief_scopes = i == 2;
        t[i] = dolon_start(&d);
        work(1000);
    }
    for (int i = 0; i < 24; i++) {
        work(1000);
        usleep(50000);
    }
    work(7);
    for (int i = 0; i < 3; i++) dolon_stop(t[i]);
    for (int i = 0; i < 3; i++) server_close(&s[i]);
    assert_int_equal(told_of_work(&s[0]), 27007);
    assert_int_equal(told_of_work(&s[1]), 26007);
    assert_int_equal(s[2].told.count, 0);
    assert_true(s[0].slices > 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s[i].rows, s[i].sampled);
        histogram_set_free(&s[i].told);
    }
}

/* ---- a server that is away, or refuses ---- */

static void rows_wait_for_the_server(void **state)
{
    server s = {0};
    (void)state;
    int port = server_open_v4(&s, 21, 0);
    server_close(&s);
    dolon_desc d = desc_for("127.0.0.21", port); /* nobody else takes the port there meanwhile */
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE, 1);
    server_open_v4(&s, 21, port);
    await(&s, &s.rows, 20);
    await_told(DOLON_OK, 1);
    dolon_stats stats = await_stats(t, 1, 1);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(stats.lost, 0);
    assert_true(stats.acked <= stats.rows);
}

static void a_full_ring_loses_the_oldest_and_counts_them(void **state)
{
    server s = {0};
    dolon_stats stats;
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    d.interval = 0.001;
    d.ring_bytes = 4096; /* 204 rows of a column */
    set(&s, &s.deaf, true);
    dolon_tracer *t = dolon_start(&d);
    do usleep(5000), dolon_get_stats(t, &stats);
    while (stats.lost < 100);
    set(&s, &s.deaf, false);
    await(&s, &s.rows, 300);
    dolon_stop(t);
    server_close(&s);
    assert_true(s.lost >= 100);
    assert_int_equal(s.rows + s.lost, s.sampled);
}

static void silence_and_return_are_told_once(void **state)
{
    server s = {0};
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    dolon_tracer *t = dolon_start(&d);
    await(&s, &s.rows, 5);
    set(&s, &s.deaf, true);
    await_told(DOLON_UNANSWERED, 1);
    set(&s, &s.deaf, false);
    await_told(DOLON_OK, 1);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(times_told(DOLON_UNREACHABLE), 0);
}

/* This program is compiled without DOLON_SODIUM: a key must not lead to what is not sealed. */
static void with_a_key_that_cannot_be_used_nothing_is_sent(void **state)
{
    static const dolon_wire wires[] = {DOLON_WIRE_BINARY, DOLON_WIRE_JSON};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
        server s = {0};
        dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
        d.key_file = "/proc/self/exe";
        d.wire = wires[i];
        dolon_tracer *t = dolon_start(&d);
        assert_int_equal(times_told(DOLON_BAD_KEY), i + 1);
        dolon_stats stats = await_stats(t, 10, 0);
        dolon_stop(t);
        server_close(&s);
        assert_int_equal(stats.sent, 0);
        assert_int_equal(s.datagrams, 0);
    }
}

/* ---- several datagrams in one call ---- */

static void joined_datagrams_come_apart(void **state)
{
    static const size_t sizes[] = {100, 100, 100, 40};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    struct timeval patience = {20, 0};
    int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    char out[340], in[400];
    dolon__address to;
    (void)state;
    for (size_t i = 0; i < sizeof out; i++) out[i] = (char)i;
    assert_int_equal(bind(receiver, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(receiver, (struct sockaddr *)&at, &bytes), 0);
    setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_true(dolon__os_numeric("127.0.0.1", ntohs(at.sin_port), &to));
    int sender = dolon__os_open(&to);
    assert_int_equal(dolon__os_send(sender, out, sizeof out, 100), 0);
    for (size_t i = 0, sent = 0; i < ARRAY_LEN(sizes); sent += sizes[i++]) {
        assert_int_equal(recv(receiver, in, sizeof in, 0), sizes[i]);
        assert_memory_equal(in, out + sent, sizes[i]);
    }
    close(sender);
    close(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(joined_datagrams_come_apart, forget),
        cmocka_unit_test_setup(over_ipv4, forget),
        cmocka_unit_test_setup(over_ipv6, forget),
        cmocka_unit_test_setup(over_a_local_socket, forget),
        cmocka_unit_test_setup(a_local_server_comes_late_and_again, forget),
        cmocka_unit_test_setup(a_full_queue_is_waited_for, forget),
        cmocka_unit_test_setup(rows_wait_for_the_server, forget),
        cmocka_unit_test_setup(a_full_ring_loses_the_oldest_and_counts_them, forget),
        cmocka_unit_test_setup(silence_and_return_are_told_once, forget),
        cmocka_unit_test_setup(with_a_key_that_cannot_be_used_nothing_is_sent, forget),
        cmocka_unit_test_setup(each_measured_time_arrives, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
