/* SPDX-License-Identifier: MIT OR Unlicense
   http_client: just enough of HTTP/1.1 to ask a server on loopback; a failure fails the test. Include after cmocka. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../server/base/base.h"

typedef struct {
    int status;
    buf head, body;
} http_answer;

static inline int client_connect(int port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline void client_send(int fd, const char *method, const char *path, const char *headers)
{
    buf request = {0};
    buf_printf(&request, "%s %s HTTP/1.1\r\n%s%s\r\n", method, path,
               strcasestr(headers, "host:") ? "" : "Host: localhost\r\n", headers);
    assert_true(write(fd, request.p, request.n) == (ssize_t)request.n);
    buf_free(&request);
}

/* Reads on; false at the end. Waits long, since a busy machine may let us wait. */
static inline bool client_read(int fd, buf *in)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 60000), 1);
    char piece[65536];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n > 0) buf_append(in, piece, (size_t)n);
    return n > 0;
}

/* Reads until the text is there, and returns where. */
static inline const char *client_wait(int fd, buf *in, const char *text)
{
    for (;;) {
        const char *at = in->n ? strstr(in->p, text) : NULL;
        if (at) return at;
        if (!client_read(fd, in)) fail_msg("the stream ended before \"%s\": %s", text, in->n ? in->p : "");
    }
}

/* Chunked transfer coding (RFC 9112 §7.1); false: the body is not whole. */
static inline bool client_dechunk(span in, buf *out)
{
    while (in.n) {
        char *end;
        size_t n = strtoul(in.p, &end, 16), used = (size_t)(end - in.p) + 2;
        if (end == in.p || used + n + 2 > in.n) return false;
        buf_append(out, in.p + used, n);
        if (n == 0) return true;
        in.p += used + n + 2;
        in.n -= used + n + 2;
    }
    return false;
}

/* The headers tell the body's length. */
static inline http_answer client_ask_with(int port, const char *method, const char *path, const char *headers,
                                          const char *body)
{
    int fd = client_connect(port);
    buf in = {0}, all = {0};
    buf_printf(&all, "%sConnection: close\r\n", headers);
    client_send(fd, method, path, all.p);
    ssize_t written = send(fd, body, strlen(body), MSG_NOSIGNAL);
    (void)written; /* a server that refuses it may close before it has all */
    while (client_read(fd, &in)) continue;
    close(fd);
    http_answer a = {0};
    char *end = in.n ? strstr(in.p, "\r\n\r\n") : NULL;
    if (!end || sscanf(in.p, "HTTP/1.1 %d", &a.status) != 1) fail_msg("%s %s: no answer", method, path);
    buf_append(&a.head, in.p, (size_t)(end + 2 - in.p));
    span rest = {end + 4, in.n - (size_t)(end + 4 - in.p)};
    if (strcasestr(a.head.p, "transfer-encoding: chunked"))
        assert_true(client_dechunk(rest, &a.body));
    else
        buf_append(&a.body, rest.p, rest.n);
    buf_free(&in);
    buf_free(&all);
    return a;
}

static inline http_answer client_ask(int port, const char *method, const char *path, const char *headers)
{
    return client_ask_with(port, method, path, headers, "");
}

static inline http_answer client_get(int port, const char *path)
{
    return client_ask(port, "GET", path, "");
}

static inline void http_answer_free(http_answer *a)
{
    buf_free(&a->head);
    buf_free(&a->body);
}

/* A header's value into `out`; "" if it is not there. */
static inline const char *answer_header(const http_answer *a, const char *name, char *out, size_t size)
{
    char line[128];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(a->head.p, line);
    size_t n = at ? strcspn(at + strlen(line), "\r") : 0;
    assert_true(n < size);
    if (at) memcpy(out, at + strlen(line), n);
    out[n] = 0;
    return out;
}

#endif
