/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_sink: a stand-in for the server on the JSON wire, for tests of the client: a socket on loopback, and
   what it receives; and a tracer that sends to it. Include after cmocka and dolon.h. */
#ifndef TEST_DOLON_SINK_H
#define TEST_DOLON_SINK_H

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "test_dolon_log.h"

typedef struct {
    int fd, port;
    char bytes[65536];
    size_t n;
} sink;

/* port 0 picks one */
static inline void sink_open(sink *s, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {60, 0};
    socklen_t bytes = sizeof at;
    int buffer = 8 << 20;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &bytes), 0);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    s->port = ntohs(at.sin_port);
}

static inline void sink_close(sink *s)
{
    close(s->fd);
}

/* The next datagram as JSON, which the caller frees; the test fails if none comes in 60 s or it is no JSON. */
static inline json_t *sink_next(sink *s)
{
    json_error_t error;
    ssize_t n = recv(s->fd, s->bytes, sizeof s->bytes, 0);
    assert_true(n > 0);
    s->n = (size_t)n;
    json_t *j = json_loadb(s->bytes, s->n, 0, &error);
    assert_non_null(j);
    return j;
}

static inline int sink_is_row(const json_t *j)
{
    return strcmp(json_string_value(json_object_get(j, "msg_type")), "row") == 0;
}

static inline json_t *sink_next_row(sink *s)
{
    json_t *j = sink_next(s);
    while (!sink_is_row(j)) {
        json_decref(j);
        j = sink_next(s);
    }
    return j;
}

static inline json_t *sink_next_announcement(sink *s)
{
    json_t *j = sink_next(s);
    while (sink_is_row(j)) {
        json_decref(j);
        j = sink_next(s);
    }
    return j;
}

/* Where a column stands in an announcement; -1: nowhere. */
static inline int sink_column(const json_t *announcement, const char *name)
{
    json_t *names = json_object_get(announcement, "column_names");
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0) return (int)i;
    return -1;
}

static inline json_t *sink_value(const json_t *row, int column)
{
    return json_array_get(json_object_get(row, "row_data"), (size_t)column);
}

/* ---- a datagram's fields ---- */

static inline int64_t integer(const json_t *j, const char *key)
{
    assert_true(json_is_integer(json_object_get(j, key)));
    return json_integer_value(json_object_get(j, key));
}

static inline const char *text(const json_t *j, const char *key)
{
    assert_true(json_is_string(json_object_get(j, key)));
    return json_string_value(json_object_get(j, key));
}

/* ---- a tracer that sends there ---- */

static inline double answer(void *user)
{
    return user ? *(double *)user : 42;
}

static inline dolon_desc desc_for(const sink *s, double interval)
{
    dolon_desc d = {
        .app_name = "test", .port = s->port, .interval = interval, .no_environment = 1, .wire = DOLON_WIRE_JSON};
    d.probes[0] = (dolon_probe){"answer", answer, NULL, "unit"};
    d.log.fn = remember;
    return d;
}

#endif
