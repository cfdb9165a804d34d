/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_server: a stand-in for the server on the binary wire, for tests of the client: a thread that keeps what
   it gets in order, and says so; and a tracer that sends to it. Include after cmocka and dolon.h. */
#ifndef TEST_DOLON_SERVER_H
#define TEST_DOLON_SERVER_H

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../server/base/histogram.h"
#include "../server/ingest/decode.h"
#include "test_dolon_log.h"

typedef struct {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    int stop;
    /* guarded by the lock */
    uint8_t run[16];
    int datagrams, facts, byes, crashes, slices;
    bool deaf;    /* takes nothing, says nothing */
    bool bye_due; /* says nothing to a goodbye before somebody asks for it */
    uint64_t rows, lost, marks, sampled, top;
    uint32_t columns, work; /* known; the number of the column "work_mean" */
    double cells[4096];     /* of a row with histograms, as far as it has come */
    bool telling;           /* that row is new */
    histogram_set told;     /* of all rows     */
} server;

static inline void take_names(server *s, const record *r)
{
    s->columns = r->names.first + r->names.count;
    for (uint32_t i = 0; i < r->names.count; i++) {
        if (!span_eq(r->names.columns[i].name, span_of("work_mean"))) continue;
        assert(r->names.columns[i].kind == COLUMN_HISTOGRAM);
        s->work = r->names.first + i;
    }
}

/* Its slices come in order here. */
static inline void take_histograms(server *s, const record_rows *r, bool new)
{
    if (r->first == 0) s->telling = new;
    if (r->first > 0) s->slices++;
    if (!s->telling) return;
    memcpy(s->cells + r->first, r->values, r->slice * sizeof *r->values);
    if (r->first + r->slice < r->columns + r->words) return;
    s->telling = false;
    span words = {(const char *)(s->cells + r->columns), 8 * (size_t)r->words};
    if (!histogram_set_add(&s->told, words, r->columns)) assert(!"well-formed histograms");
}

static inline void take(void *ctx, const record *r)
{
    server *s = ctx;
    memcpy(s->run, r->run.b, 16);
    if (r->kind == RECORD_FACTS) s->facts++;
    if (r->kind == RECORD_COLUMNS) take_names(s, r);
    if (r->kind == RECORD_MARKS && s->marks < r->marks.first + r->marks.count)
        s->marks = r->marks.first + r->marks.count;
    if (r->kind == RECORD_ROWS) {
        uint64_t next = s->rows + s->lost, end = r->rows.seq + r->rows.count;
        if (r->rows.kept > next) s->lost += r->rows.kept - next;
        next = s->rows + s->lost;
        bool new = s->columns >= r->rows.columns && r->rows.seq <= next &&end > next;
        if (r->rows.words) take_histograms(s, &r->rows, new);
        if (new) s->rows += end - next;
        if (end > s->top) s->top = end;
    }
    if (r->kind == RECORD_GOODBYE) {
        if (r->goodbye.reason == END_CRASHED)
            s->crashes++;
        else
            s->byes++;
        s->sampled = r->goodbye.next;
    }
}

static inline size_t acknowledgement(const server *s, uint8_t *out)
{
    uint64_t next = s->rows + s->lost;
    int ended = (s->byes || s->crashes) && !s->bye_due && next >= s->sampled;
    uint8_t *p = dolon__put_bytes(out, "\xD0\x10\x01\x81", 4);
    p = dolon__put_bytes(p, s->run, 16);
    p = dolon__put(p, (uint64_t)(s->facts > 0) + 2 * (uint64_t)ended, 1);
    p = dolon__put(p, s->facts && s->top > next, 1);
    p = dolon__put(p, s->facts ? s->columns : 0, 2);
    p = dolon__put(p, s->facts ? s->marks : 0, 4);
    for (int i = 0; i < 2; i++) p = dolon__put(p, s->facts ? next : 0, 8);
    p = dolon__put(p, s->facts ? s->top : 0, 8);
    if (s->facts && s->top > next) p = dolon__put(dolon__put(p, next, 8), s->top - next, 4);
    return (size_t)(p - out);
}

static inline void *serve(void *arg)
{
    server *s = arg;
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
        uint8_t in[65536], out[80];
        struct sockaddr_storage from;
        socklen_t bytes = sizeof from;
        ssize_t n = recvfrom(s->fd, in, sizeof in, 0, (struct sockaddr *)&from, &bytes);
        if (n <= 0) continue;
        pthread_mutex_lock(&s->lock);
        if (!s->deaf) {
            s->datagrams++;
            assert(decode_datagram(in, (size_t)n, take, s) == DECODE_OK);
            sendto(s->fd, out, acknowledgement(s, out), 0, (struct sockaddr *)&from, bytes);
        }
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* Zeroed before: what it knows stays over close and open. */
static inline void server_open(server *s, const struct sockaddr *at, socklen_t bytes)
{
    struct timeval patience = {0, 20000};
    s->stop = 0;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(at->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(bind(s->fd, at, bytes), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* 127.0.0.LAST; returns the port. */
static inline int server_open_v4(server *s, int last, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t bytes = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)last);
    server_open(s, (struct sockaddr *)&at, sizeof at);
    getsockname(s->fd, (struct sockaddr *)&at, &bytes);
    return ntohs(at.sin_port);
}

static inline void server_close(server *s)
{
    __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* Of a number that only grows; 60 s at most. */
static inline void await(server *s, const uint64_t *value, uint64_t least)
{
    uint64_t now = 0;
    for (int i = 0; i < 12000 && now < least; i++) {
        pthread_mutex_lock(&s->lock);
        now = *value;
        pthread_mutex_unlock(&s->lock);
        if (now < least) usleep(5000);
    }
    assert_true(now >= least);
}

static inline void set(server *s, bool *flag, bool value)
{
    pthread_mutex_lock(&s->lock);
    *flag = value;
    pthread_mutex_unlock(&s->lock);
}

/* ---- a tracer ---- */

static inline double answer(void *user)
{
    (void)user;
    return 42;
}

static inline dolon_desc desc_for(const char *host, int port)
{
    dolon_desc d = {
        .app_name = "test", .host = host, .port = port, .interval = 0.005, .no_environment = 1, .goodbye = 60};
    d.probes[0] = (dolon_probe){"answer", answer, NULL, "unit"};
    d.log.fn = remember;
    return d;
}

#endif
