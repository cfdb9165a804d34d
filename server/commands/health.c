/* SPDX-License-Identifier: MIT OR Unlicense
   health: asks a server of this machine whether it takes requests and reaches its store. */
#include "commands/health.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"

#define PATIENCE   5     /* seconds for each step: connecting, sending, a piece of the answer */
#define ANSWER_MAX 16384 /* bytes that are read of an answer                                  */

/* A connection; `tls` is NULL where the server speaks plain HTTP. */
typedef struct {
    int fd;
    SSL *tls;
} line;

static bool line_open(line *l, const char *address, SSL_CTX *tls, buf *why)
{
    *l = (line){.fd = address_connect(address, SOCK_STREAM, PATIENCE, why)};
    if (l->fd < 0 || !tls) return l->fd >= 0;
    l->tls = SSL_new(tls);
    if (l->tls && SSL_set_fd(l->tls, l->fd) == 1 && SSL_connect(l->tls) == 1) return true;
    buf_printf(why, "%s speaks neither HTTP nor TLS", address);
    return false;
}

static void line_close(line *l)
{
    SSL_free(l->tls);
    if (l->fd >= 0) close(l->fd);
}

static bool line_write(const line *l, span text)
{
    /* All or nothing: a socket's buffer takes a short request as a whole. */
    if (l->tls) return SSL_write(l->tls, text.p, (int)text.n) == (int)text.n;
    return send(l->fd, text.p, text.n, MSG_NOSIGNAL) == (ssize_t)text.n;
}

static int line_read(const line *l, char *out, int room)
{
    return l->tls ? SSL_read(l->tls, out, room) : (int)recv(l->fd, out, (size_t)room, 0);
}

/* The answer to GET `path`, as much of it as comes, into `answer`, which is then terminated. */
static bool ask(const char *address, SSL_CTX *tls, const char *path, span token, char answer[ANSWER_MAX], buf *why)
{
    line l;
    buf request = {0};
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", path);
    if (token.n) buf_printf(&request, "Authorization: Bearer %.*s\r\n", (int)token.n, token.p);
    buf_text(&request, "\r\n");
    int had = 0, n = 0;
    bool good = line_open(&l, address, tls, why);
    if (good && line_write(&l, (span){request.p, request.n}))
        while (had < ANSWER_MAX - 1 && (n = line_read(&l, answer + had, ANSWER_MAX - 1 - had)) > 0) had += n;
    answer[had] = 0;
    if (good && !had && !tls && n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        buf_printf(why, "%s does not answer", address);
        good = false;
    }
    line_close(&l);
    OPENSSL_cleanse(request.p, request.n);
    buf_free(&request);
    return good;
}

static bool judge(const char *address, const char *answer, span token, buf *why)
{
    int status = 0;
    const char *body = strstr(answer, "\r\n\r\n");
    if (sscanf(answer, "HTTP/1.1 %3d", &status) != 1 || !body) {
        buf_printf(why, "%s does not answer as mnemic does", address);
        return false;
    }
    if (status == 200) return true;
    if (status == 401) {
        buf_printf(why, "the server at %s %s", address,
                   token.n ? "wants another token" : "wants a token: give --token-file, or set MNEMIC_TOKEN_FILE");
        return false;
    }
    char *said = span_clean(span_of(body + 4), 300, NULL);
    buf_printf(why, "the server at %s is not ready: status %d, %s", address, status, said);
    free(said);
    return false;
}

bool health_ask(const char *address, span token, buf *why)
{
    static char answer[ANSWER_MAX];
    /* Which of the two does it speak? /healthz needs no token, so none is shown before that is known. */
    if (!ask(address, NULL, "/healthz", (span){0}, answer, why)) return false;
    SSL_CTX *tls = strncmp(answer, "HTTP/", 5) == 0 ? NULL : SSL_CTX_new(TLS_client_method());
    bool good = ask(address, tls, "/readyz", token, answer, why) && judge(address, answer, token, why);
    SSL_CTX_free(tls);
    return good;
}
