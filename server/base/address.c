/* SPDX-License-Identifier: MIT OR Unlicense
   address: "127.0.0.1:12013", "[::1]:0", "localhost:80", "unix:/run/mnemic" → a bound or a
   connected socket. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool address_split(const char *text, char host[ADDRESS_HOST], char port[ADDRESS_PORT])
{
    const char *colon = strrchr(text, ':');
    if (!colon) return false;
    const char *p = text, *end = colon;
    if (*p == '[') {
        if (end == p || end[-1] != ']') return false;
        p++, end--;
    } else if (memchr(p, ':', (size_t)(end - p))) {
        return false; /* an IPv6 address without brackets: where does its port begin? */
    }
    size_t digits = strspn(colon + 1, "0123456789");
    if (!digits || digits >= ADDRESS_PORT || colon[1 + digits] || atoi(colon + 1) > 65535) return false;
    if ((size_t)(end - p) >= ADDRESS_HOST) return false;
    memcpy(host, p, (size_t)(end - p));
    host[end - p] = 0;
    memcpy(port, colon + 1, digits + 1);
    return true;
}

static int open_bound(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol), on = 1;
    if (fd < 0) return -1;
    /* A restarted server takes its TCP port again at once; for UDP it would let a second server share it. */
    if (a->ai_socktype == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool describe(int fd, buf *out)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0 ||
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    buf_printf(out, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return true;
}

const char *address_unix_path(const char *text)
{
    return strncmp(text, "unix:", 5) == 0 ? text + 5 : NULL;
}

/* A server that was killed leaves its file: then nobody takes what is sent there. */
static bool is_stale(const struct sockaddr_un *a, int type)
{
    struct stat file;
    if (lstat(a->sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale = fd >= 0 && connect(fd, (const void *)a, sizeof *a) != 0 && errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return stale;
}

static int bind_unix(const char *path, int type, buf *bound, buf *why)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof a.sun_path) {
        buf_printf(why, "unix:%s: the path of a socket has 1 to %zu bytes", path, sizeof a.sun_path - 1);
        return -1;
    }
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failed = fd < 0 || bind(fd, (const void *)&a, sizeof a);
    if (fd >= 0 && failed && errno == EADDRINUSE) {
        if (is_stale(&a, type)) unlink(path);
        failed = bind(fd, (const void *)&a, sizeof a);
    }
    if (!failed) {
        buf_printf(bound, "unix:%s", path);
        return fd;
    }
    buf_printf(why, "unix:%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

int address_bind(const char *text, int type, buf *bound, buf *why)
{
    if (address_unix_path(text)) return bind_unix(address_unix_path(text), type, bound, why);
    char host[ADDRESS_HOST], port[ADDRESS_PORT];
    if (!address_split(text, host, port)) {
        buf_printf(why, "%s: not of the form HOST:PORT or [IPV6]:PORT", text);
        return -1;
    }
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    int error = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (error) {
        buf_printf(why, "%s: %s", text, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) fd = open_bound(a);
    error = errno;
    freeaddrinfo(list);
    if (fd < 0) {
        buf_printf(why, "%s: %s", text, strerror(error));
    } else if (!describe(fd, bound)) {
        buf_printf(why, "%s: its address cannot be told", text);
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_connected(const struct addrinfo *a, int seconds)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) return -1;
    struct timeval patience = {.tv_sec = seconds};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* and for connecting */
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) return fd;
    int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    close(fd);
    errno = error;
    return -1;
}

int address_connect(const char *text, int type, int seconds, buf *why)
{
    char host[ADDRESS_HOST], port[ADDRESS_PORT];
    if (!address_split(text, host, port)) {
        buf_printf(why, "%s: not of the form HOST:PORT or [IPV6]:PORT", text);
        return -1;
    }
    bool any = !*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    int error = getaddrinfo(any ? NULL : host, port, &hints, &list);
    if (error) {
        buf_printf(why, "%s: %s", text, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) fd = open_connected(a, seconds);
    error = errno;
    freeaddrinfo(list);
    if (fd < 0) buf_printf(why, "%s: %s", text, strerror(error));
    return fd;
}

bool address_is_loopback(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) return false;
    if (a.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &a, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, &a, sizeof in6);
    return a.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

void address_source(const void *from, size_t n, uint8_t out[16])
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    memset(out, 0, 16);
    sa_family_t family = AF_UNSPEC;
    if (n >= sizeof family) memcpy(&family, from, sizeof family);
    if (family == AF_INET && n >= sizeof in) {
        memcpy(&in, from, sizeof in);
        memset(out + 10, 0xFF, 2);
        memcpy(out + 12, &in.sin_addr, 4);
    } else if (family == AF_INET6 && n >= sizeof in6) {
        memcpy(&in6, from, sizeof in6);
        memcpy(out, &in6.sin6_addr, IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 16 : 8);
    }
}
